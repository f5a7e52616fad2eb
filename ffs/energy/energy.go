// Package energy scores how much a detection looks like an inlier by the free energy of its class
// logits (Liu et al., "Energy-based Out-of-distribution Detection", NeurIPS 2020; in its learned,
// weighted form Du et al., "VOS", ICLR 2022), and trains the detector to separate the energies of
// inliers and of synthetic outliers.
//
// Higher scores mean more inlier. Logits are those of the K inlier classes, [n, K]; [Inlier] drops
// the background column of a predictor's output. The scope is the one that holds "weight_energy"
// and "logistic_regression".
package energy

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/nn"
)

// Floor is how far below the largest logit an energy can fall: log 2^-126, of float32's smallest
// normal number.
const Floor = -126 * math.Ln2

// Inlier drops the last column, the background, of logits [n, K+1].
func Inlier(logits *graph.Node) *graph.Node {
	return graph.Slice(logits, graph.AxisRange(), graph.AxisRange(0, -1))
}

// Score returns the unweighted energy T * log sum_k exp(l_k / T) [n] of inlier logits [n, K]. The
// original evaluates with it at temperature T = 1.
func Score(logits *graph.Node, temperature float64) *graph.Node {
	return graph.MulScalar(logSumExp(graph.DivScalar(logits, temperature), nil), temperature)
}

// Weighted returns the energy that is trained, [n], of inlier logits [n, K]. The learned weights
// "weight_energy/weight" [1, K] of the scope start uniformly in (0, 1):
//
//	E = m + log sum_k max(w_k, 0) exp(l_k - m)    m = max_k l_k, over all classes
//
// If no weight is positive, the original returns -inf; here E is at least m + Floor, and has no
// gradient there.
func Weighted(scope *model.Scope, logits *graph.Node) *graph.Node {
	w := weight(scope, logits.Shape().Dim(-1), logits.Graph())
	// Where, not Max: a weight of exactly 0 gets no gradient, as in the original.
	positive := graph.StopGradient(graph.GreaterThan(w, graph.ZerosLike(w)))
	return logSumExp(logits, graph.Where(positive, w, graph.ZerosLike(w)))
}

// AllDead returns a scalar bool: whether none of the scope's K weights is positive. Every energy is
// then at its floor and training no longer changes it, which deserves a warning.
func AllDead(scope *model.Scope, classes int, g *graph.Graph) *graph.Node {
	w := weight(scope, classes, g)
	return graph.StopGradient(graph.LessOrEqual(graph.ReduceAllMax(w), graph.ScalarZero(g, w.DType())))
}

func weight(scope *model.Scope, classes int, g *graph.Graph) *graph.Node {
	return nn.Variable(scope.At("weight_energy"), g, "weight", nn.Uniform(0, 1), true, 1, classes)
}

// logSumExp returns log sum_k w_k exp(l_k) [n] of logits [n, K] and weights [1, K] >= 0; nil
// weights are 1.
func logSumExp(logits, weights *graph.Node) *graph.Node {
	// The result does not depend on the number that is subtracted and added again.
	largest := graph.StopGradient(graph.ReduceAndKeep(logits, graph.ReduceMax, -1))
	terms := graph.Exp(graph.Sub(logits, largest))
	if weights != nil {
		terms = graph.Mul(weights, terms)
	}
	sum := graph.ReduceSum(terms, -1)
	// The gradient of the logarithm of 0 is NaN even if it is masked later.
	alive := graph.StopGradient(graph.GreaterThan(sum, graph.Scalar(sum.Graph(), sum.DType(), math.Exp(Floor))))
	logSum := graph.Log(graph.Where(alive, sum, graph.OnesLike(sum)))
	floor := graph.AddScalar(graph.ZerosLike(sum), Floor)
	return graph.Add(graph.Squeeze(largest, -1), graph.Where(alive, logSum, floor))
}
