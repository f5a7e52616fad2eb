package boxes

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// NMS is greedy non-maximum suppression, exact, on many lists at once (images, levels, classes): boxes [L, N, 4] are sorted by
// descending score in each list, valid [L, N] masks padding. It returns [L, N] booleans: a valid box is kept unless its IoU with a
// kept box before it is greater than the threshold (equal is not enough). Nothing of it has a gradient.
func NMS(boxes, valid *Node, iouThreshold float64) (keep *Node) {
	return suppress(boxes, valid, nil, iouThreshold)
}

// NMSByClass is NMS in which a box suppresses only boxes of its own class; classes is [L, N] int32.
//
// The original moves the classes apart by an offset instead, which rounds the coordinates; here they keep their bits.
func NMSByClass(boxes, valid, classes *Node, iouThreshold float64) (keep *Node) {
	return suppress(boxes, valid, graph.StopGradient(classes), iouThreshold)
}

// suppress visits the boxes of all lists in order, one turn of the loop for each position: much faster than iterating on the
// matrix of all overlaps. classes may be nil.
func suppress(boxes, valid, classes *Node, iouThreshold float64) *Node {
	lists, n := boxes.Shape().Dim(0), boxes.Shape().Dim(1)
	valid.AssertDims(lists, n)
	valid = graph.StopGradient(valid)
	fixed := []*Node{graph.StopGradient(boxes)}
	if classes != nil {
		fixed = append(fixed, classes)
	}
	threshold := roundDown(iouThreshold)
	return forEach(validEnd(valid), []*Node{valid}, fixed, func(i *Node, changing, fixed []*Node) []*Node {
		g, keep, boxes := i.Graph(), changing[0], fixed[0]
		zero := graph.Const(g, int32(0))
		box := graph.DynamicSlice(boxes, []*Node{zero, i, zero}, []int{lists, 1, 4})
		kept := graph.DynamicSlice(keep, []*Node{zero, i}, []int{lists, 1})
		overlap := graph.Reshape(IoU(box, boxes), lists, n)
		later := graph.GreaterThan(graph.Iota(g, shapes.Make(dtypes.Int32, lists, n), 1), graph.BroadcastToDims(i, lists, n))
		loses := graph.LogicalAnd(later, graph.GreaterThan(overlap, graph.Const(g, threshold)))
		loses = graph.LogicalAnd(loses, graph.BroadcastToDims(kept, lists, n))
		if len(fixed) > 1 {
			classes := fixed[1]
			class := graph.DynamicSlice(classes, []*Node{zero, i}, []int{lists, 1})
			loses = graph.LogicalAnd(loses, graph.Equal(classes, graph.BroadcastToDims(class, lists, n)))
		}
		return []*Node{graph.LogicalAnd(keep, graph.LogicalNot(loses))}
	})[0]
}

// roundDown returns the largest float32 that is not above x: a float32 exceeds it exactly if it exceeds x, which is how the
// original compares (float32 overlaps, float64 threshold).
func roundDown(x float64) float32 {
	y := float32(x)
	if float64(y) > x {
		y = math.Nextafter32(y, float32(math.Inf(-1)))
	}
	return y
}
