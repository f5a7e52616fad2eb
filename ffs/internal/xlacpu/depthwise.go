package xlacpu

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/graphs"
)

// depthwise is a convolution of every channel with a kernel of its own.
//
// It is a sum of shifted inputs, each times one pixel of the kernel, which XLA makes one loop of.
// XLA's own grouped convolution took 10 to 100 times as long on a busy CPU, and its gradients from
// a quarter of a second to a minute and a half (BenchmarkDepthwise).
type depthwise struct {
	Conv
	kernel int
}

// apply convolves x [batch, height, width, channels] with weight [kernel, kernel, 1, channels].
func (c depthwise) apply(x, weight *graph.Node) *graph.Node {
	d := x.Shape().Dimensions
	height, width := ceilDiv(d[1], c.Stride), ceilDiv(d[2], c.Stride)
	padded := c.padded(x)
	y := sumOfShifts(padded, weight, c.Stride, height, width)
	return graphs.WithGradient(y, func(v *graph.Node) []*graph.Node {
		return []*graph.Node{c.inputGradient(weight, v, d[1], d[2]), c.kernelGradient(padded, v)}
	}, x, weight)
}

// padded adds the zeros around x that the results of the stride reach.
func (c depthwise) padded(x *graph.Node) *graph.Node {
	pad := func(size int) compute.PadAxis {
		before := c.Padding[0]
		return compute.PadAxis{Start: before, End: (ceilDiv(size, c.Stride)-1)*c.Stride + c.kernel - size - before}
	}
	d := x.Shape().Dimensions
	return graph.Pad(x, graph.Const(x.Graph(), float32(0)), compute.PadAxis{}, pad(d[1]), pad(d[2]), compute.PadAxis{})
}

// sumOfShifts is the depthwise convolution of the padded x, with results [batch, height, width,
// channels].
func sumOfShifts(x, weight *graph.Node, stride, height, width int) *graph.Node {
	kernel := weight.Shape().Dim(0)
	var sum *graph.Node
	for i := range kernel {
		for j := range kernel {
			part := graph.Slice(x, graph.AxisRange(), every(i, height, stride), every(j, width, stride), graph.AxisRange())
			part = graph.Mul(part, graph.Slice(weight, graph.AxisElem(i), graph.AxisElem(j), graph.AxisRange(), graph.AxisRange()))
			if sum == nil {
				sum = part
			} else {
				sum = graph.Add(sum, part)
			}
		}
	}
	return sum
}

// every selects n elements, a stride apart.
func every(from, n, stride int) graph.SliceAxisSpec {
	return graph.AxisRange(from, from+(n-1)*stride+1).Stride(stride)
}

// inputGradient is the gradient of the input [batch, height, width, channels] for v, that of the
// result: v, spread by the stride, convolved with the kernel turned by 180 degrees.
func (c depthwise) inputGradient(weight, v *graph.Node, height, width int) *graph.Node {
	pad := func(size, results int) compute.PadAxis {
		before := c.Padding[0]
		spread := (results-1)*c.Stride + 1
		return compute.PadAxis{Start: c.kernel - 1 - before, End: size + before - spread, Interior: c.Stride - 1}
	}
	d := v.Shape().Dimensions
	v = graph.Pad(v, graph.Const(v.Graph(), float32(0)), compute.PadAxis{}, pad(height, d[1]), pad(width, d[2]), compute.PadAxis{})
	return sumOfShifts(v, graph.Reverse(weight, 0, 1), 1, height, width)
}

// kernelGradient is the gradient [kernel, kernel, 1, channels] of the kernel for the padded input
// and v [batch, height, width, channels], that of the result. A loop adds up the rows of all images
// for each column of the kernel; the sum along a row, which remains, is small. A reduction over
// images, rows and columns at once goes from pixel to pixel in its innermost step and takes several
// times as long.
func (c depthwise) kernelGradient(padded, v *graph.Node) *graph.Node {
	g, d := v.Graph(), v.Shape().Dimensions
	batch, height, width, channels := d[0], d[1], d[2], d[3]
	sums := make([]*graph.Node, c.kernel) // [kernel, width, channels] for each column of the kernel
	for j := range sums {
		sums[j] = graph.Zeros(g, shapes.Make(v.DType(), c.kernel, width, channels))
	}
	begin, end := graph.Const(g, int32(0)), graph.Const(g, int32(batch*height))
	sums = graphs.ForEach(begin, end, sums, []*graph.Node{padded, v}, func(i *graph.Node, sums, fixed []*graph.Node) []*graph.Node {
		constant := func(n int) *graph.Node { return graph.Const(i.Graph(), int32(n)) }
		image := graph.Div(i, constant(height))
		row := graph.Sub(i, graph.Mul(image, constant(height)))
		rows := func(x, from *graph.Node, n int) *graph.Node { // [n, width of x, channels]
			part := graph.DynamicSlice(x, []*graph.Node{image, from, constant(0), constant(0)}, []int{1, n, x.Shape().Dim(2), channels})
			return graph.Reshape(part, n, -1, channels)
		}
		seen := rows(fixed[0], graph.Mul(row, constant(c.Stride)), c.kernel)
		of := graph.BroadcastToDims(rows(fixed[1], row, 1), c.kernel, width, channels)
		out := make([]*graph.Node, c.kernel)
		for j := range out {
			part := graph.Slice(seen, graph.AxisRange(), every(j, width, c.Stride), graph.AxisRange())
			out[j] = graph.Add(sums[j], graph.Mul(part, of))
		}
		return out
	})
	for j := range sums {
		sums[j] = graph.Reshape(graph.ReduceSum(sums[j], 1), c.kernel, 1, 1, channels)
	}
	return graph.Concatenate(sums, 1)
}
