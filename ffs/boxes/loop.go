package boxes

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// forEach runs body for i = 0, 1, ... end-1 (end is an int32 scalar) and returns what becomes of the changing values; the
// fixed ones are for reading.
//
// On XLA a loop's body sees nothing but its state, hence the fixed values in it; it may not use what GoMLX caches for a graph
// (AddScalar and the like) nor reduce, and it has no gradient.
func forEach(end *Node, changing, fixed []*Node, body func(i *Node, changing, fixed []*Node) []*Node) []*Node {
	g := end.Graph()
	state := append([]*Node{graph.Const(g, int32(0)), end}, changing...)
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

// validEnd returns the int32 scalar 1 + the last position at which any of the lists [L, N] is valid, 0 if none is.
func validEnd(valid *Node) *Node {
	position := graph.Iota(valid.Graph(), shapes.Make(dtypes.Int32, valid.Shape().Dimensions...), 1)
	return graph.ReduceAllMax(graph.Where(valid, graph.AddScalar(position, 1), graph.ZerosLike(position)))
}
