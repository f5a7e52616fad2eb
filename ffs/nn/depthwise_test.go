package nn

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/testkit"
)

// Sums of shifts and their gradients are those of a dense convolution for each channel, whose
// gradients GoMLX derives.
func TestDepthwise(t *testing.T) {
	for _, c := range []struct {
		height, width, kernel, stride, channels int
		same                                    bool
	}{
		{6, 9, 3, 1, 4, false}, {8, 10, 3, 2, 3, true}, {7, 9, 3, 2, 3, false}, {6, 4, 5, 2, 5, true}, {5, 7, 5, 2, 2, false}, {4, 3, 5, 1, 3, true}, {1, 1, 5, 1, 2, true}, {2, 2, 5, 2, 2, true},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			conv := Conv{Out: c.channels, Kernel: c.kernel, Stride: c.stride, Groups: c.channels, Same: c.same}
			around := [2]int{c.kernel / 2, c.kernel / 2}
			if c.same && c.stride == 2 { // TensorFlow's, for even sizes
				around = map[int][2]int{3: {0, 1}, 5: {1, 2}}[c.kernel]
			}
			rng := rand.New(rand.NewPCG(1, 2))
			out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
				x, weight, v := in[0], in[1], in[2]
				xs, weights := graph.Split(x, -1, c.channels), graph.Split(weight, -1, c.channels)
				for i := range xs {
					xs[i] = graph.Convolve(xs[i], weights[i]).PaddingPerDim([][2]int{around, around}).Strides(c.stride).Done()
				}
				var all []*graph.Node
				for _, y := range []*graph.Node{conv.convolve(x, weight), graph.Concatenate(xs, -1)} {
					all = append(append(all, y), graph.Gradient(graph.ReduceAllSum(graph.Mul(y, v)), x, weight)...)
				}
				return all
			}, testkit.Random(rng, 2, c.height, c.width, c.channels), testkit.Random(rng, c.kernel, c.kernel, 1, c.channels),
				testkit.Random(rng, 2, (c.height+c.stride-1)/c.stride, (c.width+c.stride-1)/c.stride, c.channels))
			for i, name := range []string{"result", "gradient of x", "gradient of the kernel"} {
				testkit.Close(t, name, out[i], out[3+i], 1e-5)
			}
		})
	}
}
