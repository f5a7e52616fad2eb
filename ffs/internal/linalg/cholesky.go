// Package linalg implements matrix decompositions that GoMLX lacks as graph functions.
package linalg

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Cholesky returns the lower triangular L [n, n] with L L^T = matrix, column by column. No
// eigenvalue of the matrix may be less than least. A pivot that rounding makes smaller is raised to
// least and the rest of its column dropped, so that L is always finite. It has no gradient.
//
// GoMLX does not expose XLA's own operation. Closures of loops cannot capture nodes, so the matrix
// is part of the loop state.
func Cholesky(matrix *graph.Node, least float64) *graph.Node {
	g, n := matrix.Graph(), matrix.Shape().Dim(0)
	matrix = graph.StopGradient(matrix)
	state := func(g *graph.Graph) (column, factor, matrix *graph.Node) {
		square := shapes.Make(dtypes.Float32, n, n)
		column = graph.Parameter(g, "column", shapes.Make(dtypes.Int32))
		return column, graph.Parameter(g, "factor", square), graph.Parameter(g, "matrix", square)
	}
	condition := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		column, _, _ := state(g)
		return []*graph.Node{graph.LessThan(column, graph.Const(g, int32(n)))}
	})
	body := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		column, factor, matrix := state(g)
		zero := graph.Const(g, int32(0))
		known := graph.DynamicSlice(factor, []*graph.Node{column, zero}, []int{1, n}) // row `column` of the columns before it
		rest := graph.Sub(
			graph.DynamicSlice(matrix, []*graph.Node{zero, column}, []int{n, 1}),
			graph.DotGeneral(factor, []int{1}, nil, known, []int{1}, nil))
		spread := func(x *graph.Node) *graph.Node { return graph.BroadcastToDims(x, n, 1) }
		pivot := graph.DynamicSlice(rest, []*graph.Node{column, zero}, []int{1, 1})
		floor := graph.Const(g, [][]float32{{float32(least)}})
		sound := graph.GreaterOrEqual(pivot, floor)
		root := spread(graph.Sqrt(graph.Max(pivot, floor)))
		row := graph.Iota(g, shapes.Make(dtypes.Int32, n, 1), 0)
		below := graph.LogicalAnd(graph.GreaterThan(row, spread(column)), spread(sound))
		values := graph.Where(below, graph.Div(rest, root), spread(graph.Const(g, float32(0))))
		values = graph.Where(graph.Equal(row, spread(column)), root, values)
		return []*graph.Node{
			graph.Add(column, graph.Const(g, int32(1))),
			graph.DynamicUpdateSlice(factor, values, []*graph.Node{zero, column}),
			matrix,
		}
	})
	empty := graph.Zeros(g, matrix.Shape())
	return graph.StopGradient(graph.While(condition, body, graph.Const(g, int32(0)), empty, matrix)[1])
}
