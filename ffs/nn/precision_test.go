package nn_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/nn"
)

// 1 + 2^-10 is a float32 and no bfloat16, its square's distance from 1 tells which was multiplied;
// the sum of 2^12 ones and a 1 is no bfloat16.
func TestProductPrecision(t *testing.T) {
	const n = 1<<12 + 1
	ones, odd := make([]float32, n), []float32{1 + 1./1024, 0}
	for i := range ones {
		ones[i] = 1
	}
	for _, test := range []struct {
		precision nn.Precision
		square    float32
	}{{nn.Float32, odd[0] * odd[0]}, {"", odd[0] * odd[0]}, {nn.BFloat16, 1}} {
		out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
			nn.UsePrecision(in[0].Graph(), test.precision)
			return []*graph.Node{nn.Product(in[0], in[0]), nn.Product(in[1], in[1]), nn.Product(in[2], in[2])}
		}, [][]float32{odd}, [][]float32{ones}, [][]float32{odd[:1]})
		testkit.Close(t, string(test.precision)+" square", out[0], test.square, 0)
		testkit.Close(t, string(test.precision)+" sum", out[1], float32(n), 0)
		testkit.Close(t, string(test.precision)+" of one factor", out[2], odd[0]*odd[0], 0)
	}
}

// Every form of a layer computes in bf16 what it computes in float32, forward and backward, to the
// precision of the factors.
func TestLayersInBFloat16(t *testing.T) {
	for name, c := range map[string]nn.Conv{
		"1x1": {Out: 6, Kernel: 1}, "1x1 by 2": {Out: 6, Kernel: 1, Stride: 2}, "3x3 by 2": {Out: 6, Kernel: 3, Stride: 2, Bias: true}, "grouped": {Out: 6, Kernel: 3, Groups: 2},
	} {
		t.Run(name, func(t *testing.T) {
			c.Init = nn.HeNormal
			rng := rand.New(rand.NewPCG(3, 4))
			x := testkit.Random(rng, 2, 8, 6, 4)
			store := model.NewStore()
			run := func(p nn.Precision) []*tensors.Tensor {
				return testkit.RunModel(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
					nn.UsePrecision(in[0].Graph(), p)
					y := c.Apply(scope, in[0])
					weight := scope.GetVariable("weight").NodeValue(in[0].Graph())
					return append([]*graph.Node{y}, graph.Gradient(graph.ReduceAllMean(graph.Square(y)), in[0], weight)...)
				}, x)
			}
			want, got := run(nn.Float32), run(nn.BFloat16)
			for i, what := range []string{"result", "gradient of the input", "gradient of the kernel"} {
				a, b := tensors.MustCopyFlatData[float32](got[i]), tensors.MustCopyFlatData[float32](want[i])
				var apart, size float64
				for j := range a {
					apart += float64(a[j]-b[j]) * float64(a[j]-b[j])
					size += float64(b[j]) * float64(b[j])
				}
				if ratio := math.Sqrt(apart / size); !(ratio > 1e-5 && ratio < 1e-2) {
					t.Errorf("%s: differs by %.2g of its size, want that of a rounding to 8 bits", what, ratio)
				}
			}
		})
	}
}
