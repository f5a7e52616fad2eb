package boxes

import "github.com/gomlx/gomlx/core/graph"

// IoU returns the intersection over union [..., N, M] of each pair of boxes a [..., N, 4] and b
// [..., M, 4]; leading axes are equal or 1. Boxes that do not intersect have 0, even if the union
// is empty. On a CPU the numbers are detectron2's to the bit. On an H200 one quotient of the tests,
// 30/100, is off by one unit in the last place, even when divided in float64 and rounded.
func IoU(a, b *graph.Node) *graph.Node {
	column := func(i int) *graph.Node { return graph.InsertAxes(coordinate(a, i), -1) }
	row := func(i int) *graph.Node { return graph.InsertAxes(coordinate(b, i), -2) }
	zero := graph.Const(a.Graph(), float32(0)) // not a cached scalar, which the body of a loop cannot share

	width := graph.Max(graph.Sub(graph.Min(column(2), row(2)), graph.Max(column(0), row(0))), zero)
	height := graph.Max(graph.Sub(graph.Min(column(3), row(3)), graph.Max(column(1), row(1))), zero)
	intersection := rounded(graph.Mul(width, height))
	union := graph.Sub(
		graph.Add(graph.InsertAxes(rounded(Area(a)), -1), graph.InsertAxes(rounded(Area(b)), -2)),
		intersection)
	overlap := graph.GreaterThan(intersection, zero)
	return graph.Where(overlap, graph.Div(intersection, union), zero)
}

// rounded returns the product x unchanged, but keeps the compiler from fusing it with a sum into
// one multiply-add. Depending on the surrounding code, one pair of boxes would otherwise have
// overlaps that differ in the last bit, and ties, which decide matches, would be lost.
func rounded(x *graph.Node) *graph.Node {
	return graph.Max(x, graph.Const(x.Graph(), float32(0)))
}
