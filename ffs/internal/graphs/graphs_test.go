package graphs_test

import (
	"fmt"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/graphs"
	"ffslab/ffs/internal/testkit"
)

// The product of x [2] and w [], whose gradients are tripled and negated.
func TestWithGradient(t *testing.T) {
	out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
		x, w := in[0], in[1]
		y := graphs.WithGradient(graph.Mul(x, w), func(v *graph.Node) []*graph.Node {
			return []*graph.Node{graph.MulScalar(graph.Mul(v, w), 3), graph.Neg(graph.ReduceAllSum(graph.Mul(v, x)))}
		}, x, w)
		loss := graph.ReduceAllSum(graph.Square(graph.Add(y, x))) // x reaches the loss by itself, too
		return append([]*graph.Node{y}, graph.Gradient(loss, x, w)...)
	}, []float32{1, 2}, float32(5))
	testkit.Close(t, "y", out[0], []float32{5, 10}, 0)
	// v = 2 (y + x) = 12, 24; for x 3 * 5 v + v, for w -(1 v0 + 2 v1)
	testkit.Close(t, "gradient of x", out[1], []float32{192, 384}, 0)
	testkit.Close(t, "gradient of w", out[2], float32(-60), 0)
}

// A value that does not reach the loss keeps the gradient 0.
func TestWithGradientUnused(t *testing.T) {
	out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
		x := in[0]
		unused := graphs.WithGradient(graph.Neg(x), func(v *graph.Node) []*graph.Node { return []*graph.Node{v} }, x)
		return append(graph.Gradient(graph.ReduceAllSum(graph.Square(x)), x), unused)
	}, []float32{1, 2})
	testkit.Close(t, "gradient", out[0], []float32{2, 4}, 0)
}

func TestForEach(t *testing.T) {
	for _, c := range []struct{ begin, end, want int32 }{{0, 4, 6}, {2, 5, 9}, {3, 3, 0}} {
		t.Run(fmt.Sprint(c), func(t *testing.T) {
			out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
				sum := graph.Const(in[0].Graph(), int32(0))
				return graphs.ForEach(in[0], in[1], []*graph.Node{sum}, []*graph.Node{in[2]}, func(i *graph.Node, changing, fixed []*graph.Node) []*graph.Node {
					return []*graph.Node{graph.Add(changing[0], graph.Mul(i, fixed[0]))}
				})
			}, c.begin, c.end, int32(1))
			testkit.Close(t, "sum", out[0], c.want, 0)
		})
	}
}
