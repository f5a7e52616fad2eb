package eval

import (
	"errors"
	"strings"
	"testing"

	"ffslab/ffs/internal/testkit"

	"ffslab/data"
)

// Two detections share the bin 0.90-0.95: one is right, one is not. They are
// of one size, on the left and on the right of the image.
func TestCalibrationByHand(t *testing.T) {
	crowd := object(1, 1, 500)
	crowd.Crowd = true
	annotations := &Annotations{
		ImageIDs: []data.ID{1, 2}, Sizes: [][2]float64{{1000, 100}, {1000, 100}}, Categories: []Category{{1, "cat"}, {2, "dog"}},
		Objects: []GroundTruth{object(1, 1, 0), object(2, 2, 300), crowd},
	}
	at := func(image, category data.ID, x, score float64) Detection {
		return Detection{ImageID: image, CategoryID: category, Box: [4]float64{x, 0, 10, 10}, Score: score}
	}
	detections := []Detection{
		at(1, 1, 2, 0.91),   // right: IoU 2/3
		at(1, 1, 960, 0.93), // on nothing
		at(2, 2, 300, 0.32), // right
		at(2, 1, 300, 0.11), // of the wrong class
		at(1, 1, 500, 0.99), // in a crowd
	}
	got, err := MeasureCalibration(annotations, detections)
	if err != nil {
		t.Fatal(err)
	}
	const together, apart = 2 * (0.92 - 0.5), (1 - 0.91) + 0.93
	const rest = (1 - 0.32) + 0.11
	testkit.Close(t, "ECE, D-ECE by position, size and both", []float64{got.ECE, *got.DECEPosition, *got.DECESize, *got.DECEBox},
		[]float64{(together + rest) / 4, (apart + rest) / 4, (together + rest) / 4, (apart + rest) / 4}, 1e-15)
	var bins []float64
	for _, b := range got.Bins {
		bins = append(bins, b.Low, b.High, float64(b.Detections), b.Score, b.Precision)
	}
	testkit.Close(t, "bins", bins, []float64{
		0.1, 0.15, 1, 0.11, 0,
		0.3, 0.35, 1, 0.32, 1,
		0.9, 0.95, 2, 0.92, 0.5,
	}, 1e-15)
	if got.Detections != 4 {
		t.Errorf("%d detections, want 4", got.Detections)
	}

	annotations.Sizes = nil
	if got, err = MeasureCalibration(annotations, detections); err != nil || got.DECEBox != nil || got.Detections != 4 {
		t.Errorf("without sizes: error %v, %+v", err, got)
	}
	if got, err = MeasureCalibration(annotations, nil); err != nil || got != nil {
		t.Errorf("without detections: error %v, %+v", err, got)
	}
}

// Beside logits, scores in percent would leave no detection that counts.
func TestEvaluateRefusesPercentBesideLogits(t *testing.T) {
	inlier, outlier := protocolSets()
	for i := range inlier.Detections {
		inlier.Detections[i].Score *= 100
	}
	if _, err := Evaluate(inlier, map[string]Results{"zoo": outlier}, Settings{}); err == nil || !strings.Contains(err.Error(), "divide those in percent by 100") {
		t.Errorf("error %v", err)
	}
}

// A score of 1 belongs to the last bin. Beyond COCO's 100 an image's detections do not
// count, and the next image's are not mistaken for them.
func TestCalibrationAtTheLimits(t *testing.T) {
	annotations := &Annotations{
		ImageIDs: []data.ID{1, 2}, Categories: []Category{{1, "cat"}}, Objects: []GroundTruth{object(2, 1, 0)},
	}
	var detections []Detection
	for range 130 {
		detections = append(detections, Detection{ImageID: 1, CategoryID: 1, Box: [4]float64{50, 0, 1, 1}, Score: 0.5})
	}
	detections = append(detections, Detection{ImageID: 2, CategoryID: 1, Box: [4]float64{0, 0, 10, 10}, Score: 1})
	got, err := MeasureCalibration(annotations, detections)
	if err != nil {
		t.Fatal(err)
	}
	last := got.Bins[len(got.Bins)-1]
	if got.Detections != 101 || last.Low != 0.95 || last.Detections != 1 || last.Precision != 1 {
		t.Errorf("%d detections, last bin %+v, want 101 and one that is right", got.Detections, last)
	}
	testkit.Close(t, "ECE", got.ECE, 50./101, 1e-15)
}

// Scores in percent and logits have no calibration error; a probability may be off by rounding.
func TestCalibrationNeedsProbabilities(t *testing.T) {
	annotations := &Annotations{ImageIDs: []data.ID{1}, Categories: []Category{{1, "cat"}}, Objects: []GroundTruth{object(1, 1, 0)}}
	for _, c := range []struct {
		scores []float64
		want   string
	}{
		{[]float64{0, 1}, ""},
		{[]float64{float64(float32(1) + 1e-6), -1e-7}, ""},
		{[]float64{0.5, 66.5}, "detection 1: score 66.5 is not a probability: 1 of 2 scores are outside 0 to 1; divide scores in percent by 100"},
		{[]float64{-2, 3}, "detection 0: score -2 is not a probability: 2 of 2 scores are outside 0 to 1; give probabilities"},
		{[]float64{155, 3}, "give probabilities"},
	} {
		results := Results{Annotations: annotations}
		for _, score := range c.scores {
			results.Detections = append(results.Detections, Detection{ImageID: 1, CategoryID: 1, Box: [4]float64{0, 0, 10, 10}, Score: score})
		}
		got, err := MeasureCalibration(results.Annotations, results.Detections)
		if c.want == "" {
			if err != nil || got == nil {
				t.Errorf("scores %v: error %v, %+v", c.scores, err, got)
			}
			continue
		}
		if got != nil || !errors.Is(err, ErrNotProbabilities) || !strings.HasPrefix(err.Error(), c.want) && !strings.HasSuffix(err.Error(), c.want+" (logits through sigmoid or softmax)") {
			t.Errorf("scores %v: error %v, %+v, want %s", c.scores, err, got, c.want)
		}
		report, err := Settings{}.MeasureDetection(results)
		var text strings.Builder
		if err = errors.Join(err, report.WriteSummary(&text)); err != nil || report.Calibration != nil || !strings.Contains(text.String(), "Note: the calibration error is not measured: detection") {
			t.Errorf("scores %v: error %v, summary\n%s", c.scores, err, text.String())
		}
	}
}
