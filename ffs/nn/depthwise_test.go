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
				testkit.Random(rng, 2, ceilDiv(c.height, c.stride), ceilDiv(c.width, c.stride), c.channels))
			for i, name := range []string{"result", "gradient of x", "gradient of the kernel"} {
				testkit.Close(t, name, out[i], out[3+i], 1e-5)
			}
		})
	}
}

// BenchmarkDepthwise sets sums of shifts beside XLA's grouped convolution at EfficientNet-Lite0's
// sizes for four images of 320x416. XLA's own gradients take seconds to minutes a call, so only
// their smallest is measured.
func BenchmarkDepthwise(b *testing.B) {
	native := func(c Conv, x, weight *graph.Node) *graph.Node {
		around := c.padding()
		return graph.Convolve(x, weight).PaddingPerDim([][2]int{around, around}).Strides(c.Stride).ChannelGroupCount(c.Groups).Done()
	}
	for _, c := range []struct{ height, width, channels, kernel, stride int }{
		{160, 208, 32, 3, 1}, {160, 208, 96, 3, 2}, {80, 104, 144, 3, 1}, {80, 104, 144, 5, 2}, {40, 52, 240, 5, 1}, {40, 52, 240, 3, 2},
		{20, 26, 480, 3, 1}, {20, 26, 672, 5, 1}, {20, 26, 672, 5, 2}, {10, 13, 1152, 5, 1}, {5, 6, 16, 3, 1},
	} {
		for _, way := range []struct {
			name     string
			gradient bool
			apply    func(c Conv, x, weight *graph.Node) *graph.Node
		}{{"shifts", false, Conv.depthwise}, {"shifts", true, Conv.depthwise}, {"native", false, native}, {"native", true, native}} {
			if way.name == "native" && way.gradient && c.channels > 16 {
				continue
			}
			b.Run(fmt.Sprintf("%dx%dx%d/%dx%d/stride=%d/gradients=%v/%s", c.height, c.width, c.channels, c.kernel, c.kernel, c.stride, way.gradient, way.name), func(b *testing.B) {
				conv := Conv{Out: c.channels, Kernel: c.kernel, Stride: c.stride, Groups: c.channels, Same: true}
				exec, err := graph.NewExec(testkit.Backend(b), func(in []*graph.Node) []*graph.Node {
					y := way.apply(conv, in[0], in[1])
					if !way.gradient {
						return []*graph.Node{y}
					}
					return graph.Gradient(graph.ReduceAllSum(graph.Mul(y, in[2])), in[0], in[1])
				})
				if err != nil {
					b.Fatal(err)
				}
				defer exec.Finalize()
				rng := rand.New(rand.NewPCG(1, 2))
				x, weight := testkit.Random(rng, 4, c.height, c.width, c.channels), testkit.Random(rng, c.kernel, c.kernel, 1, c.channels)
				v := testkit.Random(rng, 4, ceilDiv(c.height, c.stride), ceilDiv(c.width, c.stride), c.channels)
				call := func() {
					outputs, err := exec.Call(x, weight, v)
					if err != nil {
						b.Fatal(err)
					}
					for _, output := range outputs {
						output.MustFinalizeAll()
					}
				}
				call() // which compiles
				for b.Loop() {
					call()
				}
			})
		}
	}
}
