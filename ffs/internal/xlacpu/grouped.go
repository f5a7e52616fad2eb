package nn

import (
	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// groupByGroup convolves one group in each turn of a loop, forward and backward. That is for CPUs: XLA's own grouped convolution is two to three times slower there,
// and a convolution for each group side by side makes a program that takes ten times as long to compile (the 34 groups of the last stage).
func (c Conv) groupByGroup(x, weight *Node) *Node {
	kernels := c.kernels(weight)
	y := c.eachGroup([]*Node{x, kernels}, func(group *Node, fixed []*Node) []*Node {
		return []*Node{c.dense(channels(fixed[0], group, c.Groups), entry(fixed[1], group))}
	}, c.result(x))[0]
	return WithGradient(y, func(v *Node) []*Node {
		gradient := c.newGradient(x.Shape().Dim(1), x.Shape().Dim(2))
		return c.eachGroup([]*Node{x, gradient.matrices(kernels), v}, func(group *Node, fixed []*Node) []*Node {
			return gradient.of(channels(fixed[0], group, c.Groups), entry(fixed[1], group), channels(fixed[2], group, c.Groups))
		}, x.Shape(), weight.Shape())
	}, x, weight)
}

// result is the shape of what becomes of x.
func (c Conv) result(x *Node) shapes.Shape {
	d := x.Shape().Dimensions
	return shapes.Make(x.DType(), d[0], ceilDiv(d[1], c.Stride), ceilDiv(d[2], c.Stride), c.Out)
}

// ceilDiv is how many parts of a size it takes for n.
func ceilDiv(n, size int) int { return (n + size - 1) / size }

// eachGroup puts what body returns for each group side by side along the last axis, to results of the given shapes.
func (c Conv) eachGroup(fixed []*Node, body func(group *Node, fixed []*Node) []*Node, results ...shapes.Shape) []*Node {
	g := fixed[0].Graph()
	changing := make([]*Node, len(results))
	for i, shape := range results {
		changing[i] = graph.Zeros(g, shape)
	}
	return ForEach(graph.Const(g, int32(0)), graph.Const(g, int32(c.Groups)), changing, fixed, func(group *Node, changing, fixed []*Node) []*Node {
		for i, part := range body(group, fixed) {
			changing[i] = graph.DynamicUpdateSlice(changing[i], part, at(part, part.Rank()-1, graph.Mul(group, graph.Const(group.Graph(), int32(part.Shape().Dim(-1))))))
		}
		return changing
	})
}

// channels is a group's part of x's last axis.
func channels(x, group *Node, groups int) *Node {
	d := x.Shape().Clone().Dimensions
	last := len(d) - 1
	d[last] /= groups
	return graph.DynamicSlice(x, at(x, last, graph.Mul(group, graph.Const(x.Graph(), int32(d[last])))), d)
}

// entry is x[i].
func entry(x, i *Node) *Node {
	d := x.Shape().Clone().Dimensions
	d[0] = 1
	return graph.Reshape(graph.DynamicSlice(x, at(x, 0, i), d), d[1:]...)
}

// at is the place in x that lies at i along the axis and at 0 along all others.
func at(x *Node, axis int, i *Node) []*Node {
	place := make([]*Node, x.Rank())
	for j := range place {
		place[j] = graph.Const(x.Graph(), int32(0))
	}
	place[axis] = i
	return place
}

// kernels are the groups' kernels one after the other: [groups, kernel, kernel, in/groups, out/groups].
func (c Conv) kernels(weight *Node) *Node {
	d := weight.Shape().Dimensions
	return graph.TransposeAllAxes(graph.Reshape(weight, d[0], d[1], d[2], c.Groups, d[3]/c.Groups), 3, 0, 1, 2, 4)
}

// fit puts zeros before an axis, and as many behind it as make it of the given size; what is beyond that is cut off.
func fit(x *Node, axis, before, size int) *Node {
	axes := make([]compute.PadAxis, x.Rank())
	axes[axis] = compute.PadAxis{Start: before, End: size - before - x.Shape().Dim(axis)}
	return graph.Pad(x, graph.Const(x.Graph(), float32(0)), axes...)
}
