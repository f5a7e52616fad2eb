package outlier

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/flow"
	"ffslab/ffs/internal/check"
)

// MethodLangevin is the descent that is in the original's code.
const MethodLangevin = "flow-langevin"

func init() {
	rules := func(c Config) []check.Rule {
		return []check.Rule{check.AtLeastOne("sample_from", c.SampleFrom), check.AtLeastOne("max_steps", c.MaxSteps)}
	}
	Register(Method{
		Name: MethodLangevin, Summary: "features from the flow, moved down the gradient of their likelihood", NeedsFlow: true,
		New: builtIn(rules, func(c Config) Synthesizer { return langevin{config: c} }),
	})
}

// langevinStep is the step size of the original's descent.
const langevinStep = 0.5

// langevin starts from SampleFrom features that the flow makes from noise, and moves all of them down the gradient of their mean
// log-likelihood until that is under the least log-likelihood of the step's inliers, or MaxSteps are done. It
// keeps all. As in the original no noise is added, and a sample moves by 1/SampleFrom of its own gradient.
//
// The moves are constants for the losses, but the start is not: losses on the outliers do reach the flow.
type langevin struct {
	Stateless
	config Config
}

func (l langevin) Count() int { return l.config.SampleFrom }

func (l langevin) Noise() []shapes.Shape {
	return Normals(l.config.SampleFrom, l.config.Dim)
}

// The loop is unrolled, because a While loop could not hold the gradient inside; steps after the goal are masked.
func (l langevin) Synthesize(in Input) Output {
	z := in.Noise[0]
	g := z.Graph()
	start, _ := in.Flow.Inverse(z)
	goal := l.leastInlier(in)

	samples := graph.Identity(graph.StopGradient(start))
	_, logDet := in.Flow.Forward(samples)
	logp := logLikelihood(z, logDet) // of the latents as drawn: the first step follows the log-determinant alone
	drawn := graph.StopGradient(graph.Neg(graph.ReduceAllMean(logp)))
	steps := graph.Const(g, int32(0))
	for range l.config.MaxSteps {
		mean := graph.ReduceAllMean(logp)
		running := graph.GreaterOrEqual(mean, goal)
		move := graph.MulScalar(graph.StopGradient(graph.Gradient(mean, samples)[0]), langevinStep)
		move = graph.Where(running, move, graph.ZerosLike(move))
		samples = graph.Identity(graph.StopGradient(graph.Sub(samples, move)))
		logp = logLikelihood(in.Flow.Forward(samples))
		steps = graph.Add(steps, graph.ConvertDType(running, dtypes.Int32))
	}
	logp = graph.StopGradient(logp)
	moved := graph.StopGradient(graph.Sub(samples, start))
	return Output{
		Samples: graph.Add(start, moved),
		NLL:     graph.Neg(logp),
		Drawn:   drawn,
		Steps:   steps,
		Stopped: graph.LessThan(graph.ReduceAllMean(logp), goal),
	}
}

// leastInlier is the least log-likelihood of the foreground rows, a scalar; the largest float if there are none.
func (l langevin) leastInlier(in Input) *Node {
	logp := logLikelihood(in.Flow.Forward(graph.StopGradient(in.Features)))
	return graph.StopGradient(graph.MaskedReduceAllMin(graph.StopGradient(logp), in.Foreground))
}

// logLikelihood of latents z [n, dim] and log-determinants [n], with the original's constant.
func logLikelihood(z, logDet *Node) *Node { return graph.Neg(flow.NLL(z, logDet, true)) }
