package protocol

import (
	"testing"

	"ffslab/data"
	"ffslab/ffs/eval"
)

func TestThresholdsKeepInliers(t *testing.T) {
	threshold := 0.5
	e := &Evaluation{Sets: []*data.Dataset{{}}, Report: &eval.Report{ScoreThreshold: &threshold}, Detections: [][]eval.Detection{nil}}
	if thresholds, err := e.Thresholds(); err != nil || thresholds.Energy != nil {
		t.Errorf("without detections: %+v, %v; want no energy threshold", thresholds, err)
	}
	for i := range 100 {
		energy := map[string]float64{"energy": float64(i)}
		e.Detections[0] = append(e.Detections[0],
			eval.Detection{Logits: []float64{5, 0}, Scores: energy},
			eval.Detection{Logits: []float64{0, 5}, Scores: energy}) // does not count
	}
	thresholds, err := e.Thresholds()
	if err != nil || thresholds.Score != 0.5 || thresholds.Energy == nil || *thresholds.Energy != 5 {
		t.Fatalf("thresholds %+v, %v; want score 0.5 and energy 5, which 95 of 100 reach", thresholds, err)
	}
	for energy, want := range map[float64]bool{4.9: true, 5: false} {
		if got := thresholds.Unknown(eval.Detection{Scores: map[string]float64{"energy": energy}}); got != want {
			t.Errorf("energy %g is unknown: %t, want %t", energy, got, want)
		}
	}
	if thresholds.Unknown(eval.Detection{}) {
		t.Error("a detection without an energy is called unknown")
	}
}
