package flow

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// NLL returns the negative log-likelihood [n] of features with latents z [n, dim] and
// log-determinants logDet [n]:
//
//	NLL = sum_i (z_i^2 + log 2 pi) / 2 - logDet    (+ dim * log 256 if constant)
//
// The constant comes from flows of images with 256 grey levels and has no meaning for features; the
// original adds it. It changes no gradient and no ranking.
func NLL(z, logDet *graph.Node, constant bool) *graph.Node {
	dim := z.Shape().Dim(-1)
	offset := math.Log(2*math.Pi) / 2 * float64(dim)
	if constant {
		offset += Constant(dim)
	}
	nll := graph.Sub(graph.MulScalar(graph.ReduceSum(graph.Square(z), -1), 0.5), logDet)
	return graph.AddScalar(nll, offset)
}

// Constant returns the constant of NLL: dim * log 256.
func Constant(dim int) float64 { return math.Log(256) * float64(dim) }

// Sample makes features x [n, dim] from latents z [n, dim] and returns their NLL [n]. The original
// maps x forward again for the log-determinant. That of the inverse is the same up to rounding.
func (f *Flow) Sample(z *graph.Node, constant bool) (x, nll *graph.Node) {
	x, logDet := f.Inverse(z)
	return x, NLL(z, graph.Neg(logDet), constant)
}

// Loss returns the sum of nll [n] over the rows where mask [n] (bool) is true, and their number;
// both are scalars. The loss is sum / max(count, 1).
func Loss(nll, mask *graph.Node) (sum, count *graph.Node) {
	mask = graph.StopGradient(mask)
	return graph.MaskedReduceAllSum(nll, mask), graph.ReduceAllSum(graph.ConvertDType(mask, nll.DType()))
}
