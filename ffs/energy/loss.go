package energy

import (
	"math/rand/v2"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/nn"
)

// Loss returns the regulariser that separates energies: the mean cross-entropy of the logistic
// layer over the foreground proposals of a step and its synthetic outliers. sum (see CrossEntropy)
// may include all of them or, in a step that is computed in parts, some. inliers is the number of
// foreground proposals of the whole step, a scalar of sum's type. The loss is 0 if there are no
// inliers (the original returns NaN), or if active, a scalar bool, is false, because there are no
// outliers yet; nil means true.
func Loss(sum, inliers *graph.Node, outliers int, active *graph.Node) *graph.Node {
	counts := graph.GreaterThan(inliers, graph.ZerosLike(inliers))
	if active != nil {
		counts = graph.LogicalAnd(counts, active)
	}
	mean := graph.Div(sum, graph.AddScalar(inliers, float64(outliers)))
	return graph.Where(graph.StopGradient(counts), mean, graph.ZerosLike(mean))
}

// CrossEntropy returns the cross-entropy of the logistic layer for energies [n] of one label,
// summed over the rows where mask [n] (bool) is true, and the number of those rows. A nil mask
// counts all.
func CrossEntropy(scope *model.Scope, energies, mask *graph.Node, inlier bool) (sum, count *graph.Node) {
	column := 0
	if inlier {
		column = 1
	}
	logProbability := graph.Slice(graph.LogSoftmax(logistic(scope, energies), -1), graph.AxisRange(), graph.AxisElem(column))
	losses := graph.Neg(graph.Squeeze(logProbability, -1))
	if mask == nil {
		return graph.ReduceAllSum(losses), graph.Scalar(losses.Graph(), losses.DType(), losses.Shape().Size())
	}
	mask = graph.StopGradient(mask)
	return graph.MaskedReduceAllSum(losses, mask), graph.ReduceAllSum(graph.ConvertDType(mask, losses.DType()))
}

// Probability returns the probability [n] of the logistic layer that energies [n] (of Weighted) are
// those of inliers.
func Probability(scope *model.Scope, energies *graph.Node) *graph.Node {
	probabilities := graph.Softmax(logistic(scope, energies), -1)
	return graph.Squeeze(graph.Slice(probabilities, graph.AxisRange(), graph.AxisElem(1)), -1)
}

// logistic is the learned layer Linear(1, 2) from energies [n] to logits [n, 2] of (outlier,
// inlier).
func logistic(scope *model.Scope, energies *graph.Node) *graph.Node {
	return nn.Linear(scope.At("logistic_regression"), graph.InsertAxes(energies, -1), 2, nn.TorchLinear(1), nn.TorchLinear(1))
}

// StartOrdered initialises the logistic layer, before its first use, so that high energies mean
// inliers: it draws the two slopes as usual and gives the larger one to the inliers. The original
// leaves their order to chance. In the wrong order, training pushes the energies of inliers below
// those of outliers, although detections are ranked the other way.
func StartOrdered(scope *model.Scope, g *graph.Graph) {
	ordered := func(rng *rand.Rand, values []float32, dims []int) {
		nn.TorchLinear(1)(rng, values, dims)
		slices.Sort(values) // of outlier, inlier
	}
	nn.Variable(scope.At("logistic_regression"), g, "weight", ordered, true, 2, 1)
}
