package protocol

import (
	"cmp"
	"fmt"
	"path/filepath"

	"ffslab/ffs/eval"
	"ffslab/ffs/infer"
)

// Thresholds decide whether a detection counts, and whether it is called unknown. "ffs eval"
// records both.
type Thresholds struct {
	// Score is the least probability of a detection that counts.
	Score float64
	// Energy, if not nil, is the value below which a detection is an unknown object.
	Energy *float64
	// By names the outlier score that Energy is a threshold of; empty means the energy.
	By string
}

// Unknown reports whether the detection is an unknown object; false if that cannot be decided.
func (t Thresholds) Unknown(d eval.Detection) bool {
	value, ok := d.OutlierScore(cmp.Or(t.By, "energy"))
	return ok && t.Energy != nil && value < *t.Energy
}

// Saved holds the thresholds of an evaluation.
type Saved struct {
	Thresholds
	// Temperature is that of the model's own scores (see eval.AtTemperature).
	Temperature float64
	// Recommended is the outlier score that the evaluation favours; it may be empty.
	Recommended string
}

// OtherWeightsError says that the results of an evaluation, such as thresholds or the features that
// scores are fitted on, are of other weights than those in use.
type OtherWeightsError struct {
	Path string // of the report, or of the features
	// Subject is what the file is about: nil for a report that does not say so, and without sets
	// for features.
	Subject *eval.Subject
	// Step and Weights are those in use.
	Step    int
	Weights string
}

func (e *OtherWeightsError) Error() string {
	if e.Subject == nil {
		return fmt.Sprintf("%s does not say which weights it measured: evaluate again", e.Path)
	}
	return fmt.Sprintf("%s is about other weights (step %d, %.12s) than those of step %d (%.12s): evaluate again", e.Path, e.Subject.Step, e.Subject.Weights, e.Step, e.Weights)
}

// ReadThresholds reads the thresholds of the evaluation in the folder out for a model with the
// given identity. The outlier score by decides which objects are unknown; if it is empty, the
// recommended score does, or else the energy. Without an evaluation the error is that of os.Open;
// for other weights it is an [OtherWeightsError].
func ReadThresholds(out string, identity infer.Identity, by string) (Saved, error) {
	path := filepath.Join(out, "metrics.json")
	report, err := eval.ReadReport(path)
	if err != nil {
		return Saved{}, err
	}
	if report.Subject == nil || report.Subject.Weights != identity.Parameters {
		return Saved{}, &OtherWeightsError{path, report.Subject, identity.Step, identity.Parameters}
	}
	s := Saved{
		Thresholds:  Thresholds{Score: defaultScore, By: cmp.Or(by, report.Recommended, "energy")},
		Temperature: report.Temperature, Recommended: report.Recommended,
	}
	if report.ScoreThreshold != nil {
		s.Score = *report.ScoreThreshold
	}
	if threshold, ok := report.UnknownThresholds[s.By]; ok {
		s.Energy = &threshold
	}
	return s, nil
}

// Unsaved returns thresholds without an evaluation: every detection that is probable enough counts,
// and none is called unknown. by is the outlier score; empty means the energy.
func Unsaved(by string) Saved {
	return Saved{Thresholds: Thresholds{Score: defaultScore, By: cmp.Or(by, "energy")}, Temperature: 1}
}

const defaultScore = 0.5
