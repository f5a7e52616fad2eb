// Package posthoc gives detections the scores of package score. It fits the requested scores on
// features of known objects and stores their values where package eval measures them.
package posthoc

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ffslab/ffs/eval"
	"ffslab/ffs/score"

	"gonum.org/v1/gonum/mat"
)

// All stands for all registered scores.
const All = "all"

// Resolve returns the requested names, or all registered ones if the list holds [All]. The error of
// an unknown name lists all names.
func Resolve(names []string) ([]string, error) {
	for _, name := range names {
		if name == All {
			continue
		}
		if _, err := score.New(name); err != nil {
			return nil, err
		}
	}
	if slices.Contains(names, All) {
		return score.Names(), nil
	}
	return names, nil
}

// Fitted holds fitted scores.
type Fitted struct {
	scorers []score.Scorer
	// Replace says whether scores replace those that a detection has already.
	Replace bool
	// NotMeasured says why scores cannot be fitted or do not apply to the detections.
	NotMeasured map[string]string
}

// Fit fits the scores on inliers, which may be empty, and leaves out those that cannot be fitted.
// An unknown name or faulty inliers are an error.
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
		s = score.Checked(s)
		if err := s.Fit(inliers, layer); err != nil {
			f.NotMeasured[name] = reason(name, err)
			continue
		}
		f.scorers = append(f.scorers, s)
	}
	return f, nil
}

// reason returns the error without the name of the score.
func reason(name string, err error) string {
	return strings.TrimPrefix(strings.TrimPrefix(err.Error(), name+": "), fmt.Sprintf("score %q: ", name))
}

// Score adds the values of all scores that apply to the detections; rows holds one row for each, in
// their order. A score that does not apply is dropped. Faulty rows, or a different number of them,
// are an error.
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

// Rows returns the detections of a detector with the given number of inlier classes in the form of
// package score, with the scores that they have themselves. Unless all detections have the same
// number of logits, the rows have none.
func Rows(from string, detections []eval.Detection, classes int) score.Features {
	rows := score.Features{From: from, Classes: classes, Given: map[string][]float64{}}
	if len(detections) == 0 {
		return rows
	}
	columns := len(detections[0].Logits)
	if columns > 0 && !slices.ContainsFunc(detections, func(d eval.Detection) bool { return len(d.Logits) != columns }) {
		rows.Logits = mat.NewDense(len(detections), columns, nil)
		for i := range detections {
			rows.Logits.SetRow(i, detections[i].Logits)
		}
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
