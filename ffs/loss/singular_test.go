package loss

import (
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/npz"
)

// Values and gradients of both terms are torch.linalg.svdvals' (testdata/singular.py), relative to
// the largest of each array. The weight "ill" has a condition number of 1000, which its float32
// gradients pay for.
func TestSingularTermsArePyTorchs(t *testing.T) {
	golden := testkit.Golden(t, "testdata/singular.npz")
	for name, tolerance := range map[string]float64{"voc": 1e-6, "small": 1e-6, "two": 1e-6, "odd": 1e-6, "ill": 1e-4} {
		weight, values := golden[name+".weight"], golden[name+".values"].Float64s()
		for _, term := range []string{"least_singular_value", "condition_number"} {
			f, err := New(term, nil)
			if err != nil {
				t.Fatal(err)
			}
			outputs := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
				least, greatest := ExtremeSingularValues(in[0])
				value := f(Input{ClassWeight: in[0], Share: 1})
				return append([]*graph.Node{least, greatest, value}, graph.Gradient(value, in[0])...)
			}, weight.Tensor())
			for i, want := range [][]float64{
				values[len(values)-1:], values[:1], golden[name+"."+term].Float64s(), golden[name+"."+term+".grad"].Float64s(),
			} {
				got := npz.New(tensors.MustCopyFlatData[float32](outputs[i]), len(want)).Float64s()
				largest, worst := 0.0, 0.0
				for j := range want {
					largest, worst = max(largest, math.Abs(want[j])), max(worst, math.Abs(got[j]-want[j]))
				}
				if !(worst <= tolerance*largest) {
					t.Errorf("%s, %s: output %d is off by %.2g of %.4g", name, term, i, worst, largest)
				}
				t.Logf("%s, %s, output %d: off by %.1g of the largest", name, term, i, worst/largest)
			}
		}
	}
}
