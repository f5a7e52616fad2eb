package linalg

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"gonum.org/v1/gonum/mat"

	"ffslab/ffs/internal/testkit"
)

// Matrices of all kinds against gonum's decomposition: eigenvalues, and vectors by what they must
// do.
func TestSymmetricEigen(t *testing.T) {
	random := func(n int) []float64 {
		rng := rand.New(rand.NewPCG(uint64(n), 0))
		a := make([]float64, n*n)
		for i := range n {
			for j := range i + 1 {
				a[i*n+j] = rng.NormFloat64()
				a[j*n+i] = a[i*n+j]
			}
		}
		return a
	}
	for name, a := range map[string][]float64{
		"one": {3}, "two": random(2), "three": random(3), "odd": random(21), "even": random(40),
		"diagonal":              {5, 0, 0, 0, -1, 0, 0, 0, 2},
		"repeated":              {2, 1, 1, 1, 2, 1, 1, 1, 2},
		"equal on the diagonal": {1, 0.5, 0.5, 1},
		"zero":                  make([]float64, 16),
		"rank one":              {1, 2, 3, 2, 4, 6, 3, 6, 9},
		"of far scales":         {1e-8, 1e-9, 0, 1e-9, 1, 0.1, 0, 0.1, 1e6},
	} {
		n := int(math.Sqrt(float64(len(a))))
		outputs := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
			values, vectors := SymmetricEigen(in[0])
			return []*graph.Node{values, vectors}
		}, tensors.FromFlatDataAndDimensions(slices.Clone(a), n, n))
		got, vectors := tensors.MustCopyFlatData[float64](outputs[0]), mat.NewDense(n, n, tensors.MustCopyFlatData[float64](outputs[1]))
		var reference mat.EigenSym
		if !reference.Factorize(mat.NewSymDense(n, a), false) {
			t.Fatal(name)
		}
		norm := mat.Norm(mat.NewSymDense(n, a), 2)
		for i, want := range reference.Values(nil) {
			if math.Abs(got[i]-want) > 1e-13*(norm+1e-300)*float64(n) {
				t.Errorf("%s: value %d is %v, want %v", name, i, got[i], want)
			}
		}
		var left, right, gram mat.Dense
		left.Mul(mat.NewSymDense(n, a), vectors)
		right.Mul(vectors, mat.NewDiagDense(n, got))
		gram.Mul(vectors.T(), vectors)
		left.Sub(&left, &right)
		if residual := mat.Norm(&left, 2); residual > 1e-12*float64(n)*norm {
			t.Errorf("%s: |A V - V D| = %v", name, residual)
		}
		for i := range n {
			gram.Set(i, i, gram.At(i, i)-1)
		}
		if off := mat.Norm(&gram, 2); off > 1e-12*float64(n) {
			t.Errorf("%s: the vectors are not orthonormal: %v", name, off)
		}
	}
}

// A tournament is one in which each two meet once, and nobody twice in a round.
func TestTournament(t *testing.T) {
	for n := 2; n < 12; n++ {
		met := map[[2]int32]int{}
		for _, round := range tournament(n) {
			for i, j := range round {
				if round[j] != int32(i) {
					t.Fatalf("%d players: %d plays %d, who plays %d", n, i, j, round[j])
				}
				if j > int32(i) {
					met[[2]int32{int32(i), j}]++
				}
			}
		}
		if want := n * (n - 1) / 2; len(met) != want || slices.Max(slices.Collect(func(yield func(int) bool) {
			for _, times := range met {
				if !yield(times) {
					return
				}
			}
		})) != 1 {
			t.Errorf("%d players: the pairs met %v", n, fmt.Sprint(met))
		}
	}
}
