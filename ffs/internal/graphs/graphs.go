// Package graphs adds to GoMLX's graphs loops over a range and gradients of one's own.
package graphs

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// ForEach runs body for i = begin, begin+1, ..., end-1 (int32 scalars). The body returns the next
// changing values, in the same shapes; ForEach returns the last ones. The fixed values stay.
//
// On XLA the body sees only its arguments. It cannot use constants that GoMLX caches for a graph
// (AddScalar and the like) nor reduce. ForEach has no gradient: see [WithGradient].
func ForEach(begin, end *graph.Node, changing, fixed []*graph.Node, body func(i *graph.Node, changing, fixed []*graph.Node) []*graph.Node) []*graph.Node {
	g := end.Graph()
	state := append([]*graph.Node{begin, end}, changing...)
	state = append(state, fixed...)
	parameters := func(g *graph.Graph) []*graph.Node {
		nodes := make([]*graph.Node, len(state))
		for i, node := range state {
			nodes[i] = graph.Parameter(g, fmt.Sprintf("state%d", i), node.Shape())
		}
		return nodes
	}
	condition := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		s := parameters(g)
		return []*graph.Node{graph.LessThan(s[0], s[1])}
	})
	step := graph.NewClosure(g, func(g *graph.Graph) []*graph.Node {
		s := parameters(g)
		i, border := s[0], 2+len(changing)
		next := []*graph.Node{graph.Add(i, graph.Const(g, int32(1))), s[1]}
		next = append(next, body(i, s[2:border], s[border:])...)
		return append(next, s[border:]...)
	})
	return graph.While(condition, step, state...)[2 : 2+len(changing)]
}

// WithGradient returns y, a function of xs, with the given gradient in place of the derived one:
// for v, the gradient of the loss with respect to y, gradient(v) returns the loss's gradient with
// respect to each of the xs, in its shape. Nothing else flows back through y. All have one dtype.
//
// GoMLX takes a gradient of one's own only for a node of one input in its own shape. So y gets an
// empty slice of each x as a prefix, which costs nothing and makes y depend on it, and each x
// replaces what comes back through its slice.
func WithGradient(y *graph.Node, gradient func(v *graph.Node) []*graph.Node, xs ...*graph.Node) *graph.Node {
	gradients := make([]*graph.Node, len(xs))
	var parts []*graph.Node
	for i, x := range xs {
		x = graph.IdentityWithCustomGradient(x, func(_, _ *graph.Node) *graph.Node { return gradients[i] })
		parts = append(parts, graph.Slice(graph.Reshape(x, -1), graph.AxisRange(0, 0)))
	}
	parts = append(parts, graph.Reshape(graph.StopGradient(y), -1))
	tied := graph.Reshape(graph.Concatenate(parts, 0), y.Shape().Dimensions...)
	return graph.IdentityWithCustomGradient(tied, func(_, v *graph.Node) *graph.Node {
		copy(gradients, gradient(v))
		return v
	})
}

// ShapeOf returns the shape of x for an error, "nil" for none.
func ShapeOf(x *graph.Node) string {
	if x == nil {
		return "nil"
	}
	return x.Shape().String()
}
