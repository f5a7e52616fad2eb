package cli

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"

	"ffslab/ffs/checkpoint"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/run"
)

// fails runs a command line and returns its error's text; it fails the test if there is none.
func fails(t *testing.T, line string) string {
	t.Helper()
	testkit.Backend(t)
	cmd := newRoot()
	cmd.SetArgs(strings.Fields(line))
	err := cmd.ExecuteContext(t.Context())
	if err == nil {
		t.Fatalf("ffs %s: no error", line)
	}
	return err.Error()
}

// An import that fails, here of NaN, leaves no folder from which a training could start.
func TestFailedImportLeavesNothing(t *testing.T) {
	t.Chdir(t.TempDir())
	ffs(t, "export --run zoo:digits-flow --out nan.safetensors")
	file, err := checkpoint.Open("nan.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	for i, tensor := range file.Tensors {
		if tensor.DType != dtypes.Float32 {
			continue
		}
		data := make([]byte, 0, len(tensor.Bytes()))
		for range cap(data) / 4 {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(math.NaN())))
		}
		if file.Tensors[i], err = checkpoint.NewTensor(tensor.Name, dtypes.Float32, tensor.Shape, data); err != nil {
			t.Fatal(err)
		}
	}
	if err := checkpoint.WriteSafeTensors("nan.safetensors", file.Tensors, nil); err != nil {
		t.Fatal(err)
	}
	text := fails(t, "import nan.safetensors --config digits --run run")
	if !strings.Contains(text, "nan.safetensors") || !strings.Contains(text, "not finite") || !strings.Contains(text, "nothing is left behind") {
		t.Errorf("error %q", text)
	}
	entries, err := os.ReadDir(".")
	if err != nil || len(entries) != 1 {
		t.Errorf("left: %v, %v", entries, err)
	}
}

// An export carries checksum, step, configuration and digest; imported again the weights have the
// digest that they had.
func TestExportKeepsWhatAnImportNeeds(t *testing.T) {
	weights, settings := absolute(t, "../detector/testdata/detector.pth"), absolute(t, "../detector/testdata/reference.yaml")
	t.Chdir(t.TempDir())
	digest := func(dir string) string {
		t.Helper()
		r, err := run.Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		newest, err := r.Newest()
		if err != nil || len(newest.Notes) > 0 {
			t.Fatal(newest, err)
		}
		return newest.Digest
	}
	ffs(t, "import "+weights+" --config "+settings+" --run run")
	ffs(t, "export --run run --out out.safetensors")
	ffs(t, "import out.safetensors --config "+settings+" --run again")
	if digest("run") != digest("again") {
		t.Error("the weights have another digest after export and import")
	}
	file, err := checkpoint.Open("out.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	if file.Checksum == "" || file.Values["ffslab.digest"] != digest("run") || file.Values["step"] != "0" {
		t.Errorf("checksum %q, metadata %v", file.Checksum, file.Values)
	}
	if text := fails(t, "import out.safetensors --config "+settings+" --set input.pixel_mean=[1,2,3] --run other"); !strings.Contains(text, "input.pixel_mean [1 2 3]") &&
		!strings.Contains(text, "the configuration has [1 2 3]") {
		t.Errorf("another normalisation: %q", text)
	}

	data, err := os.ReadFile("out.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)-5] ^= 0x40
	if err := os.WriteFile("out.safetensors", data, 0o644); err != nil {
		t.Fatal(err)
	}
	if text := fails(t, "import out.safetensors --config "+settings+" --run damaged"); !strings.Contains(text, "out.safetensors") || !strings.Contains(text, "damaged") {
		t.Errorf("a damaged export: %q", text)
	}
	ffs(t, "doctor --run run")
	if err := os.WriteFile(filepath.Join("run", "checkpoints", "step-00000000.safetensors"), data, 0o644); err != nil {
		t.Fatal(err)
	}
	if text := fails(t, "doctor --run run --json"); !strings.Contains(text, "checks failed") {
		t.Errorf("doctor: %q", text)
	}
	if text := fails(t, "train --run run --resume --set model.roi.fc_dim=8 --set data.train=digits:train?n=4"); !strings.Contains(text, "model.roi.fc_dim cannot become 8") {
		t.Errorf("another model: %q", text)
	}
}
