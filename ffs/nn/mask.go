package nn

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Mask zeroes what lies beyond each image's extent: x is [batch, height, width, channels], extent [batch, 2] int32 holds the valid
// (height, width) at the map's stride. A nil extent means that all of the map is valid.
//
// Images of several sizes share one compiled canvas; with the margin held at zero before every 3x3 convolution, they
// see what they would see alone.
func Mask(x, extent *Node) *Node {
	if extent == nil {
		return x
	}
	valid := graph.ConvertDType(InExtent(extent, x.Shape().Dim(1), x.Shape().Dim(2)), x.DType())
	return graph.Mul(x, graph.StopGradient(graph.InsertAxes(valid, -1)))
}

// InExtent returns [batch, height, width] booleans: whether the pixel lies within its image's extent [batch, 2] int32.
func InExtent(extent *Node, height, width int) *Node {
	g, batch := extent.Graph(), extent.Shape().Dim(0)
	inside := func(axis, size int) *Node {
		limit := graph.Reshape(graph.Slice(extent, graph.AxisRange(), graph.AxisElem(axis)), batch, 1)
		position := graph.Iota(g, shapes.Make(dtypes.Int32, batch, size), 1)
		return graph.LessThan(position, graph.BroadcastToDims(limit, batch, size))
	}
	rows := graph.BroadcastToDims(graph.Reshape(inside(0, height), batch, height, 1), batch, height, width)
	columns := graph.BroadcastToDims(graph.Reshape(inside(1, width), batch, 1, width), batch, height, width)
	return graph.LogicalAnd(rows, columns)
}

// ExtentAt returns the extent [batch, 2] of images of the given sizes [batch, 2] (both (height, width), int32) on a feature map of the
// given stride: ceil(padded size / stride), where the size is padded to a multiple of 32 as detectron2 pads an image that is alone.
func ExtentAt(sizes *Node, stride int) *Node {
	roundUp := func(x *Node, n int) *Node {
		step := graph.Const(x.Graph(), int32(n))
		return graph.Div(graph.Add(x, graph.Const(x.Graph(), int32(n-1))), step)
	}
	padded := graph.Mul(roundUp(sizes, 32), graph.Const(sizes.Graph(), int32(32)))
	return roundUp(padded, stride)
}
