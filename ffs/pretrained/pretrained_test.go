package pretrained

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/checkpoint"
	"ffslab/ffs/config"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/npz"
)

// parameter is value i of the p-th parameter of testdata/features.py.
func parameter(p, i int, name string, shape []int) float32 {
	h := uint32(i) + uint32(p)*0x9E3779B1
	h = (h ^ h>>16) * 0x7FEB352D
	h = (h ^ h>>15) * 0x846CA68B
	h ^= h >> 16
	x := float64(h>>8)/(1<<23) - 1
	switch {
	case len(shape) > 1:
		fanIn := 1
		for _, d := range shape[1:] {
			fanIn *= d
		}
		x *= math.Sqrt(6 / float64(fanIn))
	case strings.HasSuffix(name, "running_var"), strings.HasSuffix(name, "weight"):
		x = 0.75 + 0.25*x
	default:
		x *= 0.2
	}
	return float32(x)
}

// classifier is the file that the library would save of the network in testdata/features.npz.
func classifier(t *testing.T, golden npz.Arrays, network string) *checkpoint.File {
	t.Helper()
	f := &checkpoint.File{Path: network}
	for p, line := range strings.Split(strings.TrimSpace(string(bytesOf(golden[network+".parameters"]))), "\n") {
		words := strings.Fields(line)
		shape, n := make([]int, len(words)-1), 1
		for i, word := range words[1:] {
			fmt.Sscan(word, &shape[i])
			n *= shape[i]
		}
		data := make([]byte, 0, 4*n)
		for i := range n {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(parameter(p, i, words[0], shape)))
		}
		tensor, err := checkpoint.NewTensor(words[0], dtypes.Float32, shape, data)
		if err != nil {
			t.Fatal(err)
		}
		f.Tensors = append(f.Tensors, tensor)
	}
	return f
}

func bytesOf(a *npz.Array) []byte {
	var text []byte
	for _, v := range a.Ints() {
		text = append(text, byte(v))
	}
	return text
}

// networkOf returns a store with the parameters of the configuration's backbone.
func networkOf(t *testing.T, c config.Config) *model.Store {
	t.Helper()
	store := model.NewStore()
	g := graph.NewGraph(testkit.Backend(t), "parameters")
	defer g.Finalize()
	c.Model.Pyramid().BottomUp(store.RootScope().At("backbone").At("bottom_up"), graph.Parameter(g, "images", shapes.Make(dtypes.Float32, 1, 64, 64, 3)), nil)
	return store
}

// The features that a library computes from an RGB image are those of the imported backbone on the
// image as the detector sees it: BGR, normalised by the configuration.
func TestFeaturesAreTheLibraries(t *testing.T) {
	golden := testkit.Golden(t, "testdata/features.npz")
	const kept = 11
	tests := []struct{ network, preset, library, name string }{
		{"timm.regnetx_002", "voc", "timm", "regnetx_002"},
		{"timm.regnety_002", "aquarium", "timm", "regnety_002"},
		{"timm.resnet50", "voc-resnet50", "torchvision or timm", "resnet50"},
		{"torchvision.regnet_x_400mf", "voc", "torchvision", "regnetx_004"},
		{"torchvision.regnet_y_400mf", "digits", "torchvision", "regnety_004"},
		{"torchvision.resnet50", "voc", "torchvision or timm", "resnet50"},
		{"pycls.RegNetY-200MF", "voc-resnet50", "pycls or detectron2", "regnety_002"},
		{"pycls.ResNet-50", "voc", "pycls", "resnet50"},
	}
	for _, test := range tests {
		t.Run(test.network, func(t *testing.T) {
			w, err := Recognise(classifier(t, golden, test.network))
			if err != nil || w == nil {
				t.Fatalf("recognised %v, error %v", w, err)
			}
			if w.Library != test.library || w.Network != test.name || w.RGB != !strings.HasPrefix(test.network, "pycls") || len(w.LeftOut) != 2 {
				t.Errorf("recognised as %v, left out %v", w, w.LeftOut)
			}
			c, err := config.Preset(test.preset)
			if err != nil {
				t.Fatal(err)
			}
			if c, err = w.Configure(c); err == nil {
				err = c.Validate()
			}
			if err != nil {
				t.Fatal(err)
			}
			store := networkOf(t, c)
			if report, err := w.Load(store); err != nil || len(report.Missing) > 0 {
				t.Fatalf("loaded %v, error %v", report, err)
			}
			image := golden["image"]
			pixels := make([]float32, len(image.Ints()))
			for i, v := range image.Ints() {
				bgr := 2 - i%3
				pixels[i-i%3+bgr] = float32((float64(v) - c.Input.PixelMean[bgr]) / c.Input.PixelStd[bgr])
			}
			stages := testkit.RunModel(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
				stages := c.Model.Pyramid().BottomUp(scope.At("backbone").At("bottom_up"), in[0], nil)
				for i, s := range stages {
					stages[i] = graph.TransposeAllAxes(s, 0, 3, 1, 2)
				}
				return stages
			}, tensors.FromFlatDataAndDimensions(pixels, 1, image.Shape[0], image.Shape[1], 3))
			for i, stage := range stages {
				all := tensors.MustCopyFlatData[float32](stage)
				want := golden[fmt.Sprintf("%s.s%d", test.network, i+1)].Float32s()
				largest, worst := 0.0, 0.0
				for j := range want {
					largest = max(largest, math.Abs(float64(want[j])))
					worst = max(worst, math.Abs(float64(all[kept*j]-want[j])))
				}
				t.Logf("s%d: %d numbers within %.2g of the largest, %.3g", i+1, len(want), worst/largest, largest)
				if (len(all)+kept-1)/kept != len(want) || largest == 0 || !(worst <= 1e-4*largest) {
					t.Errorf("s%d: off by %.3g of the largest, %.3g; want at most 1e-4", i+1, worst/largest, largest)
				}
			}
		})
	}
}

// A file is refused that is like a classifier's and cannot be a backbone, and says why; one with
// the names of none, and a detector's own, are left to others.
func TestRecogniseRefuses(t *testing.T) {
	golden := testkit.Golden(t, "testdata/features.npz")
	of := func(network string, change func(f *checkpoint.File)) *checkpoint.File {
		f := classifier(t, golden, network)
		change(f)
		return f
	}
	renamed := func(from, to string) func(*checkpoint.File) {
		return func(f *checkpoint.File) {
			for i := range f.Tensors {
				f.Tensors[i].Name = strings.TrimPrefix(strings.Replace("^"+f.Tensors[i].Name, from, to, 1), "^")
			}
		}
	}
	without := func(part string) func(*checkpoint.File) {
		return func(f *checkpoint.File) {
			f.Tensors = slices.DeleteFunc(f.Tensors, func(t checkpoint.Tensor) bool { return strings.Contains(t.Name, part) })
		}
	}
	for want, file := range map[string]*checkpoint.File{
		"blocks; want one of 50":         of("torchvision.resnet50", without("layer3.5.")),
		`no kernel that is "stem.conv1"`: of("torchvision.resnet50", renamed("^conv1.weight", "conv1.0.weight")),
		`"s1.b1.attention.fc1" is none`:  of("timm.regnety_002", renamed("se.", "attention.")),
		"more than one network": of("timm.regnetx_002", func(f *checkpoint.File) {
			twice := slices.Clone(f.Tensors)
			for i := range twice {
				twice[i].Name = "ema." + twice[i].Name
			}
			f.Tensors = append(f.Tensors, twice...)
		}),
	} {
		if w, err := Recognise(file); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("recognised %v, error %v; want one with %q", w, err, want)
		}
	}
	for _, prefix := range []string{"backbone.bottom_up.", "other"} {
		file := of("pycls.RegNetY-200MF", func(f *checkpoint.File) {
			for i := range f.Tensors {
				f.Tensors[i].Name = prefix + f.Tensors[i].Name
			}
		})
		if w, err := Recognise(file); w != nil || err != nil {
			t.Errorf("with %q before all names: recognised %v, error %v", prefix, w, err)
		}
	}
}

// A backbone is loaded whole or not at all: one tensor less, or settings of another network, and
// the error says what was expected and what was found.
func TestLoadWantsAll(t *testing.T) {
	golden := testkit.Golden(t, "testdata/features.npz")
	whole := classifier(t, golden, "timm.regnety_002")
	whole.Tensors = slices.DeleteFunc(whole.Tensors, func(t checkpoint.Tensor) bool { return t.Name == "s2.b1.conv2.bn.bias" })
	w, err := Recognise(whole)
	if err != nil {
		t.Fatal(err)
	}
	preset, err := config.Preset("voc")
	if err != nil {
		t.Fatal(err)
	}
	c, err := w.Configure(preset)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Load(networkOf(t, c)); err == nil || !strings.Contains(err.Error(), "missing s2.b1.f.b_bn.bias") {
		t.Errorf("error %v, want one that names the missing bias", err)
	}
	c.Model.Backbone.SERatio = 0
	if _, err := w.Load(networkOf(t, c)); err == nil || !strings.Contains(err.Error(), "unknown s1.b1.f.se.f_ex.0.") {
		t.Errorf("error %v, want one that names the layers that a RegNetX does not have", err)
	}
	if _, err := w.Load(networkOf(t, preset)); err == nil || !strings.Contains(err.Error(), "of shape [24") {
		t.Errorf("error %v, want one that names shapes", err)
	}
}
