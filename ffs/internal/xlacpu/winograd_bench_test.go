package xlacpu

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/testkit"
)

// BenchmarkWinograd compares tiles with XLA's convolution around minTiles and minChannels.
func BenchmarkWinograd(b *testing.B) {
	for _, c := range []struct{ batch, height, width, channels int }{
		{1, 13, 19, 128}, {1, 20, 26, 256}, {1, 20, 26, 128}, {1, 25, 38, 512}, {1, 25, 38, 256}, {1, 40, 52, 128}, {1, 80, 104, 256}, {1, 80, 104, 64}, {1, 200, 304, 64}, {1, 80, 104, 32},
	} {
		for _, gradients := range []bool{false, true} {
			for _, tiles := range []bool{false, true} {
				apply := Conv{Stride: 1, Padding: [2]int{1, 1}}.dense
				if tiles {
					apply = func(x, kernel *graph.Node) *graph.Node { return newTiling(x, bandTiles).winograd(x, kernel) }
				}
				b.Run(fmt.Sprintf("%dx%dx%dx%d/gradients=%v/tiles=%v", c.batch, c.height, c.width, c.channels, gradients, tiles), func(b *testing.B) {
					exec, err := graph.NewExec(testkit.Backend(b), func(in []*graph.Node) []*graph.Node {
						x, kernel, v := in[0], in[1], in[2]
						y := apply(x, kernel)
						loss := graph.ReduceAllSum(graph.Mul(y, v))
						out := []*graph.Node{loss}
						if gradients {
							for _, gradient := range graph.Gradient(loss, x, kernel) {
								out = append(out, graph.ReduceAllSum(gradient))
							}
						}
						return out
					})
					if err != nil {
						b.Fatal(err)
					}
					defer exec.Finalize()
					rng := rand.New(rand.NewPCG(1, 2))
					x, v := testkit.Random(rng, c.batch, c.height, c.width, c.channels), testkit.Random(rng, c.batch, c.height, c.width, c.channels)
					kernel := testkit.Random(rng, kernelSide, kernelSide, c.channels, c.channels)
					testkit.Repeat(b, exec, x, kernel, v)
				})
			}
		}
	}
}
