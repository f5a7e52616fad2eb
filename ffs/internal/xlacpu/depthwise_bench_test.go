package xlacpu

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/testkit"
)

// BenchmarkDepthwise compares sums of shifts with XLA's grouped convolution at EfficientNet-Lite0's
// sizes for four images of 320x416. XLA's own gradients take seconds to minutes a call, so only the
// smallest is measured.
func BenchmarkDepthwise(b *testing.B) {
	native := func(c Conv, x, weight *graph.Node) *graph.Node {
		return graph.Convolve(x, weight).PaddingPerDim([][2]int{c.Padding, c.Padding}).Strides(c.Stride).ChannelGroupCount(c.Groups).Done()
	}
	for _, c := range []struct{ height, width, channels, kernel, stride int }{
		{160, 208, 32, 3, 1}, {160, 208, 96, 3, 2}, {80, 104, 144, 3, 1}, {80, 104, 144, 5, 2}, {40, 52, 240, 5, 1}, {40, 52, 240, 3, 2},
		{20, 26, 480, 3, 1}, {20, 26, 672, 5, 1}, {20, 26, 672, 5, 2}, {10, 13, 1152, 5, 1}, {5, 6, 16, 3, 1},
	} {
		for _, way := range []struct {
			name     string
			gradient bool
			apply    func(c Conv, x, weight *graph.Node) *graph.Node
		}{{"shifts", false, Conv.Apply}, {"shifts", true, Conv.Apply}, {"native", false, native}, {"native", true, native}} {
			if way.name == "native" && way.gradient && c.channels > 16 {
				continue
			}
			b.Run(fmt.Sprintf("%dx%dx%d/%dx%d/stride=%d/gradients=%v/%s", c.height, c.width, c.channels, c.kernel, c.kernel, c.stride, way.gradient, way.name), func(b *testing.B) {
				before := (c.kernel - c.stride) / 2
				conv := Conv{Stride: c.stride, Groups: c.channels, Padding: [2]int{before, c.kernel - c.stride - before}}
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
				testkit.Repeat(b, exec, x, weight, v)
			})
		}
	}
}
