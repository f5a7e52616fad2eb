// Package posthoc gives detections the scores of package score: it fits those that were asked for on features of known objects, and puts their values where package eval
// measures them.
package posthoc

import (
	"errors"
	"fmt"
	"slices"

	"ffslab/ffs/eval"
	"ffslab/ffs/score"
)

// All stands for all registered scores.
const All = "all"

// Resolve returns the names of the scores that were asked for: those of the list, or all registered ones if it holds [All]. An unknown name is an
// error that lists what there is.
func Resolve(names []string) ([]string, error) {
	if slices.Contains(names, All) {
		return score.Names(), nil
	}
	for _, name := range names {
		if _, err := score.New(name); err != nil {
			return nil, err
		}
	}
	return names, nil
}

// Fitted are scores that were fitted.
type Fitted struct {
	scorers []score.Scorer
	// Replace says that scores which a detection has already are replaced; else they stay.
	Replace bool
	// NotMeasured says of scores that cannot be fitted, or do not apply to the detections, why.
	NotMeasured map[string]string
}

// Fit fits the scores on inliers, which may be empty, and leaves out those that cannot be. It is an error if a name is unknown, or if the inliers are faulty.
func Fit(names []string, inliers score.Features, layer score.Layer) (*Fitted, error) {
	if err := inliers.Check(); err != nil {
		return nil, err
	}
	f := &Fitted{NotMeasured: map[string]string{}}
	for _, name := range names {
		s, err := score.New(name)
		if err != nil {
			return nil, err
		}
		if err := s.Fit(inliers, layer); err != nil {
			f.NotMeasured[name] = reason(name, err)
			continue
		}
		f.scorers = append(f.scorers, s)
	}
	return f, nil
}

// reason is the error without the score's name, which stands beside it.
func reason(name string, err error) string {
	text := err.Error()
	if prefix := name + ": "; len(text) > len(prefix) && text[:len(prefix)] == prefix {
		text = text[len(prefix):]
	}
	return text
}

// Score puts the values of all scores that apply into Scores of the detections, whose rows are in their order. A score that
// does not apply to the rows is left out from now on. It is an error if rows are faulty, or not one for each detection.
func (f *Fitted) Score(detections []eval.Detection, rows score.Features) error {
	if len(detections) == 0 {
		return nil
	}
	if n := rows.Len(); n != len(detections) {
		return fmt.Errorf("%s: %d rows of features for %d detections", rows.From, n, len(detections))
	}
	if err := rows.Check(); err != nil {
		return err
	}
	applied := f.scorers[:0]
	for _, s := range f.scorers {
		name := s.Name()
		values, err := s.Score(rows)
		if err != nil {
			if !errors.Is(err, score.ErrMissing) {
				return err
			}
			f.NotMeasured[name] = reason(name, err)
			continue
		}
		applied = append(applied, s)
		for i := range detections {
			d := &detections[i]
			if _, own := d.Scores[name]; own && !f.Replace {
				continue
			}
			if d.Scores == nil {
				d.Scores = make(map[string]float64, len(f.scorers))
			}
			d.Scores[name] = values[i]
		}
	}
	f.scorers = applied
	return nil
}

// Rows are the detections in the form of package score, with what they carry themselves, of so many inlier classes. A detection without logits, or with another number of
// them than the first, leaves all without.
func Rows(from string, detections []eval.Detection, classes int) score.Features {
	rows := score.Features{From: from, Classes: classes, Given: map[string][]float64{}}
	if len(detections) == 0 {
		return rows
	}
	columns := len(detections[0].Logits)
	if columns > 0 && !slices.ContainsFunc(detections, func(d eval.Detection) bool { return len(d.Logits) != columns }) {
		rows.Logits = dense(len(detections), columns, func(i int) []float64 { return detections[i].Logits })
	}
	for name := range detections[0].Scores {
		column := make([]float64, len(detections))
		complete := true
		for i := range detections {
			value, ok := detections[i].Scores[name]
			column[i], complete = value, complete && ok
		}
		if complete {
			rows.Given[name] = column
		}
	}
	return rows
}
