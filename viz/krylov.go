package viz

import (
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// leadingDirections returns the k largest eigenvalues of X^T X in descending order, and their
// eigenvectors, for X of [n][D]. It spans the Krylov space of X^T X block by block, keeps its basis
// orthonormal, and solves the small problem within it (Rayleigh and Ritz) until the residuals are
// below 1e-9 of the largest eigenvalue. For a few components of a thousand columns that takes a
// hundredth of the time of all eigenvectors. The start is pseudo-random but fixed. Fewer than k are
// returned where X has no more directions.
func leadingDirections(x *mat.Dense, k int) (values []float64, vectors [][]float64) {
	_, dim := x.Dims()
	r := rand.New(rand.NewPCG(0, 0))
	block := make([][]float64, min(k+2, dim))
	for i := range block {
		block[i] = make([]float64, dim)
		for j := range block[i] {
			block[i][j] = r.NormFloat64()
		}
	}
	var basis, images [][]float64 // v and X^T X v
	for nextCheck := 0; ; {
		block = orthonormalize(block, basis)
		if len(block) == 0 { // the space is invariant: what it holds is exact
			values, vectors, _ = ritz(basis, images, k)
			return values, vectors
		}
		block = block[:min(len(block), dim-len(basis))]
		basis = append(basis, block...)
		block = applyScatter(x, block)
		images = append(images, block...)
		if len(basis) < nextCheck && len(basis) < dim {
			continue
		}
		nextCheck = len(basis) + max(len(block), len(basis)/4)
		var residual float64
		values, vectors, residual = ritz(basis, images, k)
		if len(values) == k && residual <= 1e-9*values[0] || len(basis) == dim {
			return values, vectors
		}
	}
}

// applyScatter returns X^T X v for each v.
func applyScatter(x *mat.Dense, vs [][]float64) [][]float64 {
	_, dim := x.Dims()
	in := mat.NewDense(len(vs), dim, nil)
	for i, v := range vs {
		in.SetRow(i, v)
	}
	var projected, out mat.Dense
	projected.Mul(in, x.T())
	out.Mul(&projected, x)
	images := make([][]float64, len(vs))
	for i := range images {
		images[i] = mat.Row(nil, i, &out)
	}
	return images
}

// orthonormalize returns copies of the vectors made orthonormal to the basis and to each other
// (Gram and Schmidt, twice for accuracy). Those that lie in the span of the others, to twelve
// digits, are left out.
func orthonormalize(vs, basis [][]float64) [][]float64 {
	var out [][]float64
	for _, v := range vs {
		v = slices.Clone(v)
		before := floats.Norm(v, 2)
		for range 2 {
			for _, u := range slices.Concat(basis, out) {
				floats.AddScaled(v, -floats.Dot(u, v), u)
			}
		}
		if after := floats.Norm(v, 2); after > 1e-12*before && after > 0 {
			floats.Scale(1/after, v)
			out = append(out, v)
		}
	}
	return out
}

// ritz returns the k leading approximate eigenpairs within the basis and the largest residual |X^T
// X v - value v| of them.
func ritz(basis, images [][]float64, k int) (values []float64, vectors [][]float64, residual float64) {
	m := len(basis)
	small := mat.NewSymDense(m, nil)
	for i := range m {
		for j := i; j < m; j++ {
			small.SetSym(i, j, floats.Dot(basis[i], images[j]))
		}
	}
	var eigen mat.EigenSym
	if !eigen.Factorize(small, true) {
		return nil, nil, math.Inf(1)
	}
	all := eigen.Values(nil) // ascending
	var mix mat.Dense
	eigen.VectorsTo(&mix)
	for c := m - 1; c >= max(m-k, 0); c-- {
		v, image := make([]float64, len(basis[0])), make([]float64, len(basis[0]))
		for i := range m {
			floats.AddScaled(v, mix.At(i, c), basis[i])
			floats.AddScaled(image, mix.At(i, c), images[i])
		}
		values, vectors = append(values, all[c]), append(vectors, v)
		floats.AddScaled(image, -all[c], v)
		residual = max(residual, floats.Norm(image, 2))
	}
	return values, vectors, residual
}
