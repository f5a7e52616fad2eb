package outlier

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// flowSampler is the paper's method: of SampleFrom features that the flow makes from noise, keep those that it finds least likely.
// No gradient flows into them.
type flowSampler struct{ config Config }

func (s flowSampler) Count() int { return s.config.Select }

func (s flowSampler) Noise() []shapes.Shape {
	return []shapes.Shape{shapes.Make(dtypes.Float32, s.config.SampleFrom, s.config.Dim)}
}

func (s flowSampler) Ready(_ *model.Scope, g *graph.Graph) *Node { return graph.Const(g, true) }

func (s flowSampler) Synthesize(in Input) Output {
	samples, nll := in.Flow.Sample(in.Noise[0], true)
	samples, nll = graph.StopGradient(samples), graph.StopGradient(nll)
	drawn := graph.ReduceAllMean(nll)
	nll, chosen := graph.TopK(nll, s.config.Select, 0)
	return Output{
		Samples: graph.StopGradient(takeRows(samples, chosen)),
		NLL:     graph.StopGradient(nll),
		Drawn:   drawn,
	}
}

// takeRows returns the rows [k, dim] of x [n, dim] with the given numbers [k].
func takeRows(x, rows *Node) *Node { return graph.Gather(x, graph.InsertAxes(rows, -1)) }
