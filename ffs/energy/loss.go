package energy

import (
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/nn"
)

// Loss is the regulariser that pushes energies apart: the logistic layer's cross-entropy over the foreground proposals, with energies
// foreground [n] where mask [n] (bool) is true, and the synthetic outliers, with energies outliers [s]. Its value is
// sum / count. Without a single foreground proposal the sum is 0 and the count 1, where the original fails. active is a scalar bool; where
// it is false there are no outliers yet, and the sum is 0 and the count 1 as well; nil means true.
func Loss(scope *model.Scope, foreground, mask, outliers, active *Node) (sum, count *Node) {
	inlierSum, inlierCount := CrossEntropy(scope, foreground, mask, true)
	outlierSum, outlierCount := CrossEntropy(scope, outliers, nil, false)
	sum, count = graph.Add(inlierSum, outlierSum), graph.Add(inlierCount, outlierCount)

	counts := graph.GreaterThan(inlierCount, graph.ZerosLike(inlierCount))
	if active != nil {
		counts = graph.LogicalAnd(counts, active)
	}
	counts = graph.StopGradient(counts)
	return graph.Where(counts, sum, graph.ZerosLike(sum)), graph.Where(counts, count, graph.OnesLike(count))
}

// CrossEntropy is the logistic layer's cross-entropy for energies [n] of one label, summed over the rows where mask [n] (bool) is true, and
// the number of those rows; a nil mask counts all. It is what Loss adds up, for a step that is computed in parts.
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
