package infer

import (
	"slices"
	"testing"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/internal/tiny"
)

// Annotated boxes are among the proposals, as in training, so each class has rows, and those of its
// object are among them; what overlaps no object is background.
func TestProposalFeatures(t *testing.T) {
	m := untrained(t)
	set := tiny.Squares("squares", 5, "red", "blue")
	set.Images = append(set.Images, tiny.Empty())
	rows, classes, err := m.ProposalFeatures(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	const background = 2
	count := make([]int, background+1)
	for _, class := range classes {
		count[class]++
	}
	roi := m.Config.Model.ROI
	most := len(set.Images) * roi.BatchPerImage
	if len(rows) != len(classes) || len(rows) > most || count[0] < 3 || count[1] < 2 || count[0]+count[1] > int(float64(most)*roi.PositiveFraction) || count[background] == 0 {
		t.Errorf("%d rows, %d classes: %v", len(rows), len(classes), count)
	}
	objects, err := m.ObjectFeatures(t.Context(), set, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range objects {
		if !slices.ContainsFunc(rows, func(row []float32) bool { return near(row, o.Features) }) {
			t.Errorf("image %d: the annotated object is not among the proposals", o.Image)
		}
	}
	again, _, err := m.ProposalFeatures(t.Context(), set)
	if err != nil || len(again) != len(rows) {
		t.Fatalf("again %d rows, error %v", len(again), err)
	}
	testkit.Close(t, "again", slices.Concat(again...), slices.Concat(rows...), 0)
}

// near tells whether rows are equal but for rounding.
func near(a, b []float32) bool {
	for i := range a {
		if d := a[i] - b[i]; d > 1e-4 || d < -1e-4 {
			return false
		}
	}
	return true
}
