package protocol

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/data"
	"ffslab/data/box"
	"ffslab/data/lenient"
	"ffslab/ffs/eval"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/internal/tiny"
)

// annotationFile is the inlier set as people have it: classes in another order than the model's,
// one that the model does not know and none of blue; ids that are 0 and texts.
const annotationFile = `{
	"images": [{"id": "b/2.jpg", "width": 64, "height": 64}, {"id": "a.jpg", "width": 64, "height": 64}, {"id": "c", "width": 64, "height": 64}],
	"categories": [{"id": 1, "name": "green"}, {"id": 0, "name": "red"}],
	"annotations": [
		{"id": 1, "image_id": "b/2.jpg", "category_id": 0, "bbox": [4, 8, 20, 20], "area": 400, "iscrowd": 0},
		{"id": 2, "image_id": "a.jpg", "category_id": 0, "bbox": [11, 13, 24, 24], "area": 576, "iscrowd": 0},
		{"id": 3, "image_id": "c", "category_id": 0, "bbox": [18, 18, 28, 28], "area": 784, "iscrowd": 1}
	]
}`

// annotated is the set of the file, with the model's classes.
func annotated(t *testing.T) *data.Dataset {
	t.Helper()
	set := tiny.Squares("squares:val", 3, "red")
	set.Categories = []data.Category{{ID: 0, Name: "red"}, {ID: 1, Name: "green"}}
	for i, id := range []string{"b/2.jpg", "a.jpg", "c"} {
		set.Images[i].ID = data.TextID(id)
	}
	set.Images[2].Instances[0].Crowd = true
	set, err := set.WithClasses([]string{"red", "blue"})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestResultsBearTheIDsOfTheirAnnotations(t *testing.T) {
	o := options(t)
	o.Inlier = annotated(t)
	m, err := newModel(testkit.Backend(t), "model.roi.detections=80") // so many that both classes are among them
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	o.Model = m
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	results := filepath.Join(o.Out, "squares-val", "detections.json")
	text, err := os.ReadFile(results)
	if err != nil {
		t.Fatal(err)
	}
	var entries []struct {
		ImageID    string `json:"image_id"` // a number would not be read
		CategoryID int    `json:"category_id"`
	}
	if err := json.Unmarshal(text, &entries); err != nil {
		t.Fatal(err)
	}
	images, categories := map[string]bool{}, map[int]bool{}
	for _, e := range entries {
		images[e.ImageID], categories[e.CategoryID] = true, true
	}
	// Blue is not in the file: it takes an id that nothing there has.
	if diff := cmp.Diff(map[string]bool{"b/2.jpg": true, "a.jpg": true, "c": true}, images); diff != "" {
		t.Errorf("image ids (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[int]bool{0: true, 2: true}, categories); diff != "" {
		t.Errorf("category ids (-want +got):\n%s", diff)
	}
	var classes []string
	for _, c := range report.PerClass {
		classes = append(classes, c.Name)
	}
	if diff := cmp.Diff([]string{"red"}, classes); diff != "" {
		t.Errorf("classes that detection is measured on (-want +got):\n%s", diff)
	}
	// The untrained detector finds nothing: what follows compares numbers that are not 0.
	found := eval.Detection{ImageID: data.TextID("a.jpg"), CategoryID: 0, Box: box.COCO{12, 13, 24, 24}, Score: 0.9}
	better := filepath.Join(t.TempDir(), "detections.json")
	read, err := eval.ReadDetections(results, lenient.New(true))
	if err != nil {
		t.Fatal(err)
	}
	if err := eval.WriteDetections(better, append(slices.Clip(read), found)); err != nil {
		t.Fatal(err)
	}
	coco, err := eval.EvaluateCOCO(Annotations(o.Inlier), append(slices.Clip(read), found))
	if err != nil {
		t.Fatal(err)
	}
	testkit.Close(t, "pycocotools' numbers", coco.Stats().List(), pycocotools(t, annotationFile, better), 1e-9)
	if coco.Stats().AP < 0.1 {
		t.Errorf("AP %v: nothing was compared", coco.Stats().AP)
	}
}

// pycocotools scores a results file against annotations and returns its twelve numbers. The test is
// skipped where the package is absent.
func pycocotools(t *testing.T, annotations, results string) []float64 {
	t.Helper()
	python := os.Getenv("FFSLAB_PYTHON")
	if python == "" {
		python = "python3"
	}
	if err := exec.Command(python, "-c", "import pycocotools").Run(); err != nil {
		t.Skipf("%s has no pycocotools: %v", python, err)
	}
	truth := filepath.Join(t.TempDir(), "truth.json")
	if err := os.WriteFile(truth, []byte(annotations), 0o600); err != nil {
		t.Fatal(err)
	}
	const script = `
import contextlib, json, sys
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
with contextlib.redirect_stdout(sys.stderr):
    truth = COCO(sys.argv[1])
    e = COCOeval(truth, truth.loadRes(sys.argv[2]), "bbox")
    e.evaluate(); e.accumulate(); e.summarize()
print(json.dumps(list(e.stats)))
`
	command := exec.Command(python, "-c", script, truth, results)
	command.Stderr = os.Stderr
	text, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	var stats []float64
	if err := json.Unmarshal(text, &stats); err != nil {
		t.Fatal(err)
	}
	return stats
}
