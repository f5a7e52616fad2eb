package explore

import (
	"errors"
	"strings"
	"testing"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
	"ffslab/ffs/run"
	"ffslab/viz"
)

// evaluation is one with the given energies, all of detections that are sure of their class.
func evaluation(energies ...[]float64) *protocol.Evaluation {
	threshold := 0.5
	e := &protocol.Evaluation{Run: run.Named{Name: "tiny", Run: &run.Run{}}, Report: &eval.Report{ScoreThreshold: &threshold}}
	for i, values := range energies {
		e.Sets = append(e.Sets, &data.Dataset{Name: string(rune('a' + i))})
		var detections []eval.Detection
		for _, v := range values {
			detections = append(detections,
				eval.Detection{Score: 0.9, Logits: []float64{5, 0}, Scores: map[string]float64{"energy": v}},
				eval.Detection{Score: 0.1, Logits: []float64{0, 5}, Scores: map[string]float64{"energy": v}}) // does not count
		}
		e.Detections = append(e.Detections, detections)
	}
	return e
}

func TestSeparationFigures(t *testing.T) {
	for _, test := range []struct {
		name     string
		energies [][]float64
		draw     func([]*protocol.Evaluation) (*viz.Figure, error)
		want     string // in the CSV, or in the error
		nothing  bool
	}{
		{"ROC", [][]float64{{3, 4}, {1, 3.5}}, ROC, "b,tiny: energy,0.5,0.5", false},
		{"precision", [][]float64{{3, 4}, {1, 3.5}}, PrecisionRecall, "b,tiny: energy,1,0.6666", false},
		{"histogram", [][]float64{{3, 4}, {1, 3.5}, {2}}, EnergyHistogram, "run tiny,c,", false},
		{"no outlier set", [][]float64{{3, 4}}, ROC, "data.ood", true},
		{"no outlier", [][]float64{{3, 4}, nil}, ROC, "score threshold", true},
		{"one set of two", [][]float64{{3, 4}, nil, {1}}, ROC, "c,tiny: energy,1,1", false},
		{"no detections at all", [][]float64{nil, nil}, EnergyHistogram, "score threshold", true},
	} {
		figure, err := test.draw([]*protocol.Evaluation{evaluation(test.energies...), evaluation(test.energies...)})
		if test.nothing {
			if !errors.Is(err, viz.ErrNothing) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("%s: %v, want viz.ErrNothing with %q", test.name, err, test.want)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		csv, err := figure.CSV()
		if err != nil || !strings.Contains(string(csv), test.want) {
			t.Errorf("%s: %v; the CSV lacks %q:\n%s", test.name, err, test.want, csv)
		}
	}
}
