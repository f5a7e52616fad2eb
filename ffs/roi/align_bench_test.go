package roi

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ffslab/ffs/internal/testkit"
)

// BenchmarkAlign pools 1000 square boxes of one size from a canvas of 320x416, or of sizes from 16
// to 256.
func BenchmarkAlign(b *testing.B) {
	const n, height, width = 1000, 320, 416
	for _, side := range []float64{32, 128, 0} {
		b.Run(fmt.Sprintf("side=%v", side), func(b *testing.B) {
			rng := rand.New(rand.NewPCG(1, 2))
			boxes := make([]float32, 0, 4*n)
			for range n {
				s := side
				if s == 0 {
					s = 16 * (1 + 15*rng.Float64()*rng.Float64())
				}
				x, y := rng.Float64()*(width-s), rng.Float64()*(height-s)
				boxes = append(boxes, float32(x), float32(y), float32(x+s), float32(y+s))
			}
			inputs := []any{tensors.FromFlatDataAndDimensions(boxes, 1, n, 4)}
			for _, s := range strides {
				inputs = append(inputs, testkit.Random(rng, 1, height/s, width/s, 256))
			}
			exec, err := graph.NewExec(testkit.Backend(b), func(in []*graph.Node) *graph.Node {
				valid := graph.BroadcastToDims(graph.Const(in[0].Graph(), true), 1, n)
				return Align(in[1:], strides, in[0], valid, nil)
			})
			if err != nil {
				b.Fatal(err)
			}
			defer exec.Finalize()
			testkit.Repeat(b, exec, inputs...)
		})
	}
}
