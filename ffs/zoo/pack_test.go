package zoo_test

import (
	"archive/zip"
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/google/go-cmp/cmp"

	"ffslab/ffs/checkpoint"
	"ffslab/ffs/internal/tiny"
	"ffslab/ffs/run"
	"ffslab/ffs/zoo"
)

// smallRun makes a run with one weight of a few elements.
func smallRun(t *testing.T, values ...float32) *run.Run {
	t.Helper()
	c, err := tiny.Config()
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	store.RootScope().In("backbone").VariableWithValue("weights", tensors.FromValue(values))
	r, err := run.Import(filepath.Join(t.TempDir(), "run"), c, store, 5)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

func TestPackedRunIsTheRunInHalfPrecision(t *testing.T) {
	r := smallRun(t, 1, -0.1, 1.0/3, 6e4, 0)
	file := filepath.Join(t.TempDir(), "packed.zip")
	weights, evaluated, err := r.Pack(file)
	if err != nil || evaluated || weights.Step != 5 {
		t.Fatalf("step %d, evaluated %v, %v", weights.Step, evaluated, err)
	}
	dir := filepath.Join(t.TempDir(), "unpacked")
	if err := run.Unpack(file, dir); err != nil {
		t.Fatal(err)
	}
	other, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	if got, err := other.Load(store); err != nil || got.Step != 5 || len(got.Notes) > 0 {
		t.Fatalf("step %d, notes %q, %v", got.Step, got.Notes, err)
	}
	value, err := store.GetVariable("/backbone/weights").Value()
	if err != nil {
		t.Fatal(err)
	}
	got := tensors.MustCopyFlatData[float32](value)
	for i, want := range []float32{1, -0.1, 1.0 / 3, 6e4, 0} {
		if math.Abs(float64(got[i]-want)) > math.Abs(float64(want))/2048 { // half a unit of 11 bits
			t.Errorf("element %d is %v, want %v to half precision", i, got[i], want)
		}
	}
	// Packing what was unpacked loses nothing more.
	again := filepath.Join(t.TempDir(), "again.zip")
	if _, _, err := other.Pack(again); err != nil {
		t.Fatal(err)
	}
	first, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	second, err := os.ReadFile(again)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Error("packed again, the run has other bytes")
	}
	if err := run.Unpack(file, dir); err == nil || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("unpacked over a run: %v", err)
	}
}

func TestWeightsTooLargeForHalfPrecisionAreNotPacked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "packed.zip")
	if _, _, err := smallRun(t, 1, 1e5).Pack(file); err == nil || !strings.Contains(err.Error(), "backbone/weights: 100000 is too large for float16") {
		t.Errorf("error %v", err)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("a file was left")
	}
}

// An evaluation is packed if it is one of the packed weights, and no other.
func TestOnlyTheEvaluationOfThePackedWeightsIsPacked(t *testing.T) {
	r := smallRun(t, 1, 0.5) // the same in half precision
	newest, err := r.Newest()
	if err != nil {
		t.Fatal(err)
	}
	for digest, want := range map[string]bool{newest.Digest: true, "0123": false} {
		if err := os.MkdirAll(r.Path("eval"), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(r.Path("eval", "metrics.json"), []byte(`{"subject": {"weights": "`+digest+`"}}`), 0o644); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join(t.TempDir(), "packed.zip")
		_, evaluated, err := r.Pack(file)
		if err != nil || evaluated != want {
			t.Errorf("evaluated %v, %v, want %v", evaluated, err, want)
		}
		dir := filepath.Join(t.TempDir(), "run")
		if err := run.Unpack(file, dir); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(filepath.Join(dir, "eval", "metrics.json")); (err == nil) != want {
			t.Errorf("the evaluation is there: %v, want %v", err == nil, want)
		}
	}
}

func TestOtherArchivesAreRefused(t *testing.T) {
	archive := func(names ...string) []byte {
		var out bytes.Buffer
		w := zip.NewWriter(&out)
		for _, name := range names {
			f, err := w.Create(name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := f.Write([]byte("x")); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"no archive":         {[]byte("x"), "not a packed run"},
		"another file":       {archive("config.yaml", "notes.txt"), `it holds "notes.txt"`},
		"a way out":          {archive("config.yaml", "../config.yaml"), `it holds "../config.yaml"`},
		"a way out, weights": {archive("config.yaml", "checkpoints/../step-1.safetensors"), "it holds"},
		"no configuration":   {archive("metrics.jsonl"), "it has no config.yaml"},
		"no weights":         {archive("config.yaml", "checkpoints/step-00000001.safetensors"), "checkpoints/step-00000001.safetensors: "},
	} {
		dir := t.TempDir()
		err := zoo.Unpack(bytes.NewReader(c.content), int64(len(c.content)), dir)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

func TestNamesOfTheZoo(t *testing.T) {
	if dir, err := zoo.Folder("runs/digits"); dir != "runs/digits" || err != nil {
		t.Errorf("a folder's name became %s, %v", dir, err)
	}
	for _, name := range []string{"zoo:", "zoo:no-such", "zoo:../digits-flow", "zoo:/etc"} {
		if _, err := zoo.Folder(name); err == nil || !strings.Contains(err.Error(), "zoo:digits-flow") {
			t.Errorf("%s: error %v, want one that lists the detectors", name, err)
		}
	}
	if _, err := run.Resume("zoo:digits-flow"); err == nil || !strings.Contains(err.Error(), "not trained on") {
		t.Errorf("resumed: %v", err)
	}
	c, err := tiny.Config()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := run.Create("zoo:mine", c); err == nil || !strings.Contains(err.Error(), "not trained on") {
		t.Errorf("created: %v", err)
	}
}

// The detectors are whole: their checksums agree, and their weights are float32 once they are
// unpacked.
func TestDetectorsAreWhole(t *testing.T) {
	t.Setenv("FFSLAB_CACHE", t.TempDir())
	if diff := cmp.Diff([]string{"digits-flow", "digits-gaussian", "digits-none"}, zoo.Names()); diff != "" {
		t.Errorf("names (-want +got):\n%s", diff)
	}
	for _, name := range zoo.Names() {
		dir, err := zoo.Folder(zoo.Prefix + name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		findings, err := run.Inspect(dir)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, f := range findings {
			if !f.Whole {
				t.Errorf("%s: %s: %s", name, f.File, f.Text)
			}
		}
		files, err := filepath.Glob(filepath.Join(dir, "checkpoints", "*.safetensors"))
		if err != nil || len(files) != 1 {
			t.Errorf("%s: checkpoints %v, %v", name, files, err)
			continue
		}
		weights, err := checkpoint.Open(files[0])
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range weights.Tensors {
			if w.DType == dtypes.Float16 {
				t.Errorf("%s: %s is still float16", name, w.Name)
			}
		}
	}
}
