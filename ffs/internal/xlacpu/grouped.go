package xlacpu

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/graphs"
)

// grouped is a convolution that computes one group in each iteration of a loop, forward and
// backward. XLA's own grouped convolution takes two to three times as long, and one convolution a
// group side by side takes ten times as long to compile (34 groups in the last stage).
type grouped struct {
	Conv
	kernel int
}

// apply convolves x [batch, height, width, in] with weight [kernel, kernel, in/groups, out].
func (c grouped) apply(x, weight *graph.Node) *graph.Node {
	d := weight.Shape().Dimensions
	// Kernels [groups, kernel, kernel, in/groups, out/groups], one group after the other.
	kernels := graph.TransposeAllAxes(graph.Reshape(weight, d[0], d[1], d[2], c.Groups, d[3]/c.Groups), 3, 0, 1, 2, 4)
	size := x.Shape().Dimensions
	result := shapes.Make(x.DType(), size[0], ceilDiv(size[1], c.Stride), ceilDiv(size[2], c.Stride), d[3])
	y := c.eachGroup([]*graph.Node{x, kernels}, func(group *graph.Node, fixed []*graph.Node) []*graph.Node {
		return []*graph.Node{c.dense(c.channels(fixed[0], group), elementAt(fixed[1], group))}
	}, result)[0]
	return graphs.WithGradient(y, func(v *graph.Node) []*graph.Node {
		gradient := c.newGradient(size[1], size[2])
		return c.eachGroup([]*graph.Node{x, gradient.matrices(kernels), v}, func(group *graph.Node, fixed []*graph.Node) []*graph.Node {
			return gradient.of(c.channels(fixed[0], group), elementAt(fixed[1], group), c.channels(fixed[2], group))
		}, x.Shape(), weight.Shape())
	}, x, weight)
}

// eachGroup runs body for each group and joins its values along their last axis to results of the
// given shapes.
func (c grouped) eachGroup(fixed []*graph.Node, body func(group *graph.Node, fixed []*graph.Node) []*graph.Node, results ...shapes.Shape) []*graph.Node {
	g := fixed[0].Graph()
	joined := make([]*graph.Node, len(results))
	for i, shape := range results {
		joined[i] = graph.Zeros(g, shape)
	}
	begin, end := graph.Const(g, int32(0)), graph.Const(g, int32(c.Groups))
	return graphs.ForEach(begin, end, joined, fixed, func(group *graph.Node, joined, fixed []*graph.Node) []*graph.Node {
		for i, part := range body(group, fixed) {
			last := part.Rank() - 1
			start := graph.Mul(group, graph.Const(group.Graph(), int32(part.Shape().Dim(last))))
			joined[i] = graph.DynamicUpdateSlice(joined[i], part, indexAlong(part, last, start))
		}
		return joined
	})
}

// channels is a group's part of x's last axis.
func (c grouped) channels(x, group *graph.Node) *graph.Node {
	d := x.Shape().Clone().Dimensions
	last := len(d) - 1
	d[last] /= c.Groups
	start := graph.Mul(group, graph.Const(x.Graph(), int32(d[last])))
	return graph.DynamicSlice(x, indexAlong(x, last, start), d)
}

// elementAt is x[i].
func elementAt(x, i *graph.Node) *graph.Node {
	d := x.Shape().Clone().Dimensions
	d[0] = 1
	return graph.Reshape(graph.DynamicSlice(x, indexAlong(x, 0, i), d), d[1:]...)
}

// indexAlong is the index of x that is i along the axis and 0 along all others.
func indexAlong(x *graph.Node, axis int, i *graph.Node) []*graph.Node {
	index := make([]*graph.Node, x.Rank())
	for j := range index {
		index[j] = graph.Const(x.Graph(), int32(0))
	}
	index[axis] = i
	return index
}

// padTo adds zeros before an axis and behind it until it has the size; it cuts off what is beyond.
func padTo(x *graph.Node, axis, before, size int) *graph.Node {
	axes := make([]compute.PadAxis, x.Rank())
	axes[axis] = compute.PadAxis{Start: before, End: size - before - x.Shape().Dim(axis)}
	return graph.Pad(x, graph.Const(x.Graph(), float32(0)), axes...)
}

// ceilDiv is n / size, rounded up.
func ceilDiv(n, size int) int { return (n + size - 1) / size }
