package protocol

import (
	"ffslab/ffs/eval"
	"ffslab/ffs/infer"
	"fmt"
	"path/filepath"
)

// Thresholds decide what becomes of a detection: whether it counts, and whether it is called
// unknown. "ffs eval" records both.
type Thresholds struct {
	// Score is the least probability that a detection must have.
	Score float64
	// Energy, if not nil, is what a detection's energy must reach; those under it are unknown
	// objects.
	Energy *float64
}

// Unknown says whether the detection is an unknown object, and false where that cannot be told.
func (t Thresholds) Unknown(d eval.Detection) bool {
	energy, ok := d.OutlierScore("energy")
	return ok && t.Energy != nil && energy < *t.Energy
}

// Saved are the thresholds of an evaluation.
type Saved struct {
	Thresholds
	// Temperature is that of the energy.
	Temperature float64
}

// OtherWeightsError says that an evaluation is about other weights than those that are used:
// nothing that it has left is good for them.
type OtherWeightsError struct {
	Path string // of the report
	// Subject is what it is about, nil for a report that does not say so.
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
// of the identity. It fails as os.Open does where there is no evaluation, and with an
// [OtherWeightsError] if that is about other weights.
func ReadThresholds(out string, identity infer.Identity) (Saved, error) {
	path := filepath.Join(out, "metrics.json")
	report, err := eval.ReadReport(path)
	if err != nil {
		return Saved{}, err
	}
	if report.Subject == nil || report.Subject.Weights != identity.Parameters {
		return Saved{}, &OtherWeightsError{path, report.Subject, identity.Step, identity.Parameters}
	}
	s := Saved{Thresholds: Thresholds{Score: defaultScore}, Temperature: report.Temperature}
	if report.ScoreThreshold != nil {
		s.Score = *report.ScoreThreshold
	}
	if energy, ok := report.UnknownThresholds["energy"]; ok {
		s.Energy = &energy
	}
	return s, nil
}

// Unsaved are the thresholds where there is no evaluation: every detection that is likely enough
// counts, and none is called unknown.
func Unsaved() Saved { return Saved{Thresholds{Score: defaultScore}, 1} }

const defaultScore = 0.5
