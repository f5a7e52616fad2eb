package pictures

import (
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/internal/tiny"
	"ffslab/ffs/protocol"
	"ffslab/ffs/run"
	"ffslab/viz"
)

// foundOn makes a detection on an image, of the category, the energy and the logit of the
// background.
func foundOn(image data.ID, class data.ID, energy, background float64) eval.Detection {
	return eval.Detection{
		ImageID: image, CategoryID: class, Box: [4]float64{4, 8, 20, 20}, Score: 0.5, Scores: map[string]float64{"energy": energy}, Logits: []float64{0, -9, background},
	}
}

func TestMostAndLeastCertainDetectionsAreThoseOfTheirEnergy(t *testing.T) {
	threshold := 0.6
	const sure, unsure = -2, 1 // logits of the background: the proposal's probability of the first class is 0.88, 0.27
	e := &protocol.Evaluation{
		Run:    run.Named{Name: "x"},
		Sets:   []*data.Dataset{tiny.Squares("squares:val", 4, "red", "blue"), tiny.Squares("squares:ood", 2, "green"), tiny.Squares("squares:none", 1, "green")},
		Report: &eval.Report{ScoreThreshold: &threshold},
		Detections: [][]eval.Detection{
			{foundOn(1, 1, 3, sure), foundOn(2, 2, 5, sure), foundOn(2, 1, 5, sure), foundOn(3, 1, 9, unsure), foundOn(4, 2, 4, sure)}, // on image 2 two classes claim one box
			{foundOn(2, 1, -1, sure)},
			{foundOn(1, 1, 9, unsure)},
		},
	}
	out := t.TempDir()
	drawn, err := SaveCertain(e, out, 2)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	captions := map[string][]string{}
	for _, path := range drawn {
		name, err := filepath.Rel(out, path)
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
		file, err := os.Open(path + ".csv")
		if err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(file).ReadAll()
		if err := errors.Join(err, file.Close()); err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[1:] {
			if row[3] != "truth" { // caption, style, score, corner
				captions[name] = append(captions[name], strings.Join([]string{row[1], row[3], row[4], row[5], row[6]}, " "))
			}
		}
		if _, err := os.Stat(path + ".png"); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff([]string{"squares-val/most-certain", "squares-val/least-certain", "squares-ood/most-certain", "squares-ood/least-certain"}, names); diff != "" {
		t.Errorf("drawn (-want +got):\n%s", diff)
	}
	// The detection of energy 9 does not count, since its proposal is unsure.
	want := map[string][]string{
		"squares-val/most-certain":  {"squares:val 1: blue, energy 5.00 inlier 0.5 4 8", "squares:val 3: blue, energy 4.00 inlier 0.5 4 8"},
		"squares-val/least-certain": {"squares:val 0: red, energy 3.00 inlier 0.5 4 8", "squares:val 3: blue, energy 4.00 inlier 0.5 4 8"},
		"squares-ood/most-certain":  {"squares:ood 1: red, energy -1.00 unknown 0.5 4 8"},
		"squares-ood/least-certain": {"squares:ood 1: red, energy -1.00 unknown 0.5 4 8"},
	}
	if diff := cmp.Diff(want, captions); diff != "" {
		t.Errorf("captions (-want +got):\n%s", diff)
	}
	e.Report.Subject = &eval.Subject{Run: "x", Step: 5, Steps: 8, Weights: "0123456789abcdef"}
	if figure, err := Certain(e, 0, 2, false); err != nil || !strings.Contains(figure.Caption, "step 5 of 8 (the training is not finished), weights 0123456789ab,") {
		t.Errorf("error %v, or the caption does not name the subject: %v", err, figure)
	}
	if _, err := Certain(e, 2, 2, false); !errors.Is(err, viz.ErrNothing) {
		t.Errorf("a set without a detection that counts: error %v, want ErrNothing", err)
	}
	e.Detections[1][0].ImageID = 77
	if _, err := Certain(e, 1, 2, false); err == nil {
		t.Error("a detection on an image that the set does not have was drawn")
	}
}
