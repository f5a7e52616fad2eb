package nn

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// Epsilon is added to variances, in detectron2's frozen batch norm and in PyTorch's group norm alike.
const Epsilon = 1e-5

// FrozenBatchNorm normalises x [batch, height, width, channels] with fixed statistics: (x - running_mean) / sqrt(running_var + eps)
// * weight + bias; all four are the scope's, and none is trained (detectron2's FrozenBatchNorm2d).
func FrozenBatchNorm(scope *model.Scope, x *Node) *Node {
	return FrozenBatchNormEpsilon(scope, x, Epsilon)
}

// FrozenBatchNormEpsilon is FrozenBatchNorm with another epsilon, for networks that were trained
// with it.
func FrozenBatchNormEpsilon(scope *model.Scope, x *Node, epsilon float64) *Node {
	channels, g := x.Shape().Dim(-1), x.Graph()
	fixed := func(name string, start float32) *Node {
		return graph.Reshape(Variable(scope, g, name, Constant(start), false, channels), 1, 1, 1, channels)
	}
	weight, bias := fixed("weight", 1), fixed("bias", 0)
	// Files such as R-50.pkl have the statistics folded into weight and bias, and none of their own: these then change nothing.
	mean, variance := fixed("running_mean", 0), fixed("running_var", float32(1-epsilon))
	scale := graph.Div(weight, graph.Sqrt(graph.AddScalar(variance, epsilon)))
	return graph.Add(graph.Mul(x, scale), graph.Sub(bias, graph.Mul(mean, scale)))
}

// GroupNorm normalises each image of x [batch, height, width, channels] over its valid pixels and each group's channels, then
// scales and shifts by the scope's "weight" and "bias" (Wu and He, ECCV 2018). What lies beyond extent (see Mask) must be zero,
// and is not counted.
func GroupNorm(scope *model.Scope, x *Node, groups int, extent *Node) *Node {
	g, dims := x.Graph(), x.Shape().Dimensions
	batch, channels := dims[0], dims[3]
	weight := Variable(scope, g, "weight", Constant(1), true, channels)
	bias := Variable(scope, g, "bias", Constant(0), true, channels)

	perGroup := func(sums *Node) *Node { // [batch, channels] -> [batch, groups, 1]
		return graph.ReduceAndKeep(graph.Reshape(sums, batch, groups, channels/groups), graph.ReduceSum, -1)
	}
	count := graph.Const(g, float32(dims[1]*dims[2]*channels/groups))
	if extent != nil {
		area := graph.ReduceMultiply(graph.ConvertDType(extent, dtypes.Float32), -1)
		count = graph.Reshape(graph.MulScalar(area, float64(channels/groups)), batch, 1, 1)
	}
	mean := graph.Div(perGroup(graph.ReduceSum(x, 1, 2)), count)
	square := graph.Div(perGroup(graph.ReduceSum(graph.Square(x), 1, 2)), count)
	variance := graph.MaxScalar(graph.Sub(square, graph.Square(mean)), 0)
	deviation := graph.Sqrt(graph.AddScalar(variance, Epsilon))

	scale := graph.Div(graph.Reshape(weight, 1, groups, channels/groups), deviation)
	shift := graph.Sub(graph.Reshape(bias, 1, groups, channels/groups), graph.Mul(mean, scale))
	spread := func(v *Node) *Node { return graph.Reshape(v, batch, 1, 1, channels) }
	return graph.Add(graph.Mul(x, spread(scale)), spread(shift))
}
