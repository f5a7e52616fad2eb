package protocol

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"ffslab/data"
	"ffslab/data/lenient"
	"ffslab/ffs/eval"
	"ffslab/ffs/infer"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/internal/tiny"
)

// options evaluate the tiny detector, untrained, on squares of its classes and of another one. All
// tests share the detector, which is compiled once.
func options(t *testing.T) Options {
	t.Helper()
	m, err := shared(testkit.Backend(t))
	if err != nil {
		t.Fatal(err)
	}
	inlier := tiny.Squares("squares:val", 4, "red", "blue")
	for i := range inlier.Images {
		inlier.Images[i].ID = data.ID(100 - i) // ids need be neither ascending nor small
	}
	inlier.Categories[1].ID = 7
	return Options{Model: m, Inlier: inlier, Outliers: []*data.Dataset{tiny.Squares("squares:ood", 4, "green")}, Out: t.TempDir()}
}

var (
	sharedOnce  sync.Once
	sharedModel *infer.Model
	sharedErr   error
)

// shared returns a detector whose parameters have been created, as those of a trained one are.
func shared(backend compute.Backend) (*infer.Model, error) {
	sharedOnce.Do(func() {
		if sharedModel, sharedErr = newModel(backend); sharedErr == nil {
			sharedErr = sharedModel.Detect(context.Background(), tiny.Squares("warm", 4, "red"), nil, func(infer.ImageDetections) error { return nil })
		}
	})
	return sharedModel, sharedErr
}

func newModel(backend compute.Backend, settings ...string) (*infer.Model, error) {
	c, err := tiny.Config(append([]string{"model.roi.score_threshold=0.01", "model.roi.detections=10"}, settings...)...)
	if err != nil {
		return nil, err
	}
	return infer.New(backend, model.NewStore(), c, c.Train.MaxIter)
}

// TestRunWritesWhatItMeasured computes the report anew from the files that were written.
func TestRunWritesWhatItMeasured(t *testing.T) {
	o := options(t)
	o.Corruption = "fog-3"
	var progress []string
	o.Progress = func(set string, done, total int) {
		if done == total {
			progress = append(progress, set)
		}
	}
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"squares:val", "squares:ood"}, progress); diff != "" {
		t.Errorf("sets that were finished (-want +got):\n%s", diff)
	}
	read := func(set *data.Dataset) eval.Results {
		results, err := Load(o.Out, set)
		if err != nil {
			t.Fatal(err)
		}
		return results
	}
	inlier, outlier := read(o.Inlier), read(o.Outliers[0])
	again, err := eval.Evaluate(inlier, map[string]eval.Results{"squares:ood": outlier}, eval.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	again.Subject, again.Corruption = report.Subject, "fog-3"
	if diff := cmp.Diff(again, report); diff != "" {
		t.Errorf("the report is not that of the detections (-files +report):\n%s", diff)
	}
	saved, err := eval.ReadReport(filepath.Join(o.Out, "metrics.json"))
	if err != nil {
		t.Fatal(err)
	}
	notWritten := cmpopts.IgnoreFields(eval.Separation{}, "ThresholdFPR95")
	if diff := cmp.Diff(report, saved, notWritten); diff != "" {
		t.Errorf("metrics.json is not the report (-report +file):\n%s", diff)
	}
	if text, err := os.ReadFile(filepath.Join(o.Out, "metrics.md")); err != nil || !strings.Contains(string(text), "squares:ood") || !strings.Contains(string(text), "fog-3") {
		t.Errorf("metrics.md (error %v) does not name the outlier set:\n%s", err, text)
	}

	for _, name := range []string{"reliability.svg", "confusion-squares-ood.svg"} {
		if _, err := os.Stat(filepath.Join(o.Out, "figures", name)); err != nil {
			t.Error(err)
		}
	}

	ids, categories := map[data.ID]int{}, map[data.ID]int{}
	for _, d := range inlier.Detections {
		ids[d.ImageID]++
		categories[d.CategoryID]++
		if len(d.Scores) != 4 || len(d.Logits) != 3 {
			t.Fatalf("a detection lacks a score: %+v", d)
		}
	}
	for id := data.ID(97); id <= 100; id++ {
		if ids[id] == 0 {
			t.Errorf("image %d has no detections, of %v", id, ids)
		}
	}
	for id := range categories {
		if id != 1 && id != 7 {
			t.Errorf("category %d is not one of the annotations'", id)
		}
	}
}

// Pictures alone are an outlier set: detections on them are compared with those on the inlier set.
func TestOutliersWithoutAnnotationsAreMeasured(t *testing.T) {
	o := options(t)
	o.Outliers[0].Categories = nil
	for i := range o.Outliers[0].Images {
		o.Outliers[0].Images[i].Instances = nil
	}
	o.Note = func(message string) { t.Errorf("noted: %s", message) }
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	outcome := report.Outliers["squares:ood"]
	if _, ok := outcome.Scores["energy"]; !ok || outcome.OpenSet != nil || outcome.Outliers == 0 {
		t.Errorf("outcome %+v, want scores of detections and no open-set numbers", outcome)
	}
}

func TestScoresThatTheMethodLacksAreAbsent(t *testing.T) {
	o := options(t)
	m, err := newModel(testkit.Backend(t), "model.outlier.method=none")
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	o.Model = m
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	detections, err := eval.ReadDetections(filepath.Join(o.Out, "squares-val", "detections.json"), lenient.New(false))
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range detections {
		if _, ok := d.Scores["energy"]; !ok || len(d.Scores) != 1 {
			t.Fatalf("a detector without a flow has its scores: %+v", d)
		}
	}
}

func TestRunRefusesSetsOfOneFolder(t *testing.T) {
	for want, names := range map[string][2]string{
		"two sets are called a:b":            {"a:b", "a:b"},
		"a:b and a/b would share the folder": {"a:b", "a/b"},
		"squares:val and squares,val would":  {"squares,val", "x"},
	} {
		o := options(t)
		o.Outliers = []*data.Dataset{tiny.Squares(names[0], 1, "green"), tiny.Squares(names[1], 1, "green")}
		if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want one with %q", names, err, want)
		}
		if left, _ := os.ReadDir(o.Out); len(left) > 0 {
			t.Errorf("%v: %d entries were written before the refusal", names, len(left))
		}
	}
}

func TestAnErrorNamesItsSet(t *testing.T) {
	o := options(t)
	broken := errors.New("picture 2 is broken")
	o.Outliers[0].Images[1].Render = func() (*data.Pixels, error) { return nil, broken }
	if _, err := Run(t.Context(), o); !errors.Is(err, broken) || !strings.HasPrefix(err.Error(), "squares:ood: ") {
		t.Errorf("error %v, want the picture's, with its set", err)
	}
	if _, err := os.Stat(filepath.Join(o.Out, "metrics.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("metrics.json of a failed evaluation: %v", err)
	}
}

func TestFolderName(t *testing.T) {
	for spec, want := range map[string]string{
		"digits:ood-near":         "digits-ood-near",
		"coco:/data/a b.json,img": "coco--data-a-b.json-img",
		"../x":                    "x",
		"images:/фото/птицы":      "images--фото-птицы",
		"飞机":                      "飞机",
		"...":                     "set",
	} {
		if got := FolderName(spec); got != want {
			t.Errorf("%s: %s, want %s", spec, got, want)
		}
	}
}

func TestResultsOfAnotherCorruptionAreKept(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "metrics.json")
	try := func(corruption string) error { return Options{Out: dir, Corruption: corruption}.sameCorruption() }
	if err := try("fog-3"); err != nil {
		t.Errorf("an empty folder is refused: %v", err)
	}
	for _, before := range []string{"", "fog-3"} {
		if err := (&eval.Report{Corruption: before}).Save(path); err != nil {
			t.Fatal(err)
		}
		for _, now := range []string{"", "fog-3", "fog-4"} {
			err := try(now)
			if (err == nil) != (now == before) || err != nil && !strings.HasPrefix(err.Error(), path+" holds results of") {
				t.Errorf("%q into the folder of %q gave the error %v", now, before, err)
			}
		}
	}
	if _, err := Run(t.Context(), Options{Out: dir, Corruption: "fog-4", Inlier: tiny.Squares("a", 1, "red")}); err == nil || !strings.Contains(err.Error(), "fog-4") {
		t.Errorf("the evaluation began: %v", err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := try("fog-4"); err != nil {
		t.Errorf("a damaged report is not replaced: %v", err)
	}
}
