package nn

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// Epsilon is added to variances, as detectron2's frozen batch norm and PyTorch's group norm do.
const Epsilon = 1e-5

// FrozenBatchNorm returns (x - running_mean) / sqrt(running_var + Epsilon) * weight + bias for x
// [batch, height, width, channels]. All four are parameters of the scope, and none is trained
// (detectron2's FrozenBatchNorm2d).
func FrozenBatchNorm(scope *model.Scope, x *graph.Node) *graph.Node {
	return FrozenBatchNormEpsilon(scope, x, Epsilon)
}

// FrozenBatchNormEpsilon is FrozenBatchNorm with another epsilon, for networks that were trained
// with it.
func FrozenBatchNormEpsilon(scope *model.Scope, x *graph.Node, epsilon float64) *graph.Node {
	channels, g := x.Shape().Dim(-1), x.Graph()
	fixed := func(name string, start float32) *graph.Node {
		return graph.Reshape(Variable(scope, g, name, Constant(start), false, channels), 1, 1, 1, channels)
	}
	weight, bias := fixed("weight", 1), fixed("bias", 0)
	// Files such as R-50.pkl have the statistics folded into weight and bias. These initial values
	// then change nothing.
	mean, variance := fixed("running_mean", 0), fixed("running_var", float32(1-epsilon))
	scale := graph.Div(weight, graph.Sqrt(graph.AddScalar(variance, epsilon)))
	return graph.Add(graph.Mul(x, scale), graph.Sub(bias, graph.Mul(mean, scale)))
}

// GroupNorm normalises x [batch, height, width, channels] over the valid pixels of each image and
// the channels of each group, then scales and shifts by the scope's "weight" and "bias" (Wu and He,
// ECCV 2018). Pixels beyond extent (see Mask) must be zero; they do not count.
func GroupNorm(scope *model.Scope, x *graph.Node, groups int, extent *graph.Node) *graph.Node {
	g, dims := x.Graph(), x.Shape().Dimensions
	batch, channels := dims[0], dims[3]
	weight := Variable(scope, g, "weight", Constant(1), true, channels)
	bias := Variable(scope, g, "bias", Constant(0), true, channels)

	perGroup := func(sums *graph.Node) *graph.Node { // [batch, channels] -> [batch, groups, 1]
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
	spread := func(v *graph.Node) *graph.Node { return graph.Reshape(v, batch, 1, 1, channels) }
	return graph.Add(graph.Mul(x, spread(scale)), spread(shift))
}
