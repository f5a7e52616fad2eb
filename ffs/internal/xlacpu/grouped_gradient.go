package nn

import "github.com/gomlx/gomlx/core/graph"

// gradient makes the gradients of a convolution's input and kernel as one matrix product each. That is for few channels, where XLA's CPU backend takes half as long
// again for the gradients as convolutions; with 256 channels it takes as long.
//
// Row stride*p + a of the padded input, 0 <= a < stride, meets row p - d of the result through row stride*d + a of the kernel, 0 <= d < reach, and column stride*q + j meets
// column q of the result through column j of the kernel. So there are two matrices with one row for each p and q: the input's holds what column q of the result sees of the rows of p, for each (a, j,
// channel), the result's what the rows of p see of it, for each (d, channel). The product of the one transposed and the other is the kernel's gradient, that of the
// result's matrix and the kernel is the gradient of the input's matrix, from which that of the input is summed up.
type gradient struct {
	Conv
	half, reach           int
	inHeight, inWidth     int
	rows, columns, margin int // of p, of q, and of q before the result's first column
	first, last           int // columns of the input, in strides, that are summed up
}

func (c Conv) newGradient(inHeight, inWidth int) gradient {
	half := c.Kernel / 2
	g := gradient{
		Conv: c, half: half, reach: ceilDiv(c.Kernel, c.Stride),
		inHeight: inHeight, inWidth: inWidth, first: half / c.Stride, last: (half + inWidth - 1) / c.Stride,
	}
	height := ceilDiv(inHeight, c.Stride) // of the result
	g.rows, g.columns, g.margin = height+g.reach-1, g.last-g.first+g.reach, g.reach-1-g.first
	return g
}

// matrices are the kernels [groups, kernel, kernel, in/groups, out/groups] as matrices [groups, (a, j, in/groups), (d, out/groups)].
func (g gradient) matrices(kernels *Node) *Node {
	d := kernels.Shape().Dimensions
	kernels = fit(kernels, 1, 0, g.reach*g.Stride)
	kernels = graph.Reshape(kernels, d[0], g.reach, g.Stride*g.Kernel*d[3], d[4])
	return graph.Reshape(graph.TransposeAllAxes(kernels, 0, 2, 1, 3), d[0], g.Stride*g.Kernel*d[3], g.reach*d[4])
}

// of returns the gradients of a group's input x [batch, height, width, in] and of its kernel [kernel, kernel, in, out] for v, that of its result.
func (g gradient) of(x, kernel, v *Node) []*Node {
	batch, in, out := x.Shape().Dim(0), x.Shape().Dim(3), v.Shape().Dim(3)
	seen, spread := g.seen(x), g.spread(v)
	ofKernel := overRows(seen, spread)
	ofKernel = graph.TransposeAllAxes(graph.Reshape(ofKernel, g.Stride, g.Kernel*in, g.reach, out), 2, 0, 1, 3)
	ofKernel = graph.Reshape(ofKernel, g.reach*g.Stride, g.Kernel, in, out)
	ofSeen := graph.DotGeneral(spread, []int{1}, nil, kernel, []int{1}, nil)
	return []*Node{
		g.sum(graph.Reshape(ofSeen, batch, g.rows, g.columns, g.Stride, g.Kernel, in)),
		graph.SliceAxis(ofKernel, 0, graph.AxisRange(0, g.Kernel)),
	}
}

// seen is the input's matrix.
func (g gradient) seen(x *Node) *Node {
	batch, in, s := x.Shape().Dim(0), x.Shape().Dim(3), g.Stride
	x = fit(x, 1, g.half, s*g.rows)
	x = fit(x, 2, g.half+s*g.margin, s*(g.columns-1)+g.Kernel)
	columns := make([]*Node, g.Kernel)
	for j := range columns {
		columns[j] = graph.SliceAxis(x, 2, graph.AxisRange(j, j+s*(g.columns-1)+1).Stride(s))
	}
	x = graph.Reshape(graph.Concatenate(columns, -1), batch, g.rows, s, g.columns, g.Kernel*in)
	return graph.Reshape(graph.TransposeAllAxes(x, 0, 1, 3, 2, 4), batch*g.rows*g.columns, s*g.Kernel*in)
}

// spread is the result's matrix.
func (g gradient) spread(v *Node) *Node {
	v = fit(v, 2, g.margin, g.columns)
	rows := make([]*Node, g.reach)
	for d := range rows {
		rows[d] = fit(v, 1, d, g.rows)
	}
	v = graph.Concatenate(rows, -1)
	return graph.Reshape(v, -1, v.Shape().Dim(-1))
}

// sum adds up the gradients of what the matrix holds of each pixel: x is [batch, rows, columns, a, j, in], the result is that of the input.
func (g gradient) sum(x *Node) *Node {
	batch, in, s := x.Shape().Dim(0), x.Shape().Dim(5), g.Stride
	phases := make([]*Node, s) // of the columns stride*t + b
	for j := range g.Kernel {
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
	x = graph.Concatenate(phases, 4)
	x = graph.TransposeAllAxes(x, 0, 1, 3, 2, 4, 5)
	x = fit(graph.Reshape(x, batch, s*g.rows, -1, in), 1, 0, g.half+g.inHeight) // rows that no row of the result has seen
	left := g.half - s*g.first
	return graph.Slice(x, graph.AxisRange(), graph.AxisRange(g.half, g.half+g.inHeight), graph.AxisRange(left, left+g.inWidth), graph.AxisRange())
}
