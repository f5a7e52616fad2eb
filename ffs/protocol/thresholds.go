package protocol

import (
	"cmp"
	"fmt"
	"path/filepath"

	"ffslab/ffs/eval"
	"ffslab/ffs/infer"
)

// Thresholds decide what becomes of a detection: whether it counts, and whether it is called
// unknown. "ffs eval" records both.
type Thresholds struct {
	// Score is the least probability that a detection must have.
	Score float64
	// Energy, if not nil, is what a detection's energy must reach; those under it are unknown
	// objects.
	Energy *float64
	// By is the outlier score that Energy is a threshold of; empty stands for the energy.
	By string
}

// Unknown says whether the detection is an unknown object, and false where that cannot be told.
func (t Thresholds) Unknown(d eval.Detection) bool {
	value, ok := d.OutlierScore(cmp.Or(t.By, "energy"))
	return ok && t.Energy != nil && value < *t.Energy
}

// Saved are the thresholds of an evaluation.
type Saved struct {
	Thresholds
	// Temperature is that of the model's own scores (see eval.AtTemperature).
	Temperature float64
	// Recommended is the outlier score that the evaluation speaks for, empty if it speaks for none.
	Recommended string
}

// OtherWeightsError says that what an evaluation has left, its thresholds, its recommended score or
// the features that scores are fitted on, is about other weights than those that are used.
type OtherWeightsError struct {
	Path string // of the report, or of the features
	// Subject is what it is about, as far as the file says so: nil for a report that does not,
	// without sets for features.
	Subject *eval.Subject
	// Step and Weights are those that are used.
	Step    int
	Weights string
}

func (e *OtherWeightsError) Error() string {
	if e.Subject == nil {
		return fmt.Sprintf("%s does not say which weights it measured: evaluate again", e.Path)
	}
	return fmt.Sprintf("%s is about other weights (step %d, %.12s) than those of step %d (%.12s): evaluate again", e.Path, e.Subject.Step, e.Subject.Weights, e.Step, e.Weights)
}

// ReadThresholds reads the thresholds that the evaluation in the folder out has saved, for a model
// of the identity. Unknown objects are told by the outlier score by, or, if that is empty, by the
// recommended one, and else by the energy. It fails as os.Open does where there is no evaluation,
// and with an [OtherWeightsError] if that is about other weights.
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

// Unsaved are the thresholds where there is no evaluation: every detection that is likely enough
// counts, and none is called unknown. by is the outlier score, the energy if it is empty.
func Unsaved(by string) Saved {
	return Saved{Thresholds: Thresholds{Score: defaultScore, By: cmp.Or(by, "energy")}, Temperature: 1}
}

const defaultScore = 0.5
