package linalg

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// sweeps of Jacobi's method, which converges quadratically in the end, diagonalise matrices of up
// to a few hundred rows to rounding.
const sweeps = 12

// SymmetricEigen rerotates the eigenvalues [n] of a symmetric matrix [n, n] in ascending order, and
// its eigenvectors as the columns of an orthogonal matrix [n, n]. It has no gradient.
//
// It is Jacobi's method. A sweep pairs the rows in n-1 rounds of a tournament, so that the
// rotations of a round touch different rows and are one matrix product (Golub and Van Loan, "Matrix
// Computations", section 8.5).
func SymmetricEigen(matrix *graph.Node) (values, vectors *graph.Node) {
	g, n, dtype := matrix.Graph(), matrix.Shape().Dim(0), matrix.DType()
	matrix.AssertDims(n, n)
	matrix = graph.StopGradient(matrix)
	if n == 1 {
		return graph.Reshape(matrix, 1), graph.OnesLike(matrix)
	}
	partners := tournament(n)
	rounds := len(partners)
	state := func(g *graph.Graph) (round, matrix, vectors, partners *graph.Node) {
		square := shapes.Make(dtype, n, n)
		round = graph.Parameter(g, "round", shapes.Make(dtypes.Int32))
		matrix, vectors = graph.Parameter(g, "matrix", square), graph.Parameter(g, "vectors", square)
		return round, matrix, vectors, graph.Parameter(g, "partners", shapes.Make(dtypes.Int32, rounds, n))
	}
	condition := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		round, _, _, _ := state(g)
		return []*graph.Node{graph.LessThan(round, graph.Const(g, int32(sweeps*rounds)))}
	})
	body := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		round, matrix, vectors, partners := state(g)
		rotation := rotate(matrix, partnersOf(partners, round))
		product := func(a *graph.Node, axisA int, b *graph.Node, axisB int) *graph.Node {
			return graph.DotGeneral(a, []int{axisA}, nil, b, []int{axisB}, nil)
		}
		rotated := product(rotation, 0, product(matrix, 1, rotation, 0), 0)
		// Remove the asymmetry of rounding.
		rotated = graph.Mul(graph.Add(rotated, graph.Transpose(rotated, 0, 1)), constant(g, dtype, 0.5))
		return []*graph.Node{graph.Add(round, graph.Const(g, int32(1))), rotated, product(vectors, 1, rotation, 0), partners}
	})
	end := graph.While(condition, body, graph.Const(g, int32(0)), matrix, identity(matrix), graph.Const(g, partners))
	values = graph.ReduceSum(graph.Mul(end[1], identity(end[1])), -1)
	values, order := graph.BottomK(graph.StopGradient(values), n, 0)
	vectors = graph.Transpose(graph.Gather(graph.Transpose(graph.StopGradient(end[2]), 0, 1), graph.InsertAxes(order, -1)), 0, 1)
	return graph.StopGradient(values), graph.StopGradient(vectors)
}

// rotate rerotates the orthogonal matrix J [n, n] for which J^T matrix J is 0 at (i, partner[i])
// for all i. partner [1, n] is its own inverse. It is built inside a loop, which allows neither
// reductions nor cached scalars.
func rotate(matrix, partner *graph.Node) *graph.Node {
	g, n, dtype := matrix.Graph(), matrix.Shape().Dim(0), matrix.DType()
	column := func(x *graph.Node) *graph.Node { return graph.BroadcastToDims(graph.Reshape(x, n, 1), n, n) }
	full := func(value float64) *graph.Node { return graph.BroadcastToDims(constant(g, dtype, value), n) }
	ones := full(1)
	sum := func(x *graph.Node) *graph.Node { return graph.DotGeneral(x, []int{1}, nil, ones, []int{0}, nil) } // of each row
	index := graph.Iota(g, shapes.Make(dtypes.Int32, n), 0)
	partner = graph.Reshape(partner, n)
	pairs := graph.ConvertDType(graph.Equal(graph.Iota(g, shapes.Make(dtypes.Int32, n, n), 1), column(partner)), dtype)
	own := sum(graph.Mul(matrix, identity(matrix)))
	other := graph.DotGeneral(pairs, []int{1}, nil, own, []int{0}, nil)
	off := sum(graph.Mul(matrix, pairs))

	zero := full(0)
	rotates := graph.LogicalAnd(graph.NotEqual(partner, index), graph.NotEqual(off, zero))
	tau := graph.Div(graph.Sub(other, own), graph.Mul(full(2), graph.Where(rotates, off, ones)))
	first := graph.Where(graph.LessThan(index, partner), ones, full(-1))
	sign := graph.Where(graph.Equal(tau, zero), first, graph.Sign(tau)) // the two rows of a pair must disagree
	tangent := graph.Div(sign, graph.Add(graph.Abs(tau), graph.Sqrt(graph.Add(ones, graph.Mul(tau, tau)))))
	tangent = graph.Where(rotates, tangent, zero)
	cosine := graph.Div(ones, graph.Sqrt(graph.Add(ones, graph.Mul(tangent, tangent))))
	sine := graph.Where(rotates, graph.Mul(tangent, cosine), zero)
	return graph.Add(graph.Mul(identity(matrix), column(cosine)), graph.Mul(pairs, column(sine)))
}

// partnersOf returns the row [1, n] of a round, counted over all sweeps.
func partnersOf(partners, round *graph.Node) *graph.Node {
	g, rounds, n := partners.Graph(), partners.Shape().Dim(0), partners.Shape().Dim(1)
	row := graph.Mod(round, graph.Const(g, int32(rounds)))
	return graph.DynamicSlice(partners, []*graph.Node{row, graph.Const(g, int32(0))}, []int{1, n})
}

// tournament pairs n players in rounds so that any two meet once (the circle method): [rounds][n],
// the partner of each, itself for one who pauses.
func tournament(n int) [][]int32 {
	even := n + n%2
	rounds := make([][]int32, even-1)
	for r := range rounds {
		rounds[r] = make([]int32, n)
		pair := func(a, b int) {
			switch {
			case a < n && b < n:
				rounds[r][a], rounds[r][b] = int32(b), int32(a)
			case a < n:
				rounds[r][a] = int32(a)
			case b < n:
				rounds[r][b] = int32(b)
			}
		}
		pair(even-1, r)
		for k := 1; k < even/2; k++ {
			pair((r+k)%(even-1), (r-k+even-1)%(even-1))
		}
	}
	return rounds
}

// constant returns a scalar that the graph does not cache, so that a loop can use it.
func constant(g *graph.Graph, dtype dtypes.DType, value float64) *graph.Node {
	return graph.ConvertDType(graph.Const(g, value), dtype)
}

// identity is the identity matrix of the shape [n, n] of x.
func identity(x *graph.Node) *graph.Node {
	index := func(axis int) *graph.Node {
		return graph.Iota(x.Graph(), shapes.Make(dtypes.Int32, x.Shape().Dimensions...), axis)
	}
	return graph.ConvertDType(graph.Equal(index(0), index(1)), x.DType())
}
