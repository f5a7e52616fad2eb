package nn

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

type (
	// Node is a value of the graph.
	Node = graph.Node
	// Graph is a computation under construction.
	Graph = graph.Graph
)

// Conv is a square convolution with zero padding of half the kernel.
type Conv struct {
	// Out is the number of output channels, Kernel the kernel's side (odd).
	Out, Kernel int
	// Stride defaults to 1, Groups to 1.
	Stride, Groups int
	// Same pads as TensorFlow does for sizes that the stride divides: by kernel - stride in all,
	// the smaller half before, instead of by half the kernel on both sides. At stride 1 it is the
	// same. It is for kernels that see all channels or one (Groups is 1, or the number of
	// channels).
	Same bool
	// Bias adds a bias that starts at 0.
	Bias bool
	// Init starts the kernel.
	Init Init
}

// Apply convolves x [batch, height, width, in] with the scope's parameters "weight" and "bias" to
// [batch, ceil(height/stride), ceil(width/stride), out].
func (c Conv) Apply(scope *model.Scope, x *Node) *Node {
	c.Stride, c.Groups = max(c.Stride, 1), max(c.Groups, 1)
	in := x.Shape().Dim(-1)
	weight := Variable(scope, x.Graph(), "weight", c.Init, true, c.Kernel, c.Kernel, in/c.Groups, c.Out)
	y := c.convolve(x, weight)
	if c.Bias {
		bias := Variable(scope, x.Graph(), "bias", Constant(0), true, c.Out)
		y = graph.Add(y, graph.Reshape(bias, 1, 1, 1, c.Out))
	}
	return y
}

func (c Conv) convolve(x, weight *Node) *Node {
	onCPU := OnCPU(x.Graph()) && !short(x.Graph()) // what CPUs do otherwise is made for float32
	switch {
	case c.Kernel == 1 && c.Groups == 1:
		return c.pointwise(x, weight)
	case c.Groups == 1:
		if onCPU && c.Kernel == kernelSide && c.Stride == 1 && winogradPays(x, c.Out) {
			return newTiling(x, bandTiles).winograd(x, weight)
		}
		return c.dense(x, weight)
	case c.Groups == x.Shape().Dim(-1) && c.Groups == c.Out:
		return c.depthwise(x, weight)
	}
	if onCPU {
		return c.groupByGroup(x, weight)
	}
	xs, weights := graph.Split(x, -1, c.Groups), graph.Split(weight, -1, c.Groups)
	for i := range xs {
		xs[i] = c.dense(xs[i], weights[i])
	}
	return graph.Concatenate(xs, -1)
}

func (c Conv) dense(x, weight *Node) *Node {
	around := c.padding()
	if short(x.Graph()) {
		x, weight = toBFloat16(x), toBFloat16(weight)
	}
	y := graph.Convolve(x, weight).PaddingPerDim([][2]int{around, around}).Strides(c.Stride).Done()
	if short(x.Graph()) {
		y = graph.ConvertDType(y, dtypes.Float32)
	}
	return y
}

// padding is the number of zeros before and behind an axis.
func (c Conv) padding() [2]int {
	if all := c.Kernel - c.Stride; c.Same && all >= 0 {
		return [2]int{all / 2, all - all/2}
	}
	return [2]int{c.Kernel / 2, c.Kernel / 2}
}

// pointwise is a 1x1 convolution as a matrix product, whose kernel's gradient XLA's CPU backend computes up to four times faster.
func (c Conv) pointwise(x, weight *Node) *Node {
	if c.Stride > 1 {
		x = graph.Slice(x, graph.AxisRange(), graph.AxisRange().Stride(c.Stride), graph.AxisRange().Stride(c.Stride), graph.AxisRange())
	}
	dims := x.Shape().Dimensions
	rows, matrix := graph.Reshape(x, -1, dims[3]), graph.Reshape(weight, dims[3], c.Out)
	if short(x.Graph()) {
		return graph.Reshape(Product(rows, graph.Transpose(matrix, 0, 1)), dims[0], dims[1], dims[2], c.Out)
	}
	y := graph.Dot(rows, matrix).Product()
	if OnCPU(x.Graph()) {
		y = WithGradient(y, func(v *Node) []*Node {
			return []*Node{graph.DotGeneral(v, []int{1}, nil, matrix, []int{1}, nil), overRows(rows, v)}
		}, rows, matrix)
	}
	return graph.Reshape(y, dims[0], dims[1], dims[2], c.Out)
}

// Linear is y = x W^T + b with the scope's parameters "weight" [out, in] and "bias" [out]; x is [rows, in], the result
// [rows, out].
func Linear(scope *model.Scope, x *Node, out int, weightInit, biasInit Init) *Node {
	in := x.Shape().Dim(-1)
	weight := Variable(scope, x.Graph(), "weight", weightInit, true, out, in)
	bias := Variable(scope, x.Graph(), "bias", biasInit, true, out)
	return graph.Add(Product(x, weight), graph.Reshape(bias, 1, out))
}

// ReLU is max(0, x). The order of the operands matters: with the constant first the gradient at exactly 0 is 0, as in PyTorch, and
// exact zeros are common on dark or masked pixels.
func ReLU(x *Node) *Node { return graph.Max(graph.ScalarZero(x.Graph(), x.DType()), x) }
