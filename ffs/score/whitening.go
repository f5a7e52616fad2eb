package score

import (
	"math"

	"gonum.org/v1/gonum/blas"
	"gonum.org/v1/gonum/blas/blas64"
	"gonum.org/v1/gonum/mat"
)

// ridge is added to the diagonal of scatter matrices, as in pytorch-ood.
const ridge = 1e-6

// whitening maps features x to vectors of the squared length x^T S^-1 x.
type whitening struct {
	lower *mat.TriDense // L of S = L L^T, to solve L y = x
	axes  *mat.Dense    // if lower is nil: [d, d], eigenvectors of S over the roots of their eigenvalues
}

// whiten returns the whitening by S = sum_i (x_i - c_i)(x_i - c_i)^T + ridge I, where x_i are the
// rows of x and c_i their centers.
func whiten(x *mat.Dense, center func(row int) []float64) whitening {
	n, d := x.Dims()
	s := mat.NewSymDense(d, nil)
	const block = 4096 // rows; a centred copy of all rows would double the memory
	for from := 0; from < n; from += block {
		centred := mat.DenseCopyOf(x.Slice(from, min(from+block, n), 0, d))
		for i := range centred.RawMatrix().Rows {
			row := centred.RawRowView(i)
			for j, v := range center(from + i) {
				row[j] -= v
			}
		}
		s.SymRankK(s, 1, centred.T())
	}
	for j := range d {
		s.SetSym(j, j, s.At(j, j)+ridge)
	}
	var cholesky mat.Cholesky
	if cholesky.Factorize(s) {
		lower := &mat.TriDense{}
		cholesky.LTo(lower)
		return whitening{lower: lower}
	}
	// The ridge is lost in the rounding of a large S: raise its eigenvalues to the ridge.
	var eigen mat.EigenSym
	eigen.Factorize(s, true)
	axes := &mat.Dense{}
	eigen.VectorsTo(axes)
	values := eigen.Values(nil)
	for j := range d {
		scale := 1 / math.Sqrt(max(values[j], ridge))
		for i := range d {
			axes.Set(i, j, axes.At(i, j)*scale)
		}
	}
	return whitening{axes: axes}
}

// apply returns the whitened rows of x.
func (w whitening) apply(x *mat.Dense) *mat.Dense {
	if w.lower == nil {
		var y mat.Dense
		y.Mul(x, w.axes)
		return &y
	}
	y := mat.DenseCopyOf(x)
	// L y^T = x^T for all rows at once: y = x L^-T.
	blas64.Trsm(blas.Right, blas.Trans, 1, w.lower.RawTriangular(), y.RawMatrix())
	return y
}
