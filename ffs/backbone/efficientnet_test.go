package backbone

import (
	"math"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/npz"
)

var lite = Config{Family: EfficientNetLite, Norm: FrozenBatchNorm, FPNChannels: 8}

// relative divides both by the largest of want, so that a tolerance is one of the array's scale.
func relative(got *tensors.Tensor, want *npz.Array) (g, w []float64) {
	scale := 0.0
	for _, v := range want.Float64s() {
		scale = max(scale, math.Abs(v))
	}
	for _, v := range tensors.MustCopyFlatData[float32](got) {
		g = append(g, float64(v)/scale)
	}
	for _, v := range want.Float64s() {
		w = append(w, v/scale)
	}
	return g, w
}

func TestEfficientNetLiteMatchesPyTorch(t *testing.T) {
	golden := testkit.Golden(t, "testdata/efficientnet.npz")
	store := waveStore(t, lite)
	n := 0
	for range store.IterVariables() {
		n++
	}
	if want := golden["parameters"].Ints()[0]; n != want {
		t.Fatalf("%d parameters, want %d", n, want)
	}
	maps := []string{"s4", "s8", "s16", "s32"}
	gradients := []string{"_conv_stem.weight", "_blocks.3._depthwise_conv.weight", "_blocks.8._expand_conv.weight"}
	inputs := []any{transpose(golden["image"], 0, 2, 3, 1).Tensor()}
	for _, name := range maps {
		shape := golden[name].Shape
		weights := make([]float32, shape[0]*shape[1]*shape[2]*shape[3])
		for i := range weights {
			weights[i] = float32(math.Cos(float64(i)))
		}
		inputs = append(inputs, transpose(npz.New(weights, shape...), 0, 2, 3, 1).Tensor())
	}
	outputs := testkit.RunModel(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		g := in[0].Graph()
		stages := lite.BottomUp(scope, graph.Reverse(in[0], 3), nil) // the reference's image is RGB, ours are BGR
		total := graph.ScalarZero(g, dtypes.Float32)
		for i, m := range stages {
			total = graph.Add(total, graph.ReduceAllSum(graph.Mul(m, in[1+i])))
		}
		var parameters []*graph.Node
		for _, name := range gradients {
			parameters = append(parameters, store.GetVariable("/"+strings.ReplaceAll(name, ".", "/")).NodeValue(g))
		}
		return append(stages, graph.Gradient(total, parameters...)...)
	}, inputs...)
	for i, name := range maps {
		got, want := relative(outputs[i], transpose(golden[name], 0, 2, 3, 1))
		testkit.Close(t, name, got, want, 1e-4)
	}
	for i, name := range gradients {
		got, want := relative(outputs[len(maps)+i], transpose(golden["grad."+name], 2, 3, 1, 0))
		testkit.Close(t, "gradient of "+name, got, want, 1e-4)
	}
}

// An image of a size that no stride divides gives the same features on its own canvas as in the
// corner of a larger one full of noise.
func TestEfficientNetLitePaddingChangesNothing(t *testing.T) {
	store := waveStore(t, lite)
	stages := func(side int) []*tensors.Tensor {
		values := make([]float32, side*side*3)
		for i := range values {
			y, x := i/3/side, i/3%side
			if values[i] = 5; y < 50 && x < 61 {
				values[i] = float32(math.Sin(float64(3*y+7*x+i%3) * 0.37))
			}
		}
		return testkit.RunModel(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
			maps := lite.BottomUp(scope, in[0], in[1])
			for i, m := range maps {
				end := func(size int) graph.SliceAxisSpec { return graph.AxisRange(0, (size+Strides[i]-1)/Strides[i]) }
				maps[i] = graph.Slice(m, graph.AxisRange(), end(50), end(61), graph.AxisRange())
			}
			return maps
		}, tensors.FromFlatDataAndDimensions(values, 1, side, side, 3), [][]int32{{50, 61}})
	}
	alone, padded := stages(64), stages(128)
	for i := range alone {
		testkit.Close(t, "level", padded[i], alone[i], 1e-5)
	}
}

// freeze_at counts the strides from 2 on.
func TestEfficientNetLiteFreezes(t *testing.T) {
	for path, level := range map[string]int{
		"_conv_stem/weight": 0, "_blocks/0/_depthwise_conv/weight": 0, "_blocks/1/_expand_conv/weight": 1, "_blocks/2/_project_conv/weight": 1,
		"_blocks/4/_expand_conv/weight": 2, "_blocks/10/_expand_conv/weight": 3, "_blocks/11/_expand_conv/weight": 4, "_blocks/15/_project_conv/weight": 4,
	} {
		for freezeAt := range 6 {
			c := lite
			c.FreezeAt = freezeAt
			network, err := c.network()
			if err != nil {
				t.Fatal(err)
			}
			if got := network.Frozen(path); got != (level < freezeAt) {
				t.Errorf("freeze_at %d: %s is frozen: %v", freezeAt, path, got)
			}
		}
	}
}

func TestValidateEfficientNetLite(t *testing.T) {
	if err := lite.Validate(); err != nil {
		t.Error(err)
	}
	for want, change := range map[string]func(*Config){
		"depth: 23":        func(c *Config) { c.Depth = 23 },
		"norm: group_norm": func(c *Config) { c.Norm = GroupNorm },
		"se_ratio: 0.25":   func(c *Config) { c.SERatio = 0.25 },
	} {
		bad := lite
		change(&bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
