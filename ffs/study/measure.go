package study

import (
	"errors"
	"fmt"

	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
)

// Measure names a number by which runs are compared.
type Measure struct {
	// Set is the outlier set and Score the outlier score (see eval.Detection.Scores) of AUROC and
	// FPR95; both are empty for AP and AP50.
	Set   string `json:"set,omitempty"`
	Score string `json:"score,omitempty"`
	// Name is AP, AP50, AUROC or FPR95, as in package eval. All are fractions. Lower is better for
	// FPR95, higher for the others.
	Name string `json:"measure"`
}

// arrow returns the name with the better direction.
func (m Measure) arrow() string {
	if m.Name == "FPR95" {
		return m.Name + " ↓"
	}
	return m.Name + " ↑"
}

// measures returns the measures by the scores on the outlier sets, in the order of the tables.
func measures(outliers []eval.Set, scores []string) []Measure {
	all := []Measure{{Name: "AP"}, {Name: "AP50"}}
	for _, set := range outliers {
		for _, score := range scores {
			all = append(all, Measure{set.Name, score, "AUROC"}, Measure{set.Name, score, "FPR95"})
		}
	}
	return all
}

func values(report *eval.Report) map[Measure]float64 {
	found := map[Measure]float64{}
	if report.MAP.AP >= 0 { // -1 where nothing was annotated
		found[Measure{Name: "AP"}], found[Measure{Name: "AP50"}] = report.MAP.AP, report.MAP.AP50
	}
	for set, outcome := range report.Outliers {
		for score, s := range outcome.Scores {
			found[Measure{set, score, "AUROC"}], found[Measure{set, score, "FPR95"}] = s.AUROC, s.FPR95
		}
	}
	return found
}

// intervals returns, for every measure that both runs have, the interval of a's value minus b's if
// the images, the same for both, are resampled. It leaves out measures that too few resamples have.
func intervals(a, b *protocol.Evaluation, bootstrap eval.Bootstrap) (map[Measure]eval.Interval, error) {
	found := map[Measure]eval.Interval{}
	if bootstrap.Resamples == 0 {
		return found, nil
	}
	ap, err := eval.PairedBootstrapCOCO(protocol.Annotations(a.Sets[0]), a.Detections[0], b.Detections[0], bootstrap)
	if err != nil && !errors.Is(err, eval.ErrTooFew) {
		return nil, err
	}
	if err == nil {
		found[Measure{Name: "AP"}], found[Measure{Name: "AP50"}] = ap.AP.CI95, ap.AP50.CI95
	}
	for i, set := range a.Sets[1:] {
		for _, score := range a.Report.MeasuredScores() {
			first, inFirst, err := sides(a, i+1, score)
			if err != nil {
				return nil, err
			}
			second, inSecond, err := sides(b, i+1, score)
			if err != nil {
				return nil, err
			}
			if !inFirst || !inSecond {
				continue
			}
			d, err := eval.PairedBootstrap(first, second, bootstrap)
			switch {
			case errors.Is(err, eval.ErrTooFew), errors.Is(err, eval.ErrEmpty):
				continue
			case err != nil:
				return nil, fmt.Errorf("%s: %s: %w", set.Name, score, err)
			}
			found[Measure{set.Name, score, "AUROC"}], found[Measure{set.Name, score, "FPR95"}] = d.AUROC.CI95, d.FPR95.CI95
		}
	}
	return found, nil
}

// sides returns the scores by which an outlier set, given by its index, is measured. It returns
// false if detections lack the score.
func sides(e *protocol.Evaluation, outliers int, score string) (eval.Sides, bool, error) {
	if e.Report.ScoreThreshold == nil {
		return eval.Sides{}, false, nil
	}
	return e.Compared(outliers, score)
}
