package study

import (
	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
)

// Comparison compares a measure of a run with that of a baseline.
type Comparison struct {
	Measure
	// Value and Baseline are fractions. Interval is the 95 % interval of Value minus Baseline if
	// the images, the same for both runs, are resampled; nil if too few resamples have the measure.
	Value, Baseline float64
	Interval        *eval.Interval
}

// Compare compares two evaluations of the same sets by every measure that both have, in the order
// of the tables of a study: AP, AP50, then AUROC and FPR95 of every score on every outlier set.
func Compare(run, baseline *protocol.Evaluation, bootstrap eval.Bootstrap) ([]Comparison, error) {
	between, err := intervals(run, baseline, bootstrap)
	if err != nil {
		return nil, err
	}
	var outliers []eval.Set
	for _, set := range run.Sets[1:] {
		outliers = append(outliers, protocol.Describe(set))
	}
	ours, theirs := values(run.Report), values(baseline.Report)
	var all []Comparison
	for _, m := range measures(outliers, run.Report.MeasuredScores()) {
		value, ok := ours[m]
		base, both := theirs[m]
		if !ok || !both {
			continue
		}
		d := Comparison{Measure: m, Value: value, Baseline: base}
		if interval, ok := between[m]; ok {
			d.Interval = &interval
		}
		all = append(all, d)
	}
	return all, nil
}
