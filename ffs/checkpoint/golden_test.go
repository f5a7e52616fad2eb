package checkpoint

import (
	"archive/zip"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/google/go-cmp/cmp"
)

// readNPZ returns the raw elements of each array of an .npz file: they are compared to the bit,
// whatever their type.
func readNPZ(t *testing.T, path string) map[string][]byte {
	t.Helper()
	archive, err := zip.OpenReader(path)
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	arrays := map[string][]byte{}
	for _, member := range archive.File {
		r, err := member.Open()
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		header := 10 + int(binary.LittleEndian.Uint16(data[8:])) // .npy version 1
		arrays[strings.TrimSuffix(member.Name, ".npy")] = data[header:]
	}
	return arrays
}

func ints(b []byte) []int {
	var v []int
	for i := 0; i < len(b); i += 8 {
		v = append(v, int(binary.LittleEndian.Uint64(b[i:])))
	}
	return v
}

func TestReadsWhatPyTorchAndNumpyRead(t *testing.T) {
	tests := []struct {
		file, expected string
		format         Format
	}{
		{"zip.pth", "expected_pth.npz", TorchZip},
		{"zip_bare_state_dict.pth", "expected_pth.npz", TorchZip},
		{"zip_protocol4.pth", "expected_pth.npz", TorchZip},
		{"legacy.pth", "expected_pth.npz", TorchLegacy},
		{"zip_state_dict_with_metadata.pth", "expected_state_dict_with_metadata.npz", TorchZip},
		{"legacy_state_dict_with_metadata.pth", "expected_state_dict_with_metadata.npz", TorchLegacy},
		{"detectron2.pkl", "expected_pkl.npz", Pickle},
		{"detectron2_protocol2.pkl", "expected_pkl.npz", Pickle},
		{"detectron2_numpy2_protocol4.pkl", "expected_pkl.npz", Pickle},
		{"caffe2_blobs.pkl", "expected_caffe2.npz", Caffe2},
	}
	for _, test := range tests {
		t.Run(test.file, func(t *testing.T) {
			f, err := Open(filepath.Join("testdata", test.file))
			if err != nil {
				t.Fatal(err)
			}
			if f.Format != test.format {
				t.Errorf("format %q, want %q", f.Format, test.format)
			}
			expected := readNPZ(t, filepath.Join("testdata", test.expected))
			for _, got := range f.Tensors {
				want, ok := expected[got.Name]
				if !ok || strings.HasSuffix(got.Name, "_momentum") { // the optimizer's, which detectron2 drops
					t.Errorf("unexpected tensor %q", got.Name)
					continue
				}
				compare(t, got, want)
				if dtype, ok := expected[got.Name+"#dtype"]; ok && "torch."+strings.ToLower(got.DType.String()) != string(dtype) {
					t.Errorf("%s: type %s, want %s", got.Name, got.DType, dtype)
				}
				if strides, ok := expected[got.Name+"#stride"]; ok && !slices.Equal(got.strides, ints(strides)) {
					t.Errorf("%s: strides %v, want %v", got.Name, got.strides, ints(strides))
				}
				delete(expected, got.Name)
			}
			for name := range expected {
				if !strings.Contains(name, "#") && !strings.HasSuffix(name, "_momentum") {
					t.Errorf("tensor %q is missing", name)
				}
			}
		})
	}
}

// compare checks the elements to the bit; bfloat16, which numpy lacks, is widened in the reference.
func compare(t *testing.T, got Tensor, want []byte) {
	t.Helper()
	data := got.Bytes()
	if got.DType == dtypes.BFloat16 {
		values, err := got.Float32()
		if err != nil {
			t.Error(err)
		}
		data, _ = binary.Append(nil, binary.LittleEndian, values)
	}
	if string(data) != string(want) {
		t.Errorf("%s %s %v: elements differ", got.Name, got.DType, got.Shape)
	}
}

func TestShapesAndOrder(t *testing.T) {
	f, err := Open("testdata/detectron2.pkl")
	if err != nil {
		t.Fatal(err)
	}
	want := []Entry{
		{"backbone.bottom_up.stem.conv1.weight", []int{4, 3, 3, 3}}, {"backbone.bottom_up.stem.conv1.norm.running_var", []int{4}},
		{"roi_heads.box_predictor.cls_score.bias", []int{6}}, {"proposal_generator.anchor_generator.cell_anchors.0", []int{3, 4}},
		{"fortran", []int{3, 5}}, {"half", []int{2, 2}}, {"ints", []int{2, 3}}, {"scalar0d", []int{}},
	}
	var got []Entry
	for _, tensor := range f.Tensors {
		got = append(got, Entry{tensor.Name, tensor.Shape})
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("tensors (-want +got):\n%s", diff)
	}
}

func TestPlainValues(t *testing.T) {
	for _, file := range []string{"zip.pth", "zip_protocol4.pth", "legacy.pth"} {
		f, err := Open(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]any{
			"iteration": int64(99), "note": "text é中", "none": nil, "tuple": []any{int64(1), 2.5, "x"}, "flag": true,
			"big": new(big.Int).Lsh(big.NewInt(1), 70), "list": []any{int64(1), []any{int64(2), []any{int64(3)}}},
			"scheduler": map[string]any{"base_lrs": []any{0.02, 0.02}, "last_epoch": int64(100)},
		}
		sameInt := cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })
		if diff := cmp.Diff(want, f.Values, sameInt); diff != "" {
			t.Errorf("%s: values (-want +got):\n%s", file, diff)
		}
	}
}

func TestNumbersWiden(t *testing.T) {
	f, err := Open("testdata/zip.pth")
	if err != nil {
		t.Fatal(err)
	}
	expected := readNPZ(t, "testdata/expected_pth.npz")
	for _, name := range []string{"i64.index", "i32.index", "u8.mask", "bool.mask"} {
		tensor, ok := f.Tensor(name)
		if !ok {
			t.Fatalf("no tensor %q", name)
		}
		got, err := tensor.Int64()
		if err != nil {
			t.Fatal(err)
		}
		for i, v := range got {
			var buffer [8]byte
			binary.LittleEndian.PutUint64(buffer[:], uint64(v))
			size := tensor.DType.Size()
			if want := expected[name][i*size : (i+1)*size]; string(buffer[:size]) != string(want) {
				t.Errorf("%s[%d] = %d", name, i, v)
			}
		}
		if _, err := tensor.Float32(); err == nil {
			t.Errorf("%s: integers were read as float32", name)
		}
	}
	half, err := NewTensor("half", dtypes.Float16, []int{5}, []byte{0x00, 0x3c, 0x01, 0x00, 0xff, 0x83, 0x00, 0xfc, 0xff, 0x7b})
	if err != nil {
		t.Fatal(err)
	}
	got, err := half.Float32()
	if want := []float32{1, 1.0 / (1 << 24), -1023.0 / (1 << 24), float32(-1 / zero), 65504}; err != nil || !slices.Equal(got, want) {
		t.Errorf("float16 = %v, want %v (%v)", got, want, err)
	}
}

var zero = 0.0

func TestRefusesByName(t *testing.T) {
	for file, name := range map[string]string{
		"refuse_eval.pkl":           "__builtin__.eval",
		"refuse_eval.pth":           "__builtin__.eval",
		"refuse_os_call_legacy.pth": "posix.getcwd",
	} {
		f, err := Open(filepath.Join("testdata", file))
		if err == nil || f != nil || !strings.Contains(err.Error(), name) || !strings.Contains(err.Error(), file) {
			t.Errorf("%s: got %v, want an error that names the file and %s", file, err, name)
		}
	}
}

func TestMatchingIsDetectron2s(t *testing.T) {
	var golden struct {
		ModelKeys      map[string][]int  `json:"model_keys"`
		CheckpointKeys map[string][]int  `json:"checkpoint_keys"`
		Matched        map[string]string `json:"model_key_to_checkpoint_key"`
		NotUsed        []string          `json:"checkpoint_keys_not_used"`
	}
	data, err := os.ReadFile("testdata/matching_heuristics.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &golden); err != nil {
		t.Fatal(err)
	}
	m, err := Match(entries(golden.ModelKeys), entries(golden.CheckpointKeys))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, pair := range m.Loaded {
		got[pair.Model] = pair.File
	}
	if diff := cmp.Diff(golden.Matched, got); diff != "" {
		t.Errorf("pairs (-want +got):\n%s", diff)
	}
	notUsed := slices.Clone(m.LeftOut)
	for _, mismatch := range m.WrongShape {
		notUsed = append(notUsed, mismatch.File)
	}
	slices.Sort(notUsed)
	slices.Sort(golden.NotUsed)
	if diff := cmp.Diff(golden.NotUsed, notUsed); diff != "" {
		t.Errorf("not used (-want +got):\n%s", diff)
	}
	if want := len(golden.ModelKeys) - len(golden.Matched) - len(m.WrongShape); len(m.Missing) != want {
		t.Errorf("%d parameters are missing, want %d", len(m.Missing), want)
	}
}

func entries(keys map[string][]int) []Entry {
	var e []Entry
	for name, shape := range keys {
		e = append(e, Entry{name, shape})
	}
	return e
}

func TestMatchPrefersFullNamesAndRefusesAmbiguity(t *testing.T) {
	one := []int{1}
	m, err := Match([]Entry{{"head.fc.w", one}, {"fc.w", one}, {"x.y.bn.b", one}},
		[]Entry{{"module.fc.w", one}, {"module.bn.b", one}, {"module.y.bn.b", one}})
	want := Matching{
		Loaded:  []Pair{{"fc.w", "module.fc.w"}, {"x.y.bn.b", "module.y.bn.b"}},
		Missing: []string{"head.fc.w"}, LeftOut: []string{"module.bn.b"}, Prefix: "module.",
	}
	if diff := cmp.Diff(want, m); diff != "" || err != nil {
		t.Errorf("matching (-want +got), error %v:\n%s", err, diff)
	}
	if _, err := Match([]Entry{{"a.w", one}, {"b.w", one}}, []Entry{{"w", one}}); err == nil {
		t.Error("one tensor was given to two parameters")
	}
}

func TestOpenNamesTheFile(t *testing.T) {
	dir := t.TempDir()
	page := filepath.Join(dir, "page.pth")
	if err := os.WriteFile(page, []byte("<!DOCTYPE html>"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{page, dir, filepath.Join(dir, "absent.pth")} {
		if _, err := Open(path); err == nil || !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %v", path, err)
		}
	}
	if _, err := Open(filepath.Join(dir, "absent.pth")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent file: %v", err)
	}
}
