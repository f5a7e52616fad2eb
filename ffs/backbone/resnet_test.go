package backbone

import (
	"maps"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/npz"
)

var smallResNet = Config{Family: ResNet, StemWidth: 4, Depth: 50, Norm: FrozenBatchNorm, FPNChannels: 8}

// waveStore holds the parameters that testdata/resnet.py and testdata/efficientnet.py compute:
// values of a sine wave, scaled by what they are.
func waveStore(t *testing.T, c Config) *model.Store {
	t.Helper()
	store := model.NewStore()
	g := graph.NewGraph(testkit.Backend(t), "parameters") // building the graph creates them
	defer g.Finalize()
	c.BottomUp(store.RootScope(), graph.Parameter(g, "images", shapes.Make(dtypes.Float32, 1, 64, 64, 3)), nil)
	variables := map[string]*model.Variable{}
	for v := range store.IterVariables() {
		variables[strings.ReplaceAll(strings.TrimPrefix(v.Path(), "/"), "/", ".")] = v
	}
	for p, name := range slices.Sorted(maps.Keys(variables)) {
		v := variables[name]
		d := v.Shape().Dimensions
		values := make([]float32, v.Shape().Size())
		for i := range values {
			x := math.Sin(0.1 * float64(i+1) * float64(p+1))
			switch {
			case len(d) == 4:
				x *= math.Sqrt(2 / float64(d[0]*d[1]*d[2]))
			case strings.HasSuffix(name, "running_var"), strings.HasSuffix(name, "norm.weight"), strings.Contains(name, "_bn") && strings.HasSuffix(name, ".weight"):
				x = 1 + 0.3*x
			default:
				x *= 0.2
			}
			values[i] = float32(x)
		}
		value := npz.New(values, d...)
		if len(d) == 4 {
			value = transpose(npz.New(values, d[3], d[2], d[0], d[1]), 2, 3, 1, 0)
		}
		if err := v.SetValue(value.Tensor()); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

func TestResNetMatchesPyTorch(t *testing.T) {
	golden := testkit.Golden(t, "testdata/resnet.npz")
	levels := []string{"stem", "res2", "res3", "res4", "res5"}
	for _, where := range []string{"1x1", "3x3"} {
		c := smallResNet
		c.StrideIn1x1 = where == "1x1"
		store := waveStore(t, c)
		n := 0
		for range store.IterVariables() {
			n++
		}
		if want := golden["names"].Ints()[0]; n != want {
			t.Fatalf("%d parameters, want %d", n, want)
		}
		inputs := []any{transpose(golden["image"], 0, 2, 3, 1).Tensor()}
		for _, level := range levels {
			shape := golden[where+"."+level].Shape
			weights := make([]float32, shape[0]*shape[1]*shape[2]*shape[3])
			for i := range weights {
				weights[i] = float32(math.Cos(float64(i)))
			}
			inputs = append(inputs, transpose(npz.New(weights, shape...), 0, 2, 3, 1).Tensor())
		}
		outputs := testkit.RunModel(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
			maps := resNet{c}.outputs(scope, in[0], nil)
			total := graph.ScalarZero(in[0].Graph(), dtypes.Float32)
			for i, m := range maps {
				total = graph.Add(total, graph.ReduceAllSum(graph.Mul(m, in[1+i])))
			}
			kernel := scope.Store().GetVariable("/res3/0/conv2/weight").NodeValue(in[0].Graph())
			return append(maps, graph.Gradient(total, in[0], kernel)...)
		}, inputs...)
		for i, level := range levels {
			testkit.Close(t, where+" "+level, outputs[i], transpose(golden[where+"."+level], 0, 2, 3, 1).Tensor(), 2e-5)
		}
		testkit.Close(t, where+" image gradient", outputs[5], transpose(golden[where+".grad.image"], 0, 2, 3, 1).Tensor(), 1e-4)
		testkit.Close(t, where+" kernel gradient", outputs[6], transpose(golden[where+".grad.res3.0.conv2.weight"], 2, 3, 1, 0).Tensor(), 1e-4)
	}
}

// TestResNetPaddingChangesNothing puts one image on its own canvas and on a larger one full of
// noise.
func TestResNetPaddingChangesNothing(t *testing.T) {
	c := smallResNet
	c.StrideIn1x1 = true
	store := waveStore(t, c)
	pyramid := func(side int, image func(y, x, k int) float32) []*tensors.Tensor {
		values := make([]float32, side*side*3)
		for i := range values {
			values[i] = image(i/3/side, i/3%side, i%3)
		}
		return testkit.RunModel(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
			return c.Pyramid(scope, in[0], in[1])
		}, tensors.FromFlatDataAndDimensions(values, 1, side, side, 3), [][]int32{{64, 64}})
	}
	at := func(y, x, k int) float32 { return float32(math.Sin(float64(3*y+7*x+k) * 0.37)) }
	alone := pyramid(64, at)
	padded := pyramid(128, func(y, x, k int) float32 {
		if y >= 64 || x >= 64 {
			return 5
		}
		return at(y, x, k)
	})
	for i, stride := range Strides[:4] {
		side := 64 / stride
		wide := tensors.MustCopyFlatData[float32](padded[i])
		row := 2 * side * c.FPNChannels
		var corner []float32
		for y := range side {
			corner = append(corner, wide[y*row:y*row+side*c.FPNChannels]...)
		}
		testkit.Close(t, "level", corner, alone[i], 5e-5) // 50 layers of rounding, on maps of other sizes
	}
}

func TestValidateResNet(t *testing.T) {
	good := smallResNet
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	regnet := tiny
	regnet.StrideIn1x1 = true
	if err := regnet.Validate(); err == nil || !strings.Contains(err.Error(), "stride_in_1x1") {
		t.Errorf("a regnet with a resnet's setting: error %v", err)
	}
	for want, change := range map[string]func(*Config){
		"depth: 23": func(c *Config) { c.Depth = 23 },
		"w_0: 96":   func(c *Config) { c.W0 = 96 },
		"norm:":     func(c *Config) { c.Norm = "" },
	} {
		bad := smallResNet
		change(&bad)
		if err := bad.Validate(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}
