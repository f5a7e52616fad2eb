package score

import (
	"fmt"
	"math"

	"ffslab/ffs/internal/guard"
)

// kind is the word for a score in errors.
const kind = "score"

// Checked returns the scorer with an error, which names the score, where it panics, or returns
// another number of values than rows, or a value that is not finite.
func Checked(s Scorer) Scorer { return checked{s} }

type checked struct{ Scorer }

func (s checked) Fit(inliers Features, layer Layer) (err error) {
	if panicked := guard.Part(kind, s.Name(), func() { err = s.Scorer.Fit(inliers, layer) }); panicked != nil {
		return panicked
	}
	return err
}

func (s checked) Score(rows Features) (values []float64, err error) {
	if panicked := guard.Part(kind, s.Name(), func() { values, err = s.Scorer.Score(rows) }); panicked != nil {
		return nil, panicked
	}
	if err != nil {
		return nil, err
	}
	if n := rows.Len(); len(values) != n {
		return nil, fault(s.Name(), "returned %d values for %d rows, want one for each", len(values), n)
	}
	for i, v := range values {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			return nil, fault(s.Name(), "returned %v for row %d, want a finite number", v, i)
		}
	}
	return values, nil
}

func fault(name, format string, args ...any) error {
	return &guard.PartError{Kind: kind, Name: name, Err: fmt.Errorf(format, args...)}
}
