package bench

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/ffs/eval"
	"ffslab/ffs/internal/python"
	"ffslab/ffs/internal/testkit"
)

func TestMadeSet(t *testing.T) {
	set, detections := madeSet("images", 300, 80, 20, 7)
	again, same := madeSet("images", 300, 80, 20, 7)
	if !cmp.Equal(set, again) || !cmp.Equal(detections, same) {
		t.Error("the same seed makes another set")
	}
	if _, other := madeSet("images", 300, 80, 20, 8); cmp.Equal(detections, other) {
		t.Error("another seed makes the same detections")
	}
	s := set.Stats()
	if s.Images != 300 || len(detections) != 300*20 || s.Objects < 300*6 || s.Objects > 300*8 || s.Crowd == 0 || s.Small == 0 || s.Medium == 0 || s.Large == 0 {
		t.Errorf("%d detections, set %+v", len(detections), s)
	}
	scores := map[float64]int{}
	for _, d := range detections {
		scores[d.Score]++
	}
	if len(scores) > 1001 {
		t.Errorf("%d scores of %d detections: want ties", len(scores), len(detections))
	}
	for _, im := range set.Images {
		for _, o := range im.Instances {
			if b := o.Box; b[0] < 0 || b[1] < 0 || b[2] > 640 || b[3] > 480 || b[0] >= b[2] || b[1] >= b[3] {
				t.Errorf("box %v is empty or leaves the picture", b)
			}
		}
	}
}

func TestCocoAlone(t *testing.T) {
	r, err := Coco(t.Context(), CocoOptions{Images: 60, Classes: 3, Detections: 20, Rounds: 2, NoPython: true})
	if err != nil {
		t.Fatal(err)
	}
	if r.Detections != 60*20 || r.Objects == 0 || r.Pycocotools != nil || r.Ratio != 0 {
		t.Errorf("report %+v", r)
	}
	for i, v := range r.Stats.List() {
		if v <= 0 || v >= 1 {
			t.Errorf("number %d is %g: such a set tells nothing about it", i, v)
		}
	}
	if _, err := Coco(t.Context(), CocoOptions{Images: 60, Classes: 3, Detections: 20}); err == nil || !strings.Contains(err.Error(), "0 rounds") {
		t.Errorf("error %v for no rounds", err)
	}
}

// Where Python has pycocotools, it says the same.
func TestCocoBesidePycocotools(t *testing.T) {
	found, err := python.Find(t.Context())
	if err != nil || exec.Command(found.Path, "-c", "import pycocotools").Run() != nil {
		t.Skip("no Python with pycocotools")
	}
	r, err := Coco(t.Context(), CocoOptions{Images: 100, Classes: 5, Detections: 120, Rounds: 1, Python: found.Path})
	if err != nil {
		t.Fatal(err)
	}
	if r.Pycocotools == nil || r.Pycocotools.Version == "" || r.Ratio <= 0 || r.MaxDifference > cocoTolerance {
		t.Errorf("report %+v", r)
	}
}

// interpreter is a program that stands for a Python with pycocotools, which finds the numbers;
// without numbers it has none.
func interpreter(t *testing.T, numbers *eval.Stats) string {
	t.Helper()
	text := "#!/bin/sh\nexit 1\n"
	if numbers != nil {
		line, err := json.Marshal(cocoRun{CocoTiming{Version: "1.2", Read: 40, Evaluate: 60}, *numbers})
		if err != nil {
			t.Fatal(err)
		}
		text = "#!/bin/sh\nif [ \"$1\" = -c ]; then exit 0; fi\ncat >/dev/null\necho '" + string(line) + "'\n"
	}
	path := filepath.Join(t.TempDir(), "python")
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestCocoComparesTheNumbers(t *testing.T) {
	o := CocoOptions{Images: 60, Classes: 3, Detections: 20, Rounds: 2, NoPython: true}
	alone, err := Coco(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	o.NoPython = false
	numbers := alone.Stats
	numbers.ARLarge += 5e-10
	o.Python = interpreter(t, &numbers)
	r, err := Coco(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if r.Pycocotools.Evaluate != 60 || r.Pycocotools.Version != "1.2" || r.MaxDifference < 4e-10 || r.MaxDifference > 6e-10 {
		t.Errorf("pycocotools %+v, difference %g, want 60 s and 5e-10", r.Pycocotools, r.MaxDifference)
	}

	numbers.ARLarge += 2e-9
	o.Python = interpreter(t, &numbers)
	if _, err := Coco(t.Context(), o); err == nil || !strings.Contains(err.Error(), "the twelve numbers differ by 2.5e-09") {
		t.Errorf("error %v, want the difference of 2.5e-9", err)
	}

	o.Python = interpreter(t, nil)
	if _, err := Coco(t.Context(), o); err == nil || !strings.Contains(err.Error(), "pip install pycocotools") {
		t.Errorf("error %v, want the remedy: this Python was asked for", err)
	}
	t.Setenv(python.PathEnv, filepath.Join(t.TempDir(), "none"))
	var log bytes.Buffer
	o.Python, o.Log = "", &log
	if r, err := Coco(t.Context(), o); err != nil || r.Pycocotools != nil || !strings.Contains(log.String(), "warning: pycocotools is left out") {
		t.Errorf("report %+v, error %v, log %q: want ours alone and a warning", r, err, &log)
	}
}

func TestCocoRatios(t *testing.T) {
	run := func(read, evaluate float64) cocoRun {
		return cocoRun{CocoTiming: CocoTiming{Read: read, Evaluate: evaluate}}
	}
	r := &CocoReport{}
	r.compare([]cocoRun{run(1, 1), run(1, 2), run(2, 3)}, []cocoRun{run(2, 10), run(5, 40), run(5, 45)})
	testkit.Close(t, "ratios", []float64{r.Ratio, r.RatioWithReading}, []float64{15, 10}, 1e-12) // of 10, 20, 15 and of 6, 15, 10
}
