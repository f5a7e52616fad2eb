package outlier

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/flow"
	"ffslab/ffs/internal/check"
)

// MethodLangevin is the descent of the original's code.
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

// langevin starts from SampleFrom features that the flow makes from noise. It moves all of them
// down the gradient of their mean log-likelihood until that is below the least log-likelihood of
// the step's inliers, or MaxSteps are done, and keeps all of them. As in the original, it adds no
// noise, and a sample moves by 1/SampleFrom of its own gradient.
//
// The moves are constants for the losses, but the start is not: losses on the outliers reach the
// flow.
type langevin struct {
	Stateless
	config Config
}

func (l langevin) Count() int { return l.config.SampleFrom }

func (l langevin) Noise() []shapes.Shape {
	return Normals(l.config.SampleFrom, l.config.Dim)
}

// The loop is unrolled, because a While loop cannot hold the gradient. Steps after the goal are
// masked.
func (l langevin) Synthesize(in Input) Output {
	z := in.Noise[0]
	g := z.Graph()
	start, _ := in.Flow.Inverse(z)
	goal := l.leastInlier(in)

	samples := graph.Identity(graph.StopGradient(start))
	_, logDet := in.Flow.Forward(samples)
	logp := logLikelihood(z, logDet) // of the drawn latents, so that the first step follows only the log-determinant
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

// leastInlier returns the least log-likelihood of the foreground rows, a scalar, or the largest
// float if there are none.
func (l langevin) leastInlier(in Input) *graph.Node {
	logp := logLikelihood(in.Flow.Forward(graph.StopGradient(in.Features)))
	return graph.StopGradient(graph.MaskedReduceAllMin(graph.StopGradient(logp), in.Foreground))
}

// logLikelihood returns that of latents z [n, dim] and log-determinants [n], with the original's
// constant.
func logLikelihood(z, logDet *graph.Node) *graph.Node { return graph.Neg(flow.NLL(z, logDet, true)) }
