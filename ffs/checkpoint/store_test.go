package checkpoint

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/google/go-cmp/cmp"
)

func detector(t *testing.T) *File {
	t.Helper()
	f, err := Open("testdata/detector.pth")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func float32s(t *testing.T, tensor Tensor) []float32 {
	t.Helper()
	values, err := tensor.Float32()
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func TestDetectorIntoAnEmptyStore(t *testing.T) {
	f, store := detector(t), model.NewStore()
	report, err := LoadInto(store, f)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"pixel_mean", "pixel_std", "roi_heads.weight_energy.bias"}
	if diff := cmp.Diff(want, report.Dropped); diff != "" {
		t.Errorf("dropped (-want +got):\n%s", diff)
	}
	if len(f.Tensors) != 171 || len(report.Loaded) != 168 || len(report.LeftOut)+len(report.Missing)+len(report.WrongShape) != 0 {
		t.Errorf("of %d tensors: %s", len(f.Tensors), report)
	}
	if f.Values["iteration"] == nil {
		t.Error("the iteration is missing")
	}

	// A grouped 3x3 convolution: ours[y, x, i, o] = theirs[o, i, y, x].
	conv, _ := f.Tensor("backbone.bottom_up.s4.b1.f.b.weight")
	theirs, v := float32s(t, conv), store.GetVariable("/backbone/bottom_up/s4/b1/f/b/weight")
	ours := tensors.MustCopyFlatData[float32](v.MustValue())
	if dims := v.Shape().Dimensions; !slices.Equal(dims, []int{3, 3, 8, 192}) {
		t.Fatalf("convolution's shape %v", dims)
	}
	for _, at := range [][4]int{{0, 0, 0, 0}, {1, 2, 3, 4}, {2, 1, 7, 191}} {
		y, x, i, o := at[0], at[1], at[2], at[3]
		if got, want := ours[((y*3+x)*8+i)*192+o], theirs[((o*8+i)*3+y)*3+x]; got != want {
			t.Errorf("convolution at %v: %v, want %v", at, got, want)
		}
	}

	// The layer after the pooling: ours[f, (y, x, c)] = theirs[f, (c, y, x)].
	fc, _ := f.Tensor("roi_heads.box_head.fc1.weight")
	theirs = float32s(t, fc)
	ours = tensors.MustCopyFlatData[float32](store.GetVariable("/roi_heads/box_head/fc1/weight").MustValue())
	for _, at := range [][4]int{{0, 0, 0, 0}, {5, 1, 2, 3}, {63, 6, 5, 31}} {
		row, y, x, c := at[0], at[1], at[2], at[3]
		if got, want := ours[row*1568+(y*7+x)*32+c], theirs[row*1568+(c*7+y)*7+x]; got != want {
			t.Errorf("fc1 at %v: %v, want %v", at, got, want)
		}
	}
	if dtype := store.GetVariable("/roi_heads/flow_model/module_list/1/perm").DType(); dtype != dtypes.Int32 {
		t.Errorf("the permutation is %s", dtype)
	}
}

func TestExportRestoresEveryParameter(t *testing.T) {
	f, store := detector(t), model.NewStore()
	if _, err := LoadInto(store, f); err != nil {
		t.Fatal(err)
	}
	if _, err := store.CreateVariable("/optimizer/momentum", tensors.FromScalar(float32(1))); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "out.safetensors")
	if err := Export(store, path, nil); err != nil {
		t.Fatal(err)
	}
	exported, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if len(exported.Tensors) != 168 || exported.Values["format"] != "pt" {
		t.Errorf("%d tensors, metadata %v", len(exported.Tensors), exported.Values)
	}
	for _, got := range exported.Tensors {
		want, ok := f.Tensor(got.Name)
		if !ok || !slices.Equal(got.Shape, want.Shape) {
			t.Errorf("%s: shape %v, want %v", got.Name, got.Shape, want.Shape)
		} else if want.DType == dtypes.Float32 && string(got.Bytes()) != string(want.Bytes()) {
			t.Errorf("%s: elements differ from the original's", got.Name)
		}
	}
	restored := model.NewStore()
	if _, err := LoadInto(restored, exported); err != nil {
		t.Fatal(err)
	}
	for _, v := range modelVariables(store) {
		if w := restored.GetVariable(v.Path()); w == nil || !w.MustValue().Equal(v.MustValue()) {
			t.Errorf("%s is not what was exported", v.Path())
		}
	}
}

func TestBackboneIntoAModel(t *testing.T) {
	store := model.NewStore()
	create := func(path string, value any) {
		t.Helper()
		if _, err := store.CreateVariable(path, tensors.MustFromAnyValue(value)); err != nil {
			t.Fatal(err)
		}
	}
	create("/backbone/stem/conv/weight", [][][][]float32{{{{1, 2}}}}) // [1, 1, 1, 2]
	create("/backbone/stem/bn/weight", []float32{1, 2, 3})
	create("/roi_heads/fc/bias", []float32{7})
	create("/optimizer/stem/bn/weight", []float32{8, 8, 8})
	tensor := func(name string, shape []int, values ...byte) Tensor {
		t.Helper()
		data := make([]byte, 0, 4*len(values))
		for _, v := range values {
			data = append(data, 0, 0, v, 0x40) // 2 and a little more
		}
		made, err := NewTensor(name, dtypes.Float32, shape, data)
		if err != nil {
			t.Fatal(err)
		}
		return made
	}
	f := &File{Path: "b.pth", Tensors: []Tensor{tensor("stem.conv.weight", []int{2, 1, 1, 1}, 0, 64), tensor("stem.bn.weight", []int{2}, 1, 2),
		tensor("head.weight", nil, 1), tensor("stem.bn.num_batches_tracked", nil, 1)}}
	report, err := LoadInto(store, f)
	if err != nil {
		t.Fatal(err)
	}
	want := Report{
		Matching: Matching{
			Loaded:     []Pair{{"backbone.stem.conv.weight", "stem.conv.weight"}},
			WrongShape: []Mismatch{{Pair{"backbone.stem.bn.weight", "stem.bn.weight"}, []int{3}, []int{2}}},
			Missing:    []string{"roi_heads.fc.bias"}, LeftOut: []string{"head.weight"},
		},
		Dropped: []string{"stem.bn.num_batches_tracked"},
	}
	if diff := cmp.Diff(want, report); diff != "" {
		t.Errorf("report (-want +got):\n%s", diff)
	}
	line := "loaded 1 tensors; missing 1 (roi_heads.fc.bias); wrong shape 1 (backbone.stem.bn.weight: file [2], model [3]); " +
		"left out 1 (head.weight); dropped as unused 1 (stem.bn.num_batches_tracked)"
	if report.String() != line {
		t.Errorf("in words: %s", report)
	}
	if got := tensors.MustCopyFlatData[float32](store.GetVariable("/backbone/stem/conv/weight").MustValue()); !slices.Equal(got, []float32{2, 3}) {
		t.Errorf("convolution = %v", got)
	}

	f.Tensors = f.Tensors[2:3]
	if _, err := LoadInto(store, f); err == nil || !strings.Contains(err.Error(), "b.pth") || !strings.Contains(err.Error(), "head.weight") {
		t.Errorf("a file of which nothing fits: %v", err)
	}
	f.Tensors = []Tensor{tensor("roi_heads.fc.bias", []int{1}, 0), {Name: "stem.conv.weight", DType: dtypes.Int64, Shape: []int{2, 1, 1, 1},
		storage: &storage{dtype: dtypes.Int64, count: 2, data: make([]byte, 16)}, strides: []int{1, 1, 1, 1}}}
	if _, err := LoadInto(store, f); err == nil {
		t.Error("integers were loaded into a convolution")
	}
	if got := tensors.MustCopyFlatData[float32](store.GetVariable("/roi_heads/fc/bias").MustValue()); got[0] != 7 {
		t.Error("a failed load changed the store")
	}
}

func TestLayoutErrors(t *testing.T) {
	for name, shape := range map[string][]int{
		flattening: {2, 50}, "": {1}, "a..b": {1}, "a/b": {1}, ".a": {1},
	} {
		n := 1
		for _, d := range shape {
			n *= d
		}
		tensor, err := NewTensor(name, dtypes.Uint8, shape, make([]byte, n))
		if err != nil {
			t.Fatal(err)
		}
		if path, _, err := ToStore(name, tensor); err == nil {
			t.Errorf("%q %v went to %q", name, shape, path)
		}
	}
}

func TestSafeTensorsFaults(t *testing.T) {
	file := func(header string, data int) []byte {
		n := len(header)
		return append(append([]byte{byte(n), byte(n >> 8), 0, 0, 0, 0, 0, 0}, header...), make([]byte, data)...)
	}
	w := `"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}`
	if f, err := Decode(file("{"+w+"}", 8)); err != nil || len(f.Tensors) != 1 {
		t.Fatalf("a sound file: %v", err)
	}
	for name, data := range map[string][]byte{
		"truncated":      file("{"+w+"}", 7),
		"trailing data":  file("{"+w+"}", 9),
		"overlap":        file("{"+w+`,"v":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8),
		"gap":            file(`{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}`, 8),
		"wrong length":   file(`{"w":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}`, 8),
		"shape overflow": file(`{"w":{"dtype":"F32","shape":[4294967296,4294967296,2],"data_offsets":[0,8]}}`, 8),
		"negative":       file(`{"w":{"dtype":"F32","shape":[-2],"data_offsets":[8,0]}}`, 8),
		"type":           file(`{"w":{"dtype":"F8_E4M3","shape":[8],"data_offsets":[0,8]}}`, 8),
		"twice":          file("{"+w+","+w+"}", 8),
		"not JSON":       file("{"+w, 8),
		"empty":          file("{}", 0),
	} {
		if _, err := Decode(data); err == nil || !strings.HasPrefix(err.Error(), "safetensors: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSafeTensorsHoldEveryType(t *testing.T) {
	var written []Tensor
	for name, dtype := range safeTypes {
		data := []byte("0123456789abcdef")[:2*dtype.Size()]
		w, err := NewTensor(name, dtype, []int{1, 2, 1}, data)
		if err != nil {
			t.Fatal(err)
		}
		empty, err := NewTensor(name+" empty", dtype, []int{3, 0}, nil)
		if err != nil {
			t.Fatal(err)
		}
		written = append(written, w, empty)
	}
	path := filepath.Join(t.TempDir(), "x.safetensors")
	if err := WriteSafeTensors(path, written, nil); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for i, got := range f.Tensors {
		want := written[i]
		if got.Name != want.Name || got.DType != want.DType || !slices.Equal(got.Shape, want.Shape) || string(got.Bytes()) != string(want.Bytes()) {
			t.Errorf("wrote %q %s %v, read %q %s %v, or other elements", want.Name, want.DType, want.Shape, got.Name, got.DType, got.Shape)
		}
	}
	if len(f.Tensors) != len(written) {
		t.Errorf("read %d tensors, wrote %d", len(f.Tensors), len(written))
	}
}

func TestFailedWriteKeepsTheOldFile(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "x.safetensors")
	w, err := NewTensor("w", dtypes.Uint8, []int{3}, []byte{1, 2, 3})
	if err != nil {
		t.Fatal(err)
	}
	if err := WriteSafeTensors(path, []Tensor{w}, map[string]string{"note": "<é>"}); err != nil {
		t.Fatal(err)
	}
	if err := WriteSafeTensors(path, []Tensor{w, w}, nil); err == nil {
		t.Error("two tensors of one name were written")
	}
	if err := WriteSafeTensors(filepath.Join(dir, "absent", "x"), []Tensor{w}, nil); err == nil {
		t.Error("a file in an absent folder was written")
	}
	f, err := Open(path)
	if err != nil || f.Values["note"] != "<é>" || string(f.Tensors[0].Bytes()) != "\x01\x02\x03" {
		t.Errorf("the old file: %v, %v", f, err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 1 {
		t.Errorf("failed writes left %v", left)
	}
}

// What a killed process has left beside a file goes when the file is written anew; what another may
// be writing, and other files, stay.
func TestAbandonedTemporaryFilesGo(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "w.safetensors")
	for name, age := range map[string]time.Duration{".w.safetensors123": time.Hour, ".w.safetensors456": 0, ".w.safetensors7.bak": time.Hour} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(filepath.Join(dir, name), time.Time{}, time.Now().Add(-age)); err != nil {
			t.Fatal(err)
		}
	}
	if err := WriteSafeTensors(path, []Tensor{tensorOf("w", []float32{1}, 1)}, nil); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		left = append(left, e.Name())
	}
	if want := []string{".w.safetensors456", ".w.safetensors7.bak", "w.safetensors"}; !slices.Equal(left, want) {
		t.Errorf("left %q, want %q", left, want)
	}
}

func TestCaffe2ResNetNames(t *testing.T) {
	for blob, want := range map[string]string{
		"conv1_w":                "stem.conv1.weight",
		"res_conv1_bn_s":         "stem.conv1.norm.weight",
		"res_conv1_bn_riv":       "stem.conv1.norm.running_var",
		"res2_0_branch1_w":       "res2.0.shortcut.weight",
		"res2_0_branch1_bn_b":    "res2.0.shortcut.norm.bias",
		"res4_22_branch2a_w":     "res4.22.conv1.weight",
		"res5_2_branch2b_bn_s":   "res5.2.conv2.norm.weight",
		"res3_3_branch2c_bn_rm":  "res3.3.conv3.norm.running_mean",
		"fc1000_w":               "fc1000_w",
		"res6_0_branch2a_w":      "res6_0_branch2a_w",
		"res2_0_branch2d_w":      "res2_0_branch2d_w",
		"gradient_res2_branch1_": "gradient_res2_branch1_",
	} {
		if got := fromCaffe2(blob); got != want {
			t.Errorf("%s: %s, want %s", blob, got, want)
		}
	}
}

// TestCaffe2BackboneIntoAModel is what R-50.pkl needs: blobs without running statistics, found by
// suffix.
func TestCaffe2BackboneIntoAModel(t *testing.T) {
	store := model.NewStore()
	for path, dims := range map[string][]int{
		"/backbone/bottom_up/stem/conv1/weight": {7, 7, 3, 2}, "/backbone/bottom_up/stem/conv1/norm/weight": {2},
		"/backbone/bottom_up/stem/conv1/norm/running_var": {2}, "/backbone/bottom_up/res2/0/conv2/norm/bias": {3},
	} {
		if _, err := store.CreateVariable(path, tensors.FromShape(shapes.Make(dtypes.Float32, dims...))); err != nil {
			t.Fatal(err)
		}
	}
	blob := func(name string, first float32, dims ...int) Tensor {
		n := 1
		for _, d := range dims {
			n *= d
		}
		values := make([]byte, 4*n)
		binary.LittleEndian.PutUint32(values, math.Float32bits(first))
		tensor, err := NewTensor(name, dtypes.Float32, dims, values)
		if err != nil {
			t.Fatal(err)
		}
		return tensor
	}
	file := &File{Tensors: []Tensor{
		blob("conv1_w", 1, 2, 3, 7, 7), blob("res_conv1_bn_s", 2, 2), blob("res2_0_branch2b_bn_b", 3, 3), blob("fc1000_w", 4, 5),
	}}
	report, err := LoadInto(store, file)
	if err != nil {
		t.Fatal(err)
	}
	if err := report.WholeBackbone(); err != nil {
		t.Errorf("a statistic is missing: %v", err)
	}
	if diff := cmp.Diff([]string{"backbone.bottom_up.stem.conv1.norm.running_var"}, report.Missing); diff != "" {
		t.Errorf("missing (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"fc1000_w"}, report.LeftOut); diff != "" {
		t.Errorf("left out (-want +got):\n%s", diff)
	}
	for path, want := range map[string]float32{
		"/backbone/bottom_up/stem/conv1/weight": 1, "/backbone/bottom_up/stem/conv1/norm/weight": 2, "/backbone/bottom_up/res2/0/conv2/norm/bias": 3,
	} {
		if got := tensors.MustCopyFlatData[float32](store.GetVariable(path).MustValue())[0]; got != want {
			t.Errorf("%s starts with %v, want %v", path, got, want)
		}
	}
}
