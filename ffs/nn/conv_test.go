package nn_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/nn"
)

// The gradients of grouped and of 1x1 convolutions are written by hand: they have to be those that
// GoMLX derives for one dense convolution a group.
func TestConvolutionGradients(t *testing.T) {
	for _, c := range []struct{ height, width, kernel, stride, groups, in, out int }{
		{6, 9, 3, 1, 2, 4, 6}, {7, 10, 3, 2, 3, 6, 3}, {8, 8, 3, 2, 2, 4, 4}, {5, 6, 5, 1, 2, 2, 4}, {4, 5, 1, 1, 2, 4, 4},
		{7, 9, 5, 2, 2, 4, 4}, {5, 7, 1, 2, 2, 4, 2}, {9, 11, 3, 3, 2, 2, 4}, {2, 3, 3, 2, 2, 2, 2},
		{16, 12, 1, 1, 1, 4, 6}, {15, 11, 1, 1, 1, 3, 2}, {7, 9, 1, 2, 1, 3, 4}, // products in four, three and two parts
		{40, 40, 3, 2, 1, 128, 128}, // not by tiles, whose stride is 1
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			half, ceil := c.kernel/2, func(n int) int { return (n + c.stride - 1) / c.stride }
			store := model.NewStore()
			out := testkit.RunModel(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
				x, v := in[0], in[1]
				y := nn.Conv{Out: c.out, Kernel: c.kernel, Stride: c.stride, Groups: c.groups, Init: nn.HeNormal}.Apply(scope, x)
				weight := scope.GetVariable("weight").NodeValue(x.Graph())
				xs, weights := graph.Split(x, -1, c.groups), graph.Split(weight, -1, c.groups)
				want := make([]*graph.Node, c.groups)
				for i := range want {
					want[i] = graph.Convolve(xs[i], weights[i]).PaddingPerDim([][2]int{{half, half}, {half, half}}).Strides(c.stride).Done()
				}
				gradients := func(y *graph.Node) []*graph.Node {
					return graph.Gradient(graph.ReduceAllSum(graph.Mul(y, v)), x, weight)
				}
				derived := graph.Concatenate(want, -1)
				return append(append([]*graph.Node{y, derived}, gradients(y)...), gradients(derived)...)
			}, testkit.Random(rng, 2, c.height, c.width, c.in), testkit.Random(rng, 2, ceil(c.height), ceil(c.width), c.out))
			tolerance := 0.0
			if c.groups == 1 || c.groups == c.in && c.in == c.out { // a product or a sum on one side, a convolution on the other
				tolerance = 1e-6
			}
			testkit.Close(t, "result", out[0], out[1], tolerance)
			testkit.Close(t, "gradient of x", out[2], out[4], 1e-5)
			testkit.Close(t, "gradient of the kernel", out[3], out[5], 1e-5)
		})
	}
}
