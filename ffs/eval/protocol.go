package eval

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
)

// Results are a detector's detections on an annotated set.
type Results struct {
	Annotations *Annotations
	Detections  []Detection
}

// Filter says which detections are confident enough to be counted.
type Filter int

const (
	// ByProposal keeps a detection if the largest inlier probability of its
	// PROPOSAL reaches the threshold, so the low-scoring second class of a
	// confident proposal counts. This is the original's convention.
	ByProposal Filter = iota
	// ByOwnScore keeps a detection if its own score reaches the threshold.
	ByOwnScore
)

// Keep returns the detections that reach the threshold rounded to 4 digits,
// as the original does. [ByProposal] needs logits: a detection without them is
// an error naming it.
func (f Filter) Keep(detections []Detection, threshold float64) ([]Detection, error) {
	threshold = round4(threshold)
	var kept []Detection
	for i := range detections {
		d := &detections[i]
		probability := d.Score
		if f == ByProposal {
			if len(d.Logits) < 2 {
				return nil, fmt.Errorf("detection %d has no logits, which the filter by proposal needs", i)
			}
			probability = d.inlierProbability()
		}
		if probability >= threshold {
			kept = append(kept, *d)
		}
	}
	return kept, nil
}

// round4 rounds the exact binary value to 4 decimals, halves to even, which is
// Python's round(x, 4).
func round4(x float64) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', 4, 64), 64)
	return rounded
}

// Evaluate runs the protocol of FFS and VOS:
//
//  1. COCO's numbers of the inlier set, and the score threshold that maximises
//     F1 there ([COCO.ScoreThreshold], the original's convention);
//  2. on the inlier and every outlier set, keep the detections that reach this
//     threshold, by each [Filter];
//  3. separate the kept detections of the inlier set from those of each outlier
//     set, whatever object they are on, by every score that all of them carry,
//     and measure how the annotated objects of the outlier set, all of them
//     unknown, are treated ([MeasureOpenSet]).
//
// outliers is keyed by the name of the set; its detections bear the category
// ids of the inlier set. What cannot be measured is left out of the report:
// everything after step 1 if no class settles the threshold, scores that a
// detection lacks or of an empty side, open-set numbers without inlier
// energies or without annotations of unknown objects (Annotations may be nil).
// Errors name the set and the record.
func Evaluate(inlier Results, outliers map[string]Results) (*Report, error) {
	coco, err := EvaluateCOCO(inlier.Annotations, inlier.Detections)
	if err != nil {
		return nil, fmt.Errorf("inlier set: %w", err)
	}
	report := &Report{MAP: coco.Stats(), Outliers: map[string]*Outcome{}, ByOwnScore: map[string]*Outcome{}}
	threshold, ok := coco.ScoreThreshold(Original)
	if !ok {
		return report, nil
	}
	report.ScoreThreshold = &threshold

	for _, pass := range []struct {
		Filter
		outcomes map[string]*Outcome
	}{{ByProposal, report.Outliers}, {ByOwnScore, report.ByOwnScore}} {
		known := inlier
		if known.Detections, err = pass.Keep(inlier.Detections, threshold); err != nil {
			return nil, fmt.Errorf("inlier set: %w", err)
		}
		for _, name := range slices.Sorted(maps.Keys(outliers)) {
			unknown := outliers[name]
			if unknown.Detections, err = pass.Keep(unknown.Detections, threshold); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if pass.outcomes[name], err = compareSets(known, unknown); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	return report, nil
}

// compareSets measures one outlier set against the inlier set.
func compareSets(known, unknown Results) (*Outcome, error) {
	outcome := &Outcome{Inliers: len(known.Detections), Outliers: len(unknown.Detections), Scores: map[string]Separation{}}
	for _, name := range ScoreNames {
		in, inAll := outlierScores(known.Detections, name)
		out, outAll := outlierScores(unknown.Detections, name)
		if !inAll || !outAll || len(in) == 0 || len(out) == 0 {
			continue
		}
		separation, err := Separate(in, out)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		outcome.Scores[name] = separation
	}

	// Missed objects count, so the open-set numbers need no outlier detection.
	energies, all := outlierScores(known.Detections, "energy")
	if !all || len(energies) == 0 || unknown.Annotations == nil {
		return outcome, nil
	}
	threshold, err := ThresholdTPR95(energies)
	if err != nil {
		return nil, fmt.Errorf("energy: %w", err)
	}
	outcome.OpenSet, err = MeasureOpenSet(known, unknown, threshold)
	if err != nil && !errors.Is(err, ErrNoUnknown) {
		return nil, err
	}
	return outcome, nil
}

// outlierScores returns a score of every detection, and false if one lacks it.
func outlierScores(detections []Detection, name string) ([]float64, bool) {
	scores := make([]float64, len(detections))
	for i := range detections {
		score, ok := detections[i].OutlierScore(name)
		if !ok {
			return nil, false
		}
		scores[i] = score
	}
	return scores, true
}
