package figures

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/ffs/eval"
)

// report is a small evaluation: two detections of the inlier set, and two outlier sets, one of them
// without objects.
func report() *eval.Report {
	return &eval.Report{
		Calibration: &eval.Calibration{Detections: 4, ECE: 0.275, Bins: []eval.CalibrationBin{
			{Low: 0.2, High: 0.25, Detections: 1, Score: 0.2, Precision: 0},
			{Low: 0.95, High: 1, Detections: 3, Score: 0.9, Precision: 0.6},
		}},
		Confusion: map[string]*eval.Confusion{
			"far:ood": {
				Classes: []eval.Category{{ID: 1, Name: "dog"}, {ID: 3, Name: "bus"}},
				Objects: []eval.ConfusionRow{{Category: eval.Category{ID: 9, Name: "pizza"}, Count: 8, TakenFor: []int{0, 2}, Missed: 6}},
			},
			"empty": {Classes: []eval.Category{{ID: 1, Name: "dog"}}},
		},
	}
}

// The figures' numbers are the report's, the calibration error among them.
func TestSave(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "figures")
	if err := Save(report(), dir, func(set string) string { return strings.ReplaceAll(set, ":", "-") }); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	want := []string{"confusion-far-ood.csv", "confusion-far-ood.png", "confusion-far-ood.svg", "reliability.csv", "reliability.png", "reliability.svg"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for name, want := range map[string]string{
		"reliability.csv":       "low,high,count,confidence,precision\n0.2,0.25,1,0.2,0\n0.95,1,3,0.9,0.6\n",
		"confusion-far-ood.csv": "row,column,count,share\npizza,dog,0,0\npizza,bus,2,0.25\npizza,missed,6,0.75\n",
	} {
		if got, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(got) != want {
			t.Errorf("%s: error %v,\n%swant\n%s", name, err, got, want)
		}
	}
	if svg, err := os.ReadFile(filepath.Join(dir, "reliability.svg")); err != nil || !strings.Contains(string(svg), "ECE 27.5 %") {
		t.Errorf("error %v, or the picture lacks the report's calibration error", err)
	}
}

// An evaluation that found nothing has no figures.
func TestSaveNothing(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "figures")
	if err := Save(&eval.Report{}, dir, strings.ToLower); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the folder: %v", err)
	}
}

func TestSaveNamesTheFigure(t *testing.T) {
	dir := t.TempDir()
	if err := Save(report(), dir, func(set string) string { return set }); err == nil || !strings.HasPrefix(err.Error(), "figure "+filepath.Join(dir, "confusion-far:ood")) {
		t.Errorf("error %v, want one that names the figure", err)
	}
}

// The figure of scores has the report's numbers, in its order, and gaps where there are none.
func TestWhichScore(t *testing.T) {
	r := &eval.Report{
		Outliers: map[string]*eval.Outcome{
			"far":  {Scores: map[string]eval.Separation{"energy": {AUROC: 0.6}, "knn": {AUROC: 0.9, CI95: &eval.SeparationIntervals{AUROC: eval.Interval{0.85, 0.95}}}}},
			"near": {Scores: map[string]eval.Separation{"energy": {AUROC: 0.5}, "knn": {AUROC: 0.7}, "vim": {AUROC: 0.55}}},
		},
		Synthetic: map[string]float64{"knn": 0.99},
	}
	dir := t.TempDir()
	if err := Save(r, dir, strings.ToLower); err != nil {
		t.Fatal(err)
	}
	const want = `row,series,value,low,high
knn,far,90,85,95
energy,far,60,NaN,NaN
vim,far,NaN,NaN,NaN
knn,near,70,NaN,NaN
energy,near,50,NaN,NaN
vim,near,55.00000000000001,NaN,NaN
knn,synthetic outliers,99,NaN,NaN
energy,synthetic outliers,NaN,NaN,NaN
vim,synthetic outliers,NaN,NaN,NaN
`
	if got, err := os.ReadFile(filepath.Join(dir, "which-score.csv")); err != nil || string(got) != want {
		t.Errorf("error %v,\n%swant\n%s", err, got, want)
	}
}
