package outlier

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// MethodNone makes no outliers.
const MethodNone = "none"

func init() {
	Register(Method{
		Name: MethodNone, Summary: "no outliers: the vanilla detector",
		New: func(c Config) (Synthesizer, error) { return none{}, c.Options.Decode(&struct{}{}) },
	})
}

// none is the vanilla detector, which sees no outliers.
type none struct{}

func (none) Count() int                                       { return 0 }
func (none) Noise() []shapes.Shape                            { return nil }
func (none) Ready(_ *model.Scope, g *graph.Graph) *graph.Node { return graph.Const(g, false) }
func (none) Synthesize(Input) Output                          { panic("outlier: the method none makes no outliers") }
