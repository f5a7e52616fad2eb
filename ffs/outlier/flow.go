package outlier

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// MethodFlow is the paper's method.
const MethodFlow = "flow"

func init() {
	Register(Method{
		Name: MethodFlow, Summary: "the least likely of the features that the flow makes from noise (the paper)", NeedsFlow: true, FromNoise: true,
		New: builtIn(candidates, func(c Config) Synthesizer { return flowSampler{config: c} }),
	})
}

// flowSampler is the paper's method. Of SampleFrom features that the flow makes from noise, it
// keeps those that the flow finds least likely. No gradient flows into them.
type flowSampler struct {
	Stateless
	config Config
}

func (s flowSampler) Count() int { return s.config.Select }

func (s flowSampler) Noise() []shapes.Shape {
	return Normals(s.config.SampleFrom, s.config.Dim)
}

func (s flowSampler) Synthesize(in Input) Output {
	samples, nll := in.Flow.Sample(in.Noise[0], true)
	samples, nll = graph.StopGradient(samples), graph.StopGradient(nll)
	drawn := graph.ReduceAllMean(nll)
	nll, chosen := graph.TopK(nll, s.config.Select, 0)
	return Output{
		Samples:   graph.StopGradient(takeRows(samples, chosen)),
		NLL:       graph.StopGradient(nll),
		Candidate: chosen,
		Drawn:     drawn,
	}
}

// takeRows returns the given rows [k] of x [n, dim] as [k, dim].
func takeRows(x, rows *graph.Node) *graph.Node { return graph.Gather(x, graph.InsertAxes(rows, -1)) }
