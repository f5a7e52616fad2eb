package cli

import (
	"encoding/json"
	"image"
	"image/png"
	"os"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/eval"
	"ffslab/ffs/infer"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/internal/tiny"
	"ffslab/ffs/run"
)

// A saved threshold serves the weights that were measured. After further training nothing is called
// unknown until they are measured, too.
func TestDetectKnowsWhoseThresholdsAreSaved(t *testing.T) {
	t.Chdir(t.TempDir())
	c, err := tiny.Config("model.roi.score_threshold=0.01", "model.roi.detections=10")
	if err != nil {
		t.Fatal(err)
	}
	r, err := run.Create("run", c)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	store := model.NewStore()
	m, err := infer.New(testkit.Backend(t), store, c, 8)
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Detect(t.Context(), tiny.Squares("warm", 1, "red"), nil, func(infer.ImageDetections) error { return nil }); err != nil { // creates the parameters
		t.Fatal(err)
	}
	m.Close()
	if err := r.Save(store, 8); err != nil {
		t.Fatal(err)
	}
	file, err := os.Create("photo.png")
	if err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(file, image.NewRGBA(image.Rect(0, 0, tiny.Side, tiny.Side))); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	said := func(flags string) []*bool {
		t.Helper()
		ffs(t, "detect --run run photo.png --out out"+flags)
		text, err := os.ReadFile("out/detections.json")
		if err != nil {
			t.Fatal(err)
		}
		var entries []struct{ Unknown *bool }
		if err := json.Unmarshal(text, &entries); err != nil || len(entries) == 0 {
			t.Fatalf("%d detections, %v", len(entries), err)
		}
		var unknown []*bool
		for _, e := range entries {
			unknown = append(unknown, e.Unknown)
		}
		return unknown
	}
	identity, err := (func() (infer.Identity, error) {
		m, err := infer.Open(testkit.Backend(t), "run")
		if err != nil {
			return infer.Identity{}, err
		}
		defer m.Close()
		return m.Identity()
	})()
	if err != nil {
		t.Fatal(err)
	}
	report := eval.Report{Subject: &eval.Subject{Step: 8, Weights: identity.Parameters}, Temperature: 1,
		Recommended: "msp", UnknownThresholds: map[string]float64{"energy": 1e6, "msp": -1}}
	if err := os.Mkdir("run/eval", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := report.Save("run/eval/metrics.json"); err != nil {
		t.Fatal(err)
	}
	for flags, want := range map[string]bool{"": false, " --score energy": true} { // the recommended score, and another one
		for _, unknown := range said(flags) {
			if unknown == nil || *unknown != want {
				t.Fatalf("detect%s: unknown is %v, want %t", flags, unknown, want)
			}
		}
	}
	if err := store.GetVariable("/roi_heads/logistic_regression/bias").SetValue(tensors.FromValue([]float32{1, 2})); err != nil {
		t.Fatal(err)
	}
	if err := r.Save(store, 9); err != nil {
		t.Fatal(err)
	}
	for _, flags := range []string{"", " --score msp"} {
		for _, unknown := range said(flags) {
			if unknown != nil {
				t.Fatalf("detect%s: with other weights' threshold an object is %t, want null", flags, *unknown)
			}
		}
	}
	// Nor is their recommendation used: a threshold that is given is one of the energy.
	for _, unknown := range said(" --unknown-threshold 1e6") {
		if unknown == nil || !*unknown {
			t.Fatalf("under a given threshold of the energy an object is %v, want unknown", unknown)
		}
	}
}

func TestEvalCommand(t *testing.T) {
	for want, earlier := range map[string]*eval.Subject{
		"ffs eval --run 'my run'": nil,
		"ffs eval --run 'my run' --id 'digits:val?n=9' --ood near=digits:ood-near": {
			Inlier: eval.Set{Name: "digits:val?n=9", Spec: "digits:val?n=9"}, Outliers: []eval.Set{{Name: "near", Spec: "digits:ood-near"}},
		},
	} {
		if got := evalCommand("my run", earlier); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
