package boxes

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
)

// logScaleLimit bounds the logarithm of the factor by which decoding may enlarge a box
// (detectron2's scale clamp).
var logScaleLimit = math.Log(1000.0 / 16)

// Coder encodes a box relative to another: the shift of the centre in units of the source's sides,
// and the logarithms of the ratios of the sides, each times its weight (Girshick et al., "Rich
// feature hierarchies", CVPR 2014, appendix C).
type Coder struct {
	// Weights multiply dx, dy, dw and dh.
	Weights [4]float64
}

// Encode returns the deltas [..., N, 4] that turn the boxes src into target, both [..., N, 4]; axes
// may be 1 in one of them. An empty box gives infinities or NaNs.
func (c Coder) Encode(src, target *graph.Node) *graph.Node {
	srcCentre, srcSize := centreSize(src)
	centre, size := centreSize(target)
	shift := graph.Div(graph.Sub(centre, srcCentre), srcSize)
	scale := graph.Log(graph.Div(size, srcSize))
	return graph.Mul(graph.Concatenate([]*graph.Node{shift, scale}, -1), c.weights(src))
}

// Decode applies deltas [..., N, 4*C] to the boxes [..., N, 4] and returns C boxes for each, [...,
// N, 4*C]. A side grows to at most 62.5 times its length.
func (c Coder) Decode(deltas, boxes *graph.Node) *graph.Node {
	dims := deltas.Shape().Dimensions
	last := len(dims) - 1
	groups := append(append([]int{}, dims[:last]...), dims[last]/4, 4)
	deltas = graph.Reshape(deltas, groups...)
	deltas = graph.Div(deltas, c.weights(deltas))
	centre, size := centreSize(graph.InsertAxes(boxes, -2))

	centre = graph.Add(graph.Mul(pair(deltas, 0), size), centre)
	scale := graph.Min(pair(deltas, 2), graph.Const(deltas.Graph(), float32(logScaleLimit)))
	half := graph.MulScalar(graph.Mul(graph.Exp(scale), size), 0.5)
	decoded := graph.Concatenate([]*graph.Node{graph.Sub(centre, half), graph.Add(centre, half)}, -1)
	return graph.Reshape(decoded, dims...)
}

// weights returns the weights as a constant that broadcasts over x [..., 4].
func (c Coder) weights(x *graph.Node) *graph.Node {
	w := c.Weights
	values := []float32{float32(w[0]), float32(w[1]), float32(w[2]), float32(w[3])}
	return graph.ExpandLeftToRank(graph.Const(x.Graph(), values), x.Rank())
}

// centreSize returns the centres (x, y) and the sizes (width, height) of boxes [..., 4], both [...,
// 2].
func centreSize(boxes *graph.Node) (centre, size *graph.Node) {
	size = graph.Sub(pair(boxes, 2), pair(boxes, 0))
	return graph.Add(pair(boxes, 0), graph.MulScalar(size, 0.5)), size
}

// pair returns the elements from and from+1 of the last axis of x [..., 4].
func pair(x *graph.Node, from int) *graph.Node {
	return graph.SliceAxis(x, -1, graph.AxisRange(from, from+2))
}
