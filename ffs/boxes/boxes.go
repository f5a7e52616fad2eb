// Package boxes implements the geometry of boxes as graph functions: areas and overlaps, the coding
// of a box relative to another, matching to the ground truth, and non-maximum suppression.
//
// A box is (x1, y1, x2, y2) in pixels of the image that the network sees, in continuous
// coordinates: no +1 in its width. Every function works on a batch; lists of varying length are
// padded, and a mask marks the real entries. Semantics are detectron2's.
package boxes

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Area returns the areas [..., N] of boxes [..., N, 4]. An area is negative if exactly one side is.
func Area(boxes *graph.Node) *graph.Node {
	return graph.Mul(
		graph.Sub(coordinate(boxes, 2), coordinate(boxes, 0)),
		graph.Sub(coordinate(boxes, 3), coordinate(boxes, 1)))
}

// NonEmpty returns whether each box of [..., N, 4] has a positive width and height: [..., N] bool,
// false for a box with a NaN.
func NonEmpty(boxes *graph.Node) *graph.Node {
	return graph.LogicalAnd(
		graph.GreaterThan(coordinate(boxes, 2), coordinate(boxes, 0)),
		graph.GreaterThan(coordinate(boxes, 3), coordinate(boxes, 1)))
}

// Clip clips boxes [batch, N, 4] to their images, whose sizes [batch, 2] int32 are (height, width).
func Clip(boxes, sizes *graph.Node) *graph.Node {
	g, batch := boxes.Graph(), boxes.Shape().Dim(0)
	limits := graph.ConvertDType(sizes, dtypes.Float32)
	height, width := graph.SliceAxis(limits, 1, graph.AxisElem(0)), graph.SliceAxis(limits, 1, graph.AxisElem(1))
	limits = graph.Reshape(graph.Concatenate([]*graph.Node{width, height, width, height}, 1), batch, 1, 4)
	return graph.Min(graph.Max(boxes, graph.Const(g, float32(0))), limits)
}

// Take picks rows of each image: out[b, k] = x[b, index[b, k]], for x [batch, N, ...] and index
// [batch, K] int32.
func Take(x, index *graph.Node) *graph.Node {
	batch, k := index.Shape().Dim(0), index.Shape().Dim(1)
	image := graph.Iota(x.Graph(), shapes.Make(dtypes.Int32, batch, k, 1), 0)
	return graph.Gather(x, graph.Concatenate([]*graph.Node{image, graph.InsertAxes(index, -1)}, -1))
}

// coordinate returns one column [..., N] of boxes [..., N, 4].
func coordinate(boxes *graph.Node, i int) *graph.Node {
	return graph.Squeeze(graph.SliceAxis(boxes, -1, graph.AxisElem(i)), -1)
}
