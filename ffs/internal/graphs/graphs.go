package nn

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"
)

// ForEach runs body for i = begin, begin+1, ... end-1 (int32 scalars) and returns what becomes of the changing values; the
// fixed ones are for reading.
//
// On XLA a loop's body sees nothing but its state, hence the fixed values in it; it may not use what GoMLX caches for a graph
// (AddScalar and the like) nor reduce, and it has no gradient.
func ForEach(begin, end *Node, changing, fixed []*Node, body func(i *Node, changing, fixed []*Node) []*Node) []*Node {
	g := end.Graph()
	state := append([]*Node{begin, end}, changing...)
	state = append(state, fixed...)
	parameters := func(g *graph.Graph) []*Node {
		nodes := make([]*Node, len(state))
		for i, node := range state {
			nodes[i] = graph.Parameter(g, fmt.Sprintf("state%d", i), node.Shape())
		}
		return nodes
	}
	condition := graph.NewClosure(g, func(g *graph.Graph) []*Node {
		s := parameters(g)
		return []*Node{graph.LessThan(s[0], s[1])}
	})
	step := graph.NewClosure(g, func(g *graph.Graph) []*Node {
		s := parameters(g)
		i, border := s[0], 2+len(changing)
		next := []*Node{graph.Add(i, graph.Const(g, int32(1))), s[1]}
		next = append(next, body(i, s[2:border], s[border:])...)
		return append(next, s[border:]...)
	})
	return graph.While(condition, step, state...)[2 : 2+len(changing)]
}

// WithGradient returns y with other gradients than the derived ones: gradient(v) makes those of xs, each of the shape of its x, of v, that of y. No other gradient flows
// through y.
func WithGradient(y *Node, gradient func(v *Node) []*Node, xs ...*Node) *Node {
	gradients := make([]*Node, len(xs))
	y = graph.StopGradient(y)
	// A condition that is never true ties y to the xs for GoMLX, and costs nothing.
	never := graph.BroadcastToDims(graph.Const(y.Graph(), false), y.Shape().Dimensions...)
	for i, x := range xs {
		x = graph.IdentityWithCustomGradient(x, func(_, _ *Node) *Node { return gradients[i] })
		first := graph.Slice(graph.Reshape(x, -1), graph.AxisRange(0, 1))
		y = graph.Where(never, graph.BroadcastToDims(graph.Reshape(first), y.Shape().Dimensions...), y)
	}
	return graph.IdentityWithCustomGradient(y, func(_, v *Node) *Node {
		copy(gradients, gradient(v))
		return v
	})
}

// OnCPU reports whether the graph runs on a CPU: GoMLX's own backend does, and XLA's says so. GoMLX's lacks DynamicSlice, which the ways of CPUs are made of, and says
// that at once; by the ways of GPUs it would take minutes for a small image.
func OnCPU(g *graph.Graph) bool {
	xla, ok := g.Backend().(interface{ IsCPU() bool })
	return !ok || xla.IsCPU()
}
