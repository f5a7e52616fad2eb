package pictures

import (
	"encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/internal/tiny"
	"ffslab/ffs/protocol"
	"ffslab/ffs/run"
	"ffslab/viz"
)

// foundOn makes a detection on an image, of the category, the energy and the logit of the background.
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
			{foundOn(1, 1, 3, sure), foundOn(2, 2, 5, sure), foundOn(3, 1, 9, unsure), foundOn(4, 2, 4, sure)},
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
			captions[name] = append(captions[name], row[1])
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
		"squares-val/most-certain":  {"squares:val 1: blue, 5.00", "squares:val 3: blue, 4.00"},
		"squares-val/least-certain": {"squares:val 0: red, 3.00", "squares:val 3: blue, 4.00"},
		"squares-ood/most-certain":  {"squares:ood 1: red, -1.00"},
		"squares-ood/least-certain": {"squares:ood 1: red, -1.00"},
	}
	if diff := cmp.Diff(want, captions); diff != "" {
		t.Errorf("captions (-want +got):\n%s", diff)
	}
	if _, err := Certain(e, 2, 2, false); !errors.Is(err, viz.ErrNothing) {
		t.Errorf("a set without a detection that counts: error %v, want ErrNothing", err)
	}
	e.Detections[1][0].ImageID = 77
	if _, err := Certain(e, 1, 2, false); err == nil {
		t.Error("a detection on an image that the set does not have was drawn")
	}
}
