// Package mine registers a synthesiser, a loss term, a backbone and an optimizer from outside of
// ffslab.
package mine

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/backbone"
	"ffslab/ffs/loss"
	"ffslab/ffs/nn"
	"ffslab/ffs/optim"
	"ffslab/ffs/options"
	"ffslab/ffs/outlier"
)

func init() {
	outlier.Register(outlier.Method{Name: "shifted", Summary: "the step's features, moved by noise", New: newShifted})
	loss.Register(loss.Term{Name: "small", Summary: "mean square of the class layer's weight", New: newSmall})
	backbone.Register("plain", newPlain)
	optim.Register("signs", newSigns)
}

// shifted moves the first features of the step by noise of a learned scale, a parameter of its own.
type shifted struct {
	outlier.Stateless
	c     outlier.Config
	shift float64
}

func newShifted(c outlier.Config) (outlier.Synthesizer, error) {
	settings := struct {
		Shift float64 `yaml:"shift"`
	}{2}
	err := c.Options.Decode(&settings)
	return shifted{c: c, shift: settings.Shift}, err
}

func (s shifted) Count() int { return s.c.Select }

func (s shifted) Noise() []shapes.Shape {
	return []shapes.Shape{shapes.Make(dtypes.Float32, s.c.Select, s.c.Dim)}
}

func (s shifted) Synthesize(in outlier.Input) outlier.Output {
	rows := graph.Slice(in.Features, graph.AxisRange(0, 1))
	rows = graph.BroadcastToDims(rows, s.c.Select, s.c.Dim)
	seen := nn.Variable(in.Scope.At("shifted"), rows.Graph(), "steps", nn.Constant(0), false)
	in.Scope.At("shifted").GetVariable("steps").SetNodeValue(graph.AddScalar(seen, 1))
	scale := nn.Variable(in.Scope.At("shifted"), rows.Graph(), "scale", nn.Constant(1), true) // learned from the energy's loss
	return outlier.Output{Samples: graph.Add(rows, graph.Mul(graph.MulScalar(in.Noise[0], s.shift), scale))}
}

func newSmall(o options.Options) (loss.Func, error) {
	term := func(in loss.Input) *graph.Node { return in.Once(graph.ReduceAllMean(graph.Square(in.ClassWeight))) }
	return term, o.Decode(&struct{}{})
}

// plain is a chain of strided convolutions with group norm.
type plain struct {
	width  int
	frozen bool
}

func newPlain(c backbone.Config) (backbone.Network, error) {
	settings := struct {
		Width  int  `yaml:"width"`
		Frozen bool `yaml:"frozen"`
	}{Width: 8}
	if err := c.Options.Decode(&settings); err != nil {
		return nil, err
	}
	if settings.Width < 1 {
		return nil, fmt.Errorf("options.width: %d must be positive", settings.Width)
	}
	return plain{settings.Width, settings.Frozen}, nil
}

func (p plain) Stages(scope *model.Scope, images, _ *graph.Node) []*graph.Node {
	layer := func(name string, x *graph.Node) *graph.Node {
		x = nn.Conv{Out: p.width, Kernel: 3, Stride: 2, Init: nn.HeNormal}.Apply(scope.At("%s", name), x)
		return nn.ReLU(nn.GroupNorm(scope.At("%s", name).At("norm"), x, 1, nil))
	}
	x := layer("stem", images)
	var stages []*graph.Node
	for _, name := range []string{"a", "b", "c", "d"} {
		x = layer(name, x)
		stages = append(stages, x)
	}
	return stages
}

// Frozen implements backbone.Network.
func (p plain) Frozen(path string) bool { return p.frozen && path == "stem/weight" }

// signs moves every parameter by the rate, in the direction of its gradient's sign, and counts the
// parameters' moves in state of a shape of its own.
type signs struct{ factor func(string) float64 }

func newSigns(s optim.Settings) (optim.Optimizer, error) {
	return signs{s.LRFactor}, s.Options.Decode(&struct{}{})
}

func (o signs) Apply(store *model.Store, gradients []optim.Gradient, lr *graph.Node) {
	for _, g := range gradients {
		moves := store.RootScope().At("optimizer").At("signs" + strings.ReplaceAll(g.Variable.Path(), "/", "_"))
		count := nn.Variable(moves, lr.Graph(), "moves", nn.Constant(0), false, 1)
		moves.GetVariable("moves").SetNodeValue(graph.AddScalar(count, 1))
		rate := graph.MulScalar(lr, o.factor(g.Variable.Path()))
		g.Variable.SetNodeValue(graph.Sub(g.Variable.NodeValue(lr.Graph()), graph.Mul(rate, graph.Sign(g.Value))))
	}
}
