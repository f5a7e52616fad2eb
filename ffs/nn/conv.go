package nn

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/xlacpu"
)

// Conv is a square convolution with zero padding of half the kernel.
type Conv struct {
	// Out is the number of output channels, Kernel the kernel's side (odd).
	Out, Kernel int
	// Stride defaults to 1, Groups to 1.
	Stride, Groups int
	// Same pads as TensorFlow does for sizes that the stride divides: by kernel - stride in all,
	// the smaller half before, instead of by half the kernel on both sides. At stride 1 both are
	// the same. Groups must be 1 or the number of channels.
	Same bool
	// Bias adds a bias that starts at 0.
	Bias bool
	// Init starts the kernel.
	Init Init
}

// Apply convolves x [batch, height, width, in] with the scope's parameters "weight" [kernel,
// kernel, in/groups, out] and "bias" [out] to [batch, ceil(height/stride), ceil(width/stride),
// out].
func (c Conv) Apply(scope *model.Scope, x *graph.Node) *graph.Node {
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

func (c Conv) convolve(x, weight *graph.Node) *graph.Node {
	// Depthwise, GoMLX's gradient would be one convolution for each channel.
	depthwise := c.Groups > 1 && c.Groups == x.Shape().Dim(-1) && c.Groups == c.Out
	if depthwise || xlacpu.Wanted(x.Graph()) && !short(x.Graph()) {
		return xlacpu.Conv{Stride: c.Stride, Groups: c.Groups, Padding: c.padding()}.Apply(x, weight)
	}
	if c.Kernel == 1 && c.Groups == 1 {
		return c.pointwise(x, weight)
	}
	xs, weights := graph.Split(x, -1, c.Groups), graph.Split(weight, -1, c.Groups)
	for i := range xs {
		xs[i] = c.dense(xs[i], weights[i])
	}
	return graph.Concatenate(xs, -1)
}

func (c Conv) dense(x, weight *graph.Node) *graph.Node {
	if short(x.Graph()) {
		x, weight = toBFloat16(x), toBFloat16(weight)
	}
	around := c.padding()
	y := graph.Convolve(x, weight).PaddingPerDim([][2]int{around, around}).Strides(c.Stride).Done()
	return graph.ConvertDType(y, dtypes.Float32)
}

// padding is the number of zeros before and behind each axis.
func (c Conv) padding() [2]int {
	if all := c.Kernel - c.Stride; c.Same && all >= 0 {
		return [2]int{all / 2, all - all/2}
	}
	return [2]int{c.Kernel / 2, c.Kernel / 2}
}

// pointwise is a 1x1 convolution as a matrix product.
func (c Conv) pointwise(x, weight *graph.Node) *graph.Node {
	x = graph.Slice(x, graph.AxisRange(), graph.AxisRange().Stride(c.Stride), graph.AxisRange().Stride(c.Stride), graph.AxisRange())
	d := x.Shape().Dimensions
	rows, matrix := graph.Reshape(x, -1, d[3]), graph.Reshape(weight, d[3], c.Out)
	return graph.Reshape(Product(rows, graph.Transpose(matrix, 0, 1)), d[0], d[1], d[2], c.Out)
}

// Linear is y = x W^T + b with the scope's parameters "weight" [out, in] and "bias" [out]; x is
// [rows, in], the result [rows, out].
func Linear(scope *model.Scope, x *graph.Node, out int, weightInit, biasInit Init) *graph.Node {
	in := x.Shape().Dim(-1)
	weight := Variable(scope, x.Graph(), "weight", weightInit, true, out, in)
	bias := Variable(scope, x.Graph(), "bias", biasInit, true, out)
	return graph.Add(Product(x, weight), graph.Reshape(bias, 1, out))
}

// ReLU is max(0, x). Its gradient at exactly 0, which is common on dark or masked pixels, is 0 as
// in PyTorch, because the constant is the first operand.
func ReLU(x *graph.Node) *graph.Node { return graph.Max(graph.ScalarZero(x.Graph(), x.DType()), x) }
