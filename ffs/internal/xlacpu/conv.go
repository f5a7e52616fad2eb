package xlacpu

import (
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/graphs"
)

// Conv is a square convolution without bias.
type Conv struct {
	Stride, Groups int
	// Padding counts the zeros before and behind each axis. It is half the kernel unless Groups is
	// 1 or the number of channels.
	Padding [2]int
}

// Apply convolves x [batch, height, width, in] with weight [kernel, kernel, in/groups, out] to
// [batch, ceil(height/stride), ceil(width/stride), out].
func (c Conv) Apply(x, weight *graph.Node) *graph.Node {
	d := weight.Shape().Dimensions
	kernel, in, out := d[0], x.Shape().Dim(3), d[3]
	switch {
	case c.Groups == 1 && kernel == 1:
		return c.pointwise(x, weight)
	case c.Groups == 1 && kernel == kernelSide && c.Stride == 1 && winogradPays(x, out):
		return newTiling(x, bandTiles).winograd(x, weight)
	case c.Groups == 1:
		return c.dense(x, weight)
	case c.Groups == in && c.Groups == out:
		return depthwise{c, kernel}.apply(x, weight)
	}
	return grouped{c, kernel}.apply(x, weight)
}

// dense is XLA's own convolution.
func (c Conv) dense(x, weight *graph.Node) *graph.Node {
	return graph.Convolve(x, weight).PaddingPerDim([][2]int{c.Padding, c.Padding}).Strides(c.Stride).Done()
}

// pointwise is a 1x1 convolution as a matrix product. The kernel's gradient takes a quarter of the
// time in the best case.
func (c Conv) pointwise(x, weight *graph.Node) *graph.Node {
	if c.Stride > 1 {
		x = graph.Slice(x, graph.AxisRange(), graph.AxisRange().Stride(c.Stride), graph.AxisRange().Stride(c.Stride), graph.AxisRange())
	}
	d, out := x.Shape().Dimensions, weight.Shape().Dim(3)
	rows, matrix := graph.Reshape(x, -1, d[3]), graph.Reshape(weight, d[3], out)
	y := graphs.WithGradient(graph.Dot(rows, matrix).Product(), func(v *graph.Node) []*graph.Node {
		return []*graph.Node{graph.DotGeneral(v, []int{1}, nil, matrix, []int{1}, nil), overRows(rows, v)}
	}, rows, matrix)
	return graph.Reshape(y, d[0], d[1], d[2], out)
}

// overRows returns the transposed x [rows, n] times y [rows, m]: [n, m]. XLA shares a product among
// the cores by the result's rows and columns, too few here beside so many rows: as a few products
// over parts of the rows it takes half to four fifths of the time.
func overRows(x, y *graph.Node) *graph.Node {
	rows, n, m := x.Shape().Dim(0), x.Shape().Dim(1), y.Shape().Dim(1)
	parts := 4
	for parts > 1 && (rows%parts != 0 || rows < 4*parts*max(n, m)) {
		parts--
	}
	if parts == 1 {
		return graph.DotGeneral(x, []int{0}, nil, y, []int{0}, nil)
	}
	x, y = graph.Reshape(x, parts, rows/parts, n), graph.Reshape(y, parts, rows/parts, m)
	products := graph.Split(graph.DotGeneral(x, []int{1}, []int{0}, y, []int{1}, []int{0}), 0, parts)
	sum := products[0]
	for _, product := range products[1:] {
		sum = graph.Add(sum, product) // a loop's body cannot reduce
	}
	return graph.Reshape(sum, n, m)
}
