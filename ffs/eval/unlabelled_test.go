package eval

import (
	"testing"

	"ffslab/data"
)

// An outlier set of which nobody has marked the objects, be it without classes, is measured as far
// as that needs no boxes, intervals included.
func TestUnlabelledOutliers(t *testing.T) {
	known, unknown := plainSets()
	unknown.Annotations = &Annotations{ImageIDs: unknown.Annotations.ImageIDs}
	report, err := Evaluate(known, map[string]Results{"photos": unknown}, Settings{Bootstrap: Bootstrap{Resamples: 5}})
	if err != nil {
		t.Fatal(err)
	}
	for name, outcome := range map[string]*Outcome{"by proposal": report.Outliers["photos"], "by own score": report.ByOwnScore["photos"]} {
		separation, ok := outcome.Scores["energy"]
		if !ok || separation.CI95 == nil || outcome.OpenSet != nil {
			t.Errorf("%s: %+v", name, outcome)
		}
	}
	if report.Confusion["photos"] != nil {
		t.Error("a confusion table without objects")
	}
}

func plainSets() (known, unknown Results) {
	energy := func(v float64) map[string]float64 { return map[string]float64{"energy": v} }
	box := [4]float64{0, 0, 10, 10}
	classes := []Category{{0, "cat"}}
	known = Results{
		Annotations: &Annotations{ImageIDs: []data.ID{1}, Categories: classes, Objects: []GroundTruth{{ImageID: 1, Box: box, Area: 100}}},
		Detections:  []Detection{{ImageID: 1, Box: box, Score: 0.9, Scores: energy(5), Logits: []float64{3, 0}}},
	}
	unknown = Results{
		Annotations: &Annotations{ImageIDs: []data.ID{data.TextID("a"), data.TextID("b")}},
		Detections:  []Detection{{ImageID: data.TextID("a"), Box: box, Score: 0.9, Scores: energy(1), Logits: []float64{3, 0}}},
	}
	return known, unknown
}
