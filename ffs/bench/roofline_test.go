package bench

import (
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/nn"
)

// A frozen layer, two trained ones and one that the loss does not see, by hand: products of [2*8*6,
// 4] pixels.
func TestCountProducts(t *testing.T) {
	const pixels = 2 * 8 * 6
	first, second, grouped, last := 2.*pixels*4*5, 2.*pixels*9*5*6, 2.*pixels*9*3*6, 2.*pixels*6*7
	count := func(frozen bool) float64 {
		in := parameters(shapes.Make(dtypes.Float32, 2, 8, 6, 4))
		return countProducts(testkit.Backend(t), model.NewStore(), in, func(scope *model.Scope, in []*graph.Node) ([]*graph.Node, *graph.Node) {
			layer := func(name string, c nn.Conv, x *graph.Node) *graph.Node {
				c.Init = nn.HeNormal
				return c.Apply(scope.At("%s", name), x)
			}
			x := layer("first", nn.Conv{Out: 5, Kernel: 1}, in[0])
			if frozen {
				x = graph.StopGradient(x)
			}
			x = layer("second", nn.Conv{Out: 6, Kernel: 3, Bias: true}, x)
			x = layer("grouped", nn.Conv{Out: 6, Kernel: 3, Groups: 2}, x)
			return []*graph.Node{layer("last", nn.Conv{Out: 7, Kernel: 1}, x)}, graph.ReduceAllMean(nn.ReLU(x))
		})
	}
	forward := first + second + grouped + last
	testkit.Close(t, "frozen", count(true), forward+second+2*grouped, 1e-9)
	testkit.Close(t, "trained", count(false), forward+first+2*second+2*grouped, 1e-9)
}

func TestRoof(t *testing.T) {
	o := tinyOptions(t)
	o.Backend = testkit.Backend(t)
	if _, err := Roof(t.Context(), o, 0); err == nil {
		t.Error("matrices without a side are multiplied")
	}
	r, err := Roof(t.Context(), o, 64)
	if err != nil {
		t.Fatal(err)
	}
	if !(r.Dense > 0 && len(r.Bounds) == 3 && len(r.Stages) == 6) {
		t.Fatalf("%g GFLOP/s, bounds %+v, stages %+v", r.Dense, r.Bounds, r.Stages)
	}
	for _, b := range r.Bounds {
		if !(b.GFLOP > 0 && b.Median > 0) {
			t.Errorf("%+v", b)
		}
		testkit.Close(t, b.Part, b.Share, b.GFLOP/r.Dense/b.Median, 1e-12)
	}
	// Detection is its stages and the flow's likelihood of what is found.
	sum := 0.0
	for _, s := range r.Stages {
		if sum += s.GFLOP; !(s.Median > 0) {
			t.Errorf("%+v", s)
		}
	}
	if all := r.Bounds[1].GFLOP; !(sum < all && sum > 0.5*all) {
		t.Errorf("the stages' products are %g GFLOP, those of detection %g", sum, all)
	}
}
