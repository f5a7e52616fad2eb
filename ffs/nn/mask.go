package nn

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Mask zeroes x [batch, height, width, channels] beyond each image's extent [batch, 2] int32, its
// (height, width) in pixels of the map. With a nil extent, it returns x.
//
// Images of several sizes share one compiled canvas. With the margin masked before each convolution
// of more than one pixel, the network computes what it computes for an image alone.
func Mask(x, extent *graph.Node) *graph.Node {
	if extent == nil {
		return x
	}
	valid := graph.ConvertDType(InExtent(extent, x.Shape().Dim(1), x.Shape().Dim(2)), x.DType())
	return graph.Mul(x, graph.StopGradient(graph.InsertAxes(valid, -1)))
}

// InExtent returns [batch, height, width] bool: whether the pixel lies within its image's extent
// [batch, 2] int32.
func InExtent(extent *graph.Node, height, width int) *graph.Node {
	g, batch := extent.Graph(), extent.Shape().Dim(0)
	inside := func(axis, size int) *graph.Node {
		limit := graph.Reshape(graph.Slice(extent, graph.AxisRange(), graph.AxisElem(axis)), batch, 1)
		position := graph.Iota(g, shapes.Make(dtypes.Int32, batch, size), 1)
		return graph.LessThan(position, graph.BroadcastToDims(limit, batch, size))
	}
	rows := graph.BroadcastToDims(graph.Reshape(inside(0, height), batch, height, 1), batch, height, width)
	columns := graph.BroadcastToDims(graph.Reshape(inside(1, width), batch, 1, width), batch, height, width)
	return graph.LogicalAnd(rows, columns)
}

// ExtentAt returns the extent [batch, 2] int32 of images of the given sizes [batch, 2] int32 on a
// feature map of the given stride: ceil(padded size / stride), where sizes are padded to multiples
// of 32, as detectron2 pads a single image.
func ExtentAt(sizes *graph.Node, stride int) *graph.Node {
	roundUp := func(x *graph.Node, n int) *graph.Node {
		step := graph.Const(x.Graph(), int32(n))
		return graph.Div(graph.Add(x, graph.Const(x.Graph(), int32(n-1))), step)
	}
	padded := graph.Mul(roundUp(sizes, 32), graph.Const(sizes.Graph(), int32(32)))
	return roundUp(padded, stride)
}
