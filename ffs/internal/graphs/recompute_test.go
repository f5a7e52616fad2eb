package graphs_test

import (
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/graphs"
	"ffslab/ffs/internal/testkit"
)

// Values and gradients of three nested layers are those without recomputation.
func TestRecompute(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
		x, w := in[0], in[1]
		var all []*graph.Node
		for _, recompute := range []bool{true, false} {
			y := x
			for range 3 {
				layer := func(x *graph.Node) *graph.Node { return graph.Tanh(graph.Dot(graph.Tanh(x), w).Product()) }
				if recompute {
					y = graphs.Recompute(layer, y, func() []*graph.Node { return []*graph.Node{w} })
				} else {
					y = layer(y)
				}
			}
			all = append(append(all, y), graph.Gradient(graph.ReduceAllSum(graph.Square(y)), x, w)...)
		}
		return all
	}, testkit.Random(rng, 5, 4), testkit.Random(rng, 4, 4))
	for i, name := range []string{"result", "gradient of x", "gradient of w"} {
		testkit.Close(t, name, out[i], out[3+i], 1e-6)
	}
}
