package xlacpu

import "github.com/gomlx/gomlx/core/graph"

// groupedGradient makes the gradients of a group's input and of its kernel as one matrix product
// each. With few channels, XLA's own takes half as long again; with 256 it takes as long.
//
// Let a run over the rows of a stride and d over the strides that a kernel reaches. Row stride*p +
// a of the padded input meets row p - d of the result through row stride*d + a of the kernel;
// column stride*q + j meets column q through column j. Hence two matrices with one row for each (p,
// q): that of the input holds the pixels, [a, j, channel], and that of the result holds the
// gradients, [d, channel], of the pixels that meet there. The first, transposed, times the second
// is the kernel's gradient. The second times the kernel is the gradient of the first, whose entries
// are added up for each pixel.
type groupedGradient struct {
	grouped
	half, reach           int // of the kernel: its half in pixels, and strides that it covers
	inHeight, inWidth     int
	rows, columns, margin int // of p, of q, and of q before the result's first column
	first, last           int // columns of the input, in strides
}

func (c grouped) newGradient(inHeight, inWidth int) groupedGradient {
	half := c.kernel / 2
	g := groupedGradient{
		grouped: c, half: half, reach: ceilDiv(c.kernel, c.Stride),
		inHeight: inHeight, inWidth: inWidth, first: half / c.Stride, last: (half + inWidth - 1) / c.Stride,
	}
	height := ceilDiv(inHeight, c.Stride) // of the result
	g.rows, g.columns, g.margin = height+g.reach-1, g.last-g.first+g.reach, g.reach-1-g.first
	return g
}

// matrices reshapes kernels [groups, kernel, kernel, in/groups, out/groups] to [groups, (a, j,
// in/groups), (d, out/groups)].
func (g groupedGradient) matrices(kernels *graph.Node) *graph.Node {
	d := kernels.Shape().Dimensions
	kernels = padTo(kernels, 1, 0, g.reach*g.Stride)
	kernels = graph.Reshape(kernels, d[0], g.reach, g.Stride*g.kernel*d[3], d[4])
	return graph.Reshape(graph.TransposeAllAxes(kernels, 0, 2, 1, 3), d[0], g.Stride*g.kernel*d[3], g.reach*d[4])
}

// of returns the gradients of a group's input x [batch, height, width, in] and of its kernel
// [kernel, kernel, in, out] for v, that of its result; matrix is one of matrices.
func (g groupedGradient) of(x, matrix, v *graph.Node) []*graph.Node {
	batch, in, out := x.Shape().Dim(0), x.Shape().Dim(3), v.Shape().Dim(3)
	pixels, gradients := g.pixels(x), g.gradients(v)
	kernel := overRows(pixels, gradients)
	kernel = graph.TransposeAllAxes(graph.Reshape(kernel, g.Stride, g.kernel*in, g.reach, out), 2, 0, 1, 3)
	kernel = graph.Reshape(kernel, g.reach*g.Stride, g.kernel, in, out)
	input := graph.DotGeneral(gradients, []int{1}, nil, matrix, []int{1}, nil)
	return []*graph.Node{
		g.sum(graph.Reshape(input, batch, g.rows, g.columns, g.Stride, g.kernel, in)),
		graph.SliceAxis(kernel, 0, graph.AxisRange(0, g.kernel)),
	}
}

// pixels is the matrix of the input x.
func (g groupedGradient) pixels(x *graph.Node) *graph.Node {
	batch, in, s := x.Shape().Dim(0), x.Shape().Dim(3), g.Stride
	x = padTo(x, 1, g.half, s*g.rows)
	x = padTo(x, 2, g.half+s*g.margin, s*(g.columns-1)+g.kernel)
	columns := make([]*graph.Node, g.kernel)
	for j := range columns {
		columns[j] = graph.SliceAxis(x, 2, every(j, g.columns, s))
	}
	x = graph.Reshape(graph.Concatenate(columns, -1), batch, g.rows, s, g.columns, g.kernel*in)
	return graph.Reshape(graph.TransposeAllAxes(x, 0, 1, 3, 2, 4), batch*g.rows*g.columns, s*g.kernel*in)
}

// gradients is the matrix of the result's gradient v.
func (g groupedGradient) gradients(v *graph.Node) *graph.Node {
	v = padTo(v, 2, g.margin, g.columns)
	rows := make([]*graph.Node, g.reach)
	for d := range rows {
		rows[d] = padTo(v, 1, d, g.rows)
	}
	v = graph.Concatenate(rows, -1)
	return graph.Reshape(v, -1, v.Shape().Dim(-1))
}

// sum adds up the gradients x [batch, rows, columns, a, j, in] of what the input's matrix holds of
// each pixel.
func (g groupedGradient) sum(x *graph.Node) *graph.Node {
	batch, in, s := x.Shape().Dim(0), x.Shape().Dim(5), g.Stride
	phases := make([]*graph.Node, s) // of the columns stride*t + b
	for j := range g.kernel {
		from := g.reach - 1 - j/s
		part := graph.Slice(x, graph.AxisRange(), graph.AxisRange(), graph.AxisRange(from, from+g.last-g.first+1), graph.AxisRange(), graph.AxisElem(j), graph.AxisRange())
		if b := j % s; phases[b] == nil {
			phases[b] = part
		} else {
			phases[b] = graph.Add(phases[b], part)
		}
	}
	for b := range phases {
		if phases[b] == nil { // a kernel narrower than its stride
			phases[b] = graph.ZerosLike(phases[0])
		}
	}
	x = graph.TransposeAllAxes(graph.Concatenate(phases, 4), 0, 1, 3, 2, 4, 5)
	x = padTo(graph.Reshape(x, batch, s*g.rows, -1, in), 1, 0, g.half+g.inHeight) // rows that no row of the result has seen
	left := g.half - s*g.first
	return graph.Slice(x, graph.AxisRange(), graph.AxisRange(g.half, g.half+g.inHeight), graph.AxisRange(left, left+g.inWidth), graph.AxisRange())
}
