package xlacpu

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/testkit"
)

func TestWinogradIsTheConvolution(t *testing.T) {
	for _, c := range []struct{ batch, height, width, in, out, bandTiles int }{
		{1, 8, 8, 4, 6, 1000}, {2, 9, 13, 3, 5, 1000}, {2, 17, 10, 3, 2, 6}, {2, 34, 10, 3, 5, 12}, {1, 21, 7, 2, 4, 1}, {1, 1, 2, 3, 3, 1000}, {1, 12, 20, 256, 128, 5},
	} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			x, kernel := testkit.Random(rng, c.batch, c.height, c.width, c.in), testkit.Random(rng, 3, 3, c.in, c.out)
			out := testkit.Run(t, func(inputs []*graph.Node) []*graph.Node {
				x, v := inputs[0], inputs[2]
				kernel := graph.MulScalar(inputs[1], 1/math.Sqrt(float64(9*c.in))) // results of about 1
				var all []*graph.Node
				for _, y := range []*graph.Node{newTiling(x, c.bandTiles).winograd(x, kernel), Conv{Stride: 1, Padding: [2]int{1, 1}}.dense(x, kernel)} {
					all = append(all, y)
					all = append(all, graph.Gradient(graph.ReduceAllSum(graph.Mul(y, v)), x, kernel)...)
				}
				return all
			}, x, kernel, testkit.Random(rng, c.batch, c.height, c.width, c.out))
			for i, what := range []string{"result", "gradient of x", "gradient of the kernel"} {
				testkit.Close(t, what, out[i], out[i+3], []float64{2e-5, 2e-5, 1e-4}[i])
			}
		})
	}
}

func TestWinogradWhereItPays(t *testing.T) {
	for _, c := range []struct {
		batch, height, width, in, out int
		want                          bool
	}{
		{1, 29, 32, 128, 128, true}, {1, 28, 32, 128, 128, false}, {2, 16, 32, 128, 256, true}, {1, 40, 40, 127, 128, false}, {1, 40, 40, 128, 127, false}, {0, 40, 40, 128, 128, false},
	} {
		testkit.Run(t, func(inputs []*graph.Node) []*graph.Node {
			x := graph.Zeros(inputs[0].Graph(), shapes.Make(dtypes.Float32, c.batch, c.height, c.width, c.in))
			if got := winogradPays(x, c.out); got != c.want {
				t.Errorf("%v: pays is %v", c, got)
			}
			return inputs
		}, testkit.Random(rand.New(rand.NewPCG(1, 2)), 1))
	}
}
