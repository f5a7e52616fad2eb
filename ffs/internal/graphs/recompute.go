package graphs

import "github.com/gomlx/gomlx/core/graph"

// Recompute returns f(x) without keeping the values between x and f(x) for the gradient: the
// backward pass computes f(x) again (Chen et al., "Training Deep Nets with Sublinear Memory Cost",
// 2016). parameters returns those that f has used. All values are of one dtype.
//
// GoMLX's Node.Checkpoint does not serve here: it copies nodes, and gradients of [WithGradient]
// would keep the values of the original ones.
func Recompute(f func(x *graph.Node) *graph.Node, x *graph.Node, parameters func() []*graph.Node) *graph.Node {
	y := f(x)
	inputs := append([]*graph.Node{x}, parameters()...)
	return WithGradient(y, func(v *graph.Node) []*graph.Node {
		v = graph.StopGradient(v)
		inputs := append([]*graph.Node{after(v, graph.StopGradient(x))}, inputs[1:]...)
		return graph.Gradient(graph.ReduceAllSum(graph.Mul(f(inputs[0]), v)), inputs...)
	}, inputs...)
}

// after returns x, computed after v. Otherwise XLA would find that f(x) is known and keep it: its
// CPU backend removes optimization barriers before it looks for common subexpressions. Hence a
// choice that it cannot foresee, which returns zeros only if the training has diverged.
func after(v, x *graph.Node) *graph.Node {
	first := graph.Reshape(graph.Slice(graph.Reshape(v, -1), graph.AxisRange(0, 1)))
	return graph.Where(graph.BroadcastToDims(graph.IsFinite(first), x.Shape().Dimensions...), x, graph.ZerosLike(x))
}
