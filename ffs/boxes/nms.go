package boxes

import (
	"fmt"
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/dtypes/bfloat16"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/graphs"
	"ffslab/ffs/internal/xlacpu"
)

// NMS is exact greedy non-maximum suppression on many lists at once (images, levels, classes).
// Boxes [L, N, 4] are sorted by descending score in each list; valid [L, N] masks padding. It
// returns [L, N] bool: a valid box is kept unless its IoU with a kept box before it exceeds the
// threshold. The result has no gradient.
//
// There are two implementations. On a CPU, the matrix of all overlaps is ten times slower. On a
// GPU, each iteration of a loop costs a round trip to the host.
func NMS(boxes, valid *graph.Node, iouThreshold float64) (keep *graph.Node) {
	boxes, valid = graph.StopGradient(boxes), graph.StopGradient(valid)
	valid.AssertDims(boxes.Shape().Dim(0), boxes.Shape().Dim(1))
	if xlacpu.Wanted(boxes.Graph()) {
		return suppressInOrder(boxes, valid, roundDown(iouThreshold))
	}
	return suppressAtOnce(boxes, valid, roundDown(iouThreshold))
}

// suppressInOrder visits the boxes of all lists in order, one position in each iteration of a loop.
func suppressInOrder(boxes, valid *graph.Node, threshold float32) *graph.Node {
	lists, n := boxes.Shape().Dim(0), boxes.Shape().Dim(1)
	return graphs.ForEach(graph.Const(boxes.Graph(), int32(0)), validEnd(valid), []*graph.Node{valid}, []*graph.Node{boxes}, func(i *graph.Node, changing, fixed []*graph.Node) []*graph.Node {
		g, keep, boxes := i.Graph(), changing[0], fixed[0]
		zero := graph.Const(g, int32(0))
		box := graph.DynamicSlice(boxes, []*graph.Node{zero, i, zero}, []int{lists, 1, 4})
		kept := graph.DynamicSlice(keep, []*graph.Node{zero, i}, []int{lists, 1})
		overlap := graph.Reshape(IoU(box, boxes), lists, n)
		later := graph.GreaterThan(graph.Iota(g, shapes.Make(dtypes.Int32, lists, n), 1), graph.BroadcastToDims(i, lists, n))
		loses := graph.LogicalAnd(later, graph.GreaterThan(overlap, graph.Const(g, threshold)))
		loses = graph.LogicalAnd(loses, graph.BroadcastToDims(kept, lists, n))
		return []*graph.Node{graph.LogicalAnd(keep, graph.LogicalNot(loses))}
	})[0]
}

// suppressAtOnce keeps the valid boxes that no kept box before them suppresses, all at once, and
// iterates to the fixed point, which is the result of greedy suppression. The number of iterations
// is the length of the longest chain of boxes of which each decides the next: about twelve for
// proposals. Memory: [L, N, N] bfloat16.
func suppressAtOnce(boxes, valid *graph.Node, threshold float32) *graph.Node {
	g, lists, n := boxes.Graph(), boxes.Shape().Dim(0), boxes.Shape().Dim(1)
	loses := graph.GreaterThan(IoU(boxes, boxes), graph.Const(g, threshold)) // [L, N, N]: the second box to the first
	square := shapes.Make(dtypes.Int32, n, n)
	after := graph.GreaterThan(graph.Iota(g, square, 1), graph.Iota(g, square, 0))
	loses = graph.LogicalAnd(loses, graph.BroadcastToDims(graph.InsertAxes(after, 0), lists, n, n))
	// The body of a loop cannot reduce, so products with 0 and 1 replace "any". They never round to
	// 0.
	number := func(x *graph.Node) *graph.Node { return graph.ConvertDType(x, dtypes.BFloat16) }
	state := []*graph.Node{graph.Const(g, true), valid, valid, number(loses)} // changed, keep, valid, loses
	parameters := func(g *graph.Graph) (nodes []*graph.Node) {
		for i, node := range state {
			nodes = append(nodes, graph.Parameter(g, fmt.Sprintf("state%d", i), node.Shape()))
		}
		return nodes
	}
	condition := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node { return parameters(g)[:1] })
	step := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		s := parameters(g)
		keep, valid, loses := s[1], s[2], s[3]
		zero := graph.Const(g, bfloat16.FromFloat32(0))
		lost := graph.GreaterThan(graph.DotGeneral(number(keep), []int{1}, []int{0}, loses, []int{1}, []int{0}), zero)
		next := graph.LogicalAnd(valid, graph.LogicalNot(lost))
		changes := graph.Reshape(number(graph.LogicalXor(next, keep)), lists*n)
		changed := graph.GreaterThan(graph.DotGeneral(changes, []int{0}, nil, changes, []int{0}, nil), zero)
		return []*graph.Node{changed, next, valid, loses}
	})
	return graph.While(condition, step, state...)[1]
}

// roundDown returns the largest float32 that is at most x. A float32 exceeds it exactly if it
// exceeds x, so comparisons agree with the original's (float32 overlaps, float64 threshold).
func roundDown(x float64) float32 {
	y := float32(x)
	if float64(y) > x {
		y = math.Nextafter32(y, float32(math.Inf(-1)))
	}
	return y
}

// validEnd returns the int32 scalar 1 + the last position at which any of the lists [L, N] is
// valid, 0 if none is.
func validEnd(valid *graph.Node) *graph.Node {
	position := graph.Iota(valid.Graph(), shapes.Make(dtypes.Int32, valid.Shape().Dimensions...), 1)
	return graph.ReduceAllMax(graph.Where(valid, graph.AddScalar(position, 1), graph.ZerosLike(position)))
}
