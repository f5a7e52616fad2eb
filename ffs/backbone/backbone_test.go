package backbone

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/google/go-cmp/cmp"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/npz"
)

var tiny = Config{StemWidth: 16, Depth: 6, WA: 24, W0: 24, WM: 2, GroupWidth: 8, Norm: FrozenBatchNorm, FreezeAt: 2, FPNChannels: 32}

func TestDesignsMatchTheReference(t *testing.T) {
	raw, err := os.ReadFile("testdata/regnet.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference map[string]json.RawMessage
	if err := json.Unmarshal(raw, &reference); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"RegNetX-4.0GF", "RegNetY-4.0GF", "tiny", "tiny_needs_adjusting", "RegNetX-400MF-params", "RegNetY-800MF-params"} {
		var want struct {
			Params struct {
				Depth      int     `json:"depth"`
				WA         float64 `json:"w_a"`
				W0         int     `json:"w_0"`
				WM         float64 `json:"w_m"`
				GroupWidth int     `json:"group_width"`
			}
			Widths      []int
			Depths      []int
			GroupWidths []int `json:"group_widths"`
		}
		if err := json.Unmarshal(reference[name], &want); err != nil {
			t.Fatal(err)
		}
		p := want.Params
		got, err := Config{Depth: p.Depth, WA: p.WA, W0: p.W0, WM: p.WM, GroupWidth: p.GroupWidth}.Design()
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(Design{want.Widths, want.Depths, want.GroupWidths}, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// torchvision's rounding gives some of its RegNets other widths than the paper's: its
// regnet_x_400mf, regnet_y_800mf, regnet_y_8gf and, for all others, regnet_x_3_2gf.
func TestDesignsMatchTorchvision(t *testing.T) {
	tests := []struct {
		name           string
		published, own []int // widths by the two rules
		depths         []int
		group          int
	}{
		{"regnetx_004", []int{32, 64, 160, 384}, []int{32, 64, 160, 400}, []int{1, 2, 7, 12}, 16},
		{"regnety_008", []int{64, 128, 320, 768}, []int{64, 144, 320, 784}, []int{1, 3, 8, 2}, 16},
		{"regnety_080", []int{168, 448, 896, 2016}, []int{224, 448, 896, 2016}, []int{2, 4, 10, 1}, 56},
		{"regnetx_032", []int{96, 192, 432, 1008}, []int{96, 192, 432, 1008}, []int{2, 6, 15, 2}, 48},
	}
	for _, test := range tests {
		for rounding, widths := range map[WidthRounding][]int{RoundNearest: test.published, RoundTorchvision: test.own} {
			want := Design{widths, test.depths, slices.Repeat([]int{test.group}, 4)}
			name, c, ok := Published(want, strings.HasPrefix(test.name, "regnety"))
			if !ok || name != test.name {
				t.Errorf("%v is of %q, %v; want %s", want, name, ok, test.name)
				continue
			}
			c.WidthRounding = rounding
			if got, err := c.Design(); err != nil || !got.Equal(want) {
				t.Errorf("%s with rounding %q: %v, %v; want %v", name, rounding, got, err, want)
			}
		}
	}
	if name, _, ok := Published(Design{[]int{8, 16, 32, 64}, []int{1, 1, 1, 1}, []int{8, 8, 8, 8}}, false); ok {
		t.Errorf("a design of nobody's is %s", name)
	}
}

// A RegNetY's backbone with its pyramid has the reference's names and shapes, squeeze and
// excitation among them.
func TestRegNetYHasTheReferencesParameters(t *testing.T) {
	raw, err := os.ReadFile("testdata/regnet.json")
	if err != nil {
		t.Fatal(err)
	}
	var reference struct {
		Want []struct {
			Name  string
			Shape []int
		} `json:"regnety_fpn_backbone_state_dict"`
	}
	if err := json.Unmarshal(raw, &reference); err != nil {
		t.Fatal(err)
	}
	config := Config{StemWidth: 32, Depth: 22, WA: 31.41, W0: 96, WM: 2.24, GroupWidth: 64, SERatio: 0.25, Norm: FrozenBatchNorm, FreezeAt: 2, FPNChannels: 256}
	store := model.NewStore()
	g := graph.NewGraph(testkit.Backend(t), "parameters")
	defer g.Finalize()
	config.Pyramid(store.RootScope(), graph.Parameter(g, "images", shapes.Make(dtypes.Float32, 1, 64, 64, 3)), nil)
	want, got := map[string][]int{}, map[string][]int{}
	for _, p := range reference.Want {
		want[p.Name] = p.Shape
	}
	for v := range store.IterVariables() {
		name, shape := strings.ReplaceAll(strings.TrimPrefix(v.Path(), "/"), "/", "."), v.Shape().Dimensions
		if len(shape) == 4 { // [height, width, in, out] here, [out, in, height, width] there
			shape = []int{shape[3], shape[2], shape[0], shape[1]}
		}
		got[name] = shape
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) == 0 {
		t.Errorf("%d parameters (-want +got):\n%s", len(want), diff)
	}
}

// load puts the reference's parameters (OIHW kernels) where the backbone looks for them.
func load(t *testing.T, store *model.Store, golden npz.Arrays) {
	t.Helper()
	for _, name := range golden.Names() {
		path, isParam := strings.CutPrefix(name, "param.")
		if !isParam {
			continue
		}
		value := golden[name]
		if len(value.Shape) == 4 {
			value = transpose(value, 2, 3, 1, 0)
		}
		if _, err := store.CreateVariable("/"+strings.ReplaceAll(path, ".", "/"), value.Tensor()); err != nil {
			t.Fatal(err)
		}
	}
}

// transpose permutes the axes of a float array of rank 4: axis i of the result is axis order[i] of
// a.
func transpose(a *npz.Array, order ...int) *npz.Array {
	from, stride := a.Float32s(), []int{a.Shape[1] * a.Shape[2] * a.Shape[3], a.Shape[2] * a.Shape[3], a.Shape[3], 1}
	d, s := make([]int, 4), make([]int, 4)
	for i, o := range order {
		d[i], s[i] = a.Shape[o], stride[o]
	}
	to := make([]float32, 0, len(from))
	for i := range d[0] {
		for j := range d[1] {
			for k := range d[2] {
				for l := range d[3] {
					to = append(to, from[i*s[0]+j*s[1]+k*s[2]+l*s[3]])
				}
			}
		}
	}
	return npz.New(to, d...)
}

func TestPyramidAndGradientsMatchTheReference(t *testing.T) {
	golden := testkit.Golden(t, "testdata/backbone.npz")
	store := model.NewStore()
	load(t, store, golden)
	levels := []string{"p2", "p3", "p4", "p5", "p6"}
	inputs := []any{transpose(golden["image"], 0, 2, 3, 1).Tensor()}
	for _, level := range levels {
		inputs = append(inputs, transpose(golden["gradw."+level], 0, 2, 3, 1).Tensor())
	}
	var gradNames []string
	for _, name := range golden.Names() {
		if gradName, ok := strings.CutPrefix(name, "grad."); ok {
			gradNames = append(gradNames, gradName)
		}
	}
	if len(gradNames) == 0 {
		t.Fatal("the reference has no gradients")
	}
	outputs := testkit.RunModel(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		network, err := newRegNet(tiny)
		if err != nil {
			t.Fatal(err)
		}
		bottomUp := network.(regNet).outputs(scope.At("bottom_up"), in[0], nil)
		pyramid := tiny.Pyramid(scope, in[0], nil)
		var scalar *graph.Node
		for i, p := range pyramid {
			term := graph.ReduceAllSum(graph.Mul(p, in[1+i]))
			if scalar == nil {
				scalar = term
			} else {
				scalar = graph.Add(scalar, term)
			}
		}
		var params []*graph.Node
		for _, name := range gradNames {
			params = append(params, store.GetVariable("/"+strings.ReplaceAll(name, ".", "/")).NodeValue(in[0].Graph()))
		}
		return append(append(bottomUp, pyramid...), graph.Gradient(scalar, params...)...)
	}, inputs...)
	for i, name := range append([]string{"stem", "s1", "s2", "s3", "s4"}, levels...) {
		testkit.Close(t, name, outputs[i], transpose(golden[name], 0, 2, 3, 1), 1e-4)
	}
	for i, name := range gradNames {
		want := golden["grad."+name]
		if len(want.Shape) == 4 {
			want = transpose(want, 2, 3, 1, 0)
		}
		testkit.Close(t, "grad."+name, outputs[10+i], want, 1e-3)
	}
}

// A 64x96 image gives the same features on its own canvas as in the corner of a 128x160 one,
// whatever the margin holds.
func TestMarginChangesNothing(t *testing.T) {
	for _, norm := range []Norm{FrozenBatchNorm, GroupNorm} {
		config := tiny
		config.Norm, config.SERatio = norm, 0.25
		if norm == GroupNorm {
			config.FPNNorm = norm
		}
		store := model.NewStore()
		pyramid := func(margin float32, height, width int) []*tensors.Tensor {
			pixels := make([]float32, height*width*3)
			for y := range height {
				for x := range width {
					for c := range 3 {
						i := (y*width+x)*3 + c
						pixels[i] = margin
						if y < 64 && x < 96 {
							pixels[i] = float32((y*96+x)*3+c)/9000 - 1
						}
					}
				}
			}
			return testkit.RunModel(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
				g := in[0].Graph()
				levels := config.Pyramid(scope, in[0], graph.Const(g, [][]int32{{60, 90}}))
				for i, p := range levels {
					h, w := (64+Strides[i]-1)/Strides[i], (96+Strides[i]-1)/Strides[i]
					levels[i] = graph.Slice(p, graph.AxisRange(), graph.AxisRange(0, h), graph.AxisRange(0, w), graph.AxisRange())
				}
				return levels
			}, tensors.FromFlatDataAndDimensions(pixels, 1, height, width, 3))
		}
		alone, padded := pyramid(0, 64, 96), pyramid(7, 128, 160)
		for i := range alone {
			testkit.Close(t, string(norm)+" level "+shapes.Make(0, i).String(), padded[i], tensors.MustCopyFlatData[float32](alone[i]), 1e-5)
		}
	}
}
