package outlier

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/check"
	"ffslab/ffs/internal/linalg"
)

// MethodGaussian is VOS's method, the baseline of the paper.
const MethodGaussian = "gaussian"

func init() {
	rules := func(c Config) []check.Rule {
		return append(candidates(c), check.AtLeastOne("queue", c.Queue), check.AtLeastOne("Classes", c.Classes))
	}
	Register(Method{
		Name: MethodGaussian, Summary: "the least likely draws of a Gaussian for each class (VOS)", PerClass: true, FromState: true,
		New: builtIn(rules, func(c Config) Synthesizer { return gaussian{config: c} }),
	})
}

// covarianceRidge is added to the diagonal of the covariance.
const covarianceRidge = 1e-4

// gaussian is VOS's method (Du et al., "VOS: Learning What You Don't Know by Virtual Outlier
// Synthesis", ICLR 2022). It fits one Gaussian for each class, with a common covariance, to the
// last Queue features of each class, and keeps the draws of the lowest density of SampleFrom draws
// of each class. It makes no outliers until every queue is full. No gradient flows into them.
type gaussian struct{ config Config }

func (s gaussian) Count() int { return s.config.Classes * s.config.Select }

// Noise lists one array for each class, so that a large SampleFrom need not be held for all classes
// at once.
func (s gaussian) Noise() []shapes.Shape {
	noise := make([]shapes.Shape, s.config.Classes)
	for i := range noise {
		noise[i] = shapes.Make(dtypes.Float32, s.config.SampleFrom, s.config.Dim)
	}
	return noise
}

func (s gaussian) Ready(scope *model.Scope, g *graph.Graph) *graph.Node {
	return s.queues(scope, g).full()
}

func (s gaussian) Synthesize(in Input) Output {
	queues := s.queues(in.Scope, in.Features.Graph())
	queues.push(in)
	mean, scale := fit(queues.features)

	// The density of a draw mean + scale eps depends on |eps| only, so choosing needs no draws.
	var chosen, squares, candidates []*graph.Node
	for class, eps := range in.Noise {
		square, rows := graph.TopK(graph.ReduceSum(graph.Square(graph.StopGradient(eps)), -1), s.config.Select, 0)
		chosen, squares = append(chosen, takeRows(eps, rows)), append(squares, square)
		candidates = append(candidates, graph.AddScalar(rows, float64(class*s.config.SampleFrom)))
	}
	eps := graph.Stack(chosen, 0) // [classes, select, dim]
	deviations := graph.DotGeneral(eps, []int{2}, nil, scale, []int{1}, nil)
	samples := graph.Reshape(graph.Add(graph.InsertAxes(mean, 1), deviations), s.Count(), s.config.Dim)
	nll := graph.MulScalar(graph.Concatenate(squares, 0), 0.5)
	diagonal := graph.Where(graph.Diagonal(scale.Graph(), s.config.Dim), scale, graph.ZerosLike(scale))
	logDet := graph.ReduceAllSum(graph.Log(graph.ReduceSum(diagonal, -1)))
	nll = graph.AddScalar(graph.Add(nll, logDet), float64(s.config.Dim)*math.Log(2*math.Pi)/2)
	return Output{Samples: graph.StopGradient(samples), NLL: graph.StopGradient(nll), Candidate: graph.Concatenate(candidates, 0)}
}

// fit fits the Gaussians to features [classes, queue, dim]. It returns the means [classes, dim] and
// the lower Cholesky factor [dim, dim] of the common covariance.
func fit(features *graph.Node) (mean, scale *graph.Node) {
	classes, queue, dim := features.Shape().Dim(0), features.Shape().Dim(1), features.Shape().Dim(2)
	mean = graph.ReduceMean(features, 1)
	centred := graph.Reshape(graph.Sub(features, graph.InsertAxes(mean, 1)), classes*queue, dim)
	covariance := graph.MulScalar(graph.DotGeneral(centred, []int{0}, nil, centred, []int{0}, nil), 1/float64(classes*queue))
	ridge := graph.DiagonalWithValue(graph.Scalar(covariance.Graph(), covariance.DType(), covarianceRidge), dim)
	return mean, linalg.Cholesky(graph.Add(covariance, ridge), covarianceRidge)
}
