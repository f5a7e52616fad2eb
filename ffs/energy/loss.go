package energy

import (
	"math/rand/v2"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/nn"
)

// Loss is the regulariser that pushes energies apart: the mean of the logistic layer's cross-entropies over the foreground proposals of a step
// and its synthetic outliers, of which sum (see CrossEntropy) may be all or, in a step that is computed in parts, some. inliers is the
// number of foreground proposals of the whole step, a scalar of sum's type. Without a single one the loss is 0, where the original fails; and
// where active, a scalar bool, is false, because there are no outliers yet; nil means true.
func Loss(sum, inliers *Node, outliers int, active *Node) *Node {
	counts := graph.GreaterThan(inliers, graph.ZerosLike(inliers))
	if active != nil {
		counts = graph.LogicalAnd(counts, active)
	}
	mean := graph.Div(sum, graph.AddScalar(inliers, float64(outliers)))
	return graph.Where(graph.StopGradient(counts), mean, graph.ZerosLike(mean))
}

// CrossEntropy is the logistic layer's cross-entropy for energies [n] of one label, summed over the rows where mask [n] (bool) is true, and
// the number of those rows; a nil mask counts all.
func CrossEntropy(scope *model.Scope, energies, mask *Node, inlier bool) (sum, count *Node) {
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

// Probability is the logistic layer's probability [n] that energies [n] (Weighted's) are of inliers.
func Probability(scope *model.Scope, energies *Node) *Node {
	probabilities := graph.Softmax(logistic(scope, energies), -1)
	return graph.Squeeze(graph.Slice(probabilities, graph.AxisRange(), graph.AxisElem(1)), -1)
}

// logistic is the learned layer Linear(1, 2) from energies [n] to the logits [n, 2] of (outlier, inlier).
func logistic(scope *model.Scope, energies *Node) *Node {
	return nn.Linear(scope.At("logistic_regression"), graph.InsertAxes(energies, -1), 2, nn.TorchLinear(1), nn.TorchLinear(1))
}

// StartOrdered makes the logistic layer, before its first use does, with the side of high energy for inliers: its two slopes are those of its
// ordinary start, the larger one the inliers'. The original leaves the sides to chance; where they are the wrong way round, training pushes the energy of
// inliers under that of outliers, though detections are ranked the other way.
func StartOrdered(scope *model.Scope, g *graph.Graph) {
	ordered := func(rng *rand.Rand, values []float32, dims []int) {
		nn.TorchLinear(1)(rng, values, dims)
		slices.Sort(values) // of outlier, inlier
	}
	nn.Variable(scope.At("logistic_regression"), g, "weight", ordered, true, 2, 1)
}
