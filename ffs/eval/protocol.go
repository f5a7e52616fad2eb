package eval

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"ffslab/data"
)

// Results holds the detections of a detector on an annotated set.
type Results struct {
	Annotations *Annotations
	Detections  []Detection
	// Groups names parts of an outlier set, such as near and far outliers, by their image ids. They
	// are also measured on their own.
	Groups map[string][]data.ID
}

// Settings holds the choices of an evaluation. The zero value is the original's: temperature 1, no
// intervals.
type Settings struct {
	// Temperature of the outlier scores (see [AtTemperature]); 0 means 1. It does not affect the
	// filters and the score threshold.
	Temperature float64
	// Layer computes weighted_energy and logistic at temperatures other than 1; nil leaves them out
	// there.
	Layer *EnergyLayer
	// Bootstrap asks for intervals.
	Bootstrap Bootstrap
	// Threshold is the convention of the score threshold. The original's counts a class without
	// objects on the inlier set as -1.
	Threshold Convention
}

// Filter says which detections are confident enough to count.
type Filter int

const (
	// ByProposal keeps a detection if the largest inlier probability of its proposal reaches the
	// threshold, so that the low-scoring second class of a confident proposal counts. This is the
	// original's convention.
	ByProposal Filter = iota
	// ByOwnScore keeps a detection if its own score reaches the threshold.
	ByOwnScore
)

// Keep returns the detections that reach the threshold, rounded to 4 digits as in the original. For
// [ByProposal], a detection without logits is an error that names its index.
func (f Filter) Keep(detections []Detection, threshold float64) ([]Detection, error) {
	entries, err := f.Entries(detections, threshold)
	var kept []Detection
	for _, i := range entries {
		kept = append(kept, detections[i])
	}
	return kept, err
}

// Entries returns the indices of the detections that [Filter.Keep] returns.
func (f Filter) Entries(detections []Detection, threshold float64) ([]int, error) {
	threshold = round4(threshold)
	kept := []int{}
	for i := range detections {
		d := &detections[i]
		probability := d.Score
		if f == ByProposal {
			if len(d.Logits) < 2 {
				return nil, fmt.Errorf("detection %d has no logits, which the filter by proposal needs", i)
			}
			probability = d.ProposalProbability()
		}
		if probability >= threshold {
			kept = append(kept, i)
		}
	}
	return kept, nil
}

// round4 rounds to 4 decimals as Python's round(x, 4): the exact binary value, halves to even.
func round4(x float64) float64 {
	rounded, _ := strconv.ParseFloat(strconv.FormatFloat(x, 'f', 4, 64), 64)
	return rounded
}

// Evaluate runs the protocol of FFS and VOS:
//
//  1. Compute COCO's numbers on the inlier set, and the score threshold that maximises F1 there
//     ([COCO.ScoreThreshold]).
//  2. On the inlier set and every outlier set, keep the detections that reach this threshold, by
//     each [Filter].
//  3. Separate the kept detections of the inlier set from those of each outlier set, whatever
//     object they are on, by every score that all of them have. Measure how the annotated objects
//     of the outlier set, all of them unknown, are treated ([MeasureOpenSet], [MeasureConfusion]).
//
// The original has only outlier sets without inlier objects. A set that holds both kinds
// (Annotations.Known) is measured object by object: in step 3 its known objects replace those of
// the inlier set ([ByObject]), and only its other objects are unknown.
//
// outliers is keyed by the names of the sets; their detections have the category ids of the inlier
// set. The report leaves out what cannot be measured: everything after step 1 if no class has a
// score threshold, scores that a detection lacks (Report.NotMeasured says which) or that one side
// has none of, and open-set numbers without inlier energies or without annotated unknown objects
// (Annotations may be nil or list only images). Errors name the set and the record.
func Evaluate(inlier Results, outliers map[string]Results, s Settings) (*Report, error) {
	report, err := s.MeasureDetection(inlier)
	if err != nil {
		return nil, err
	}
	return report, s.MeasureOutliers(report, inlier, outliers)
}

// MeasureOutliers adds steps 2 and 3 of [Evaluate] to a report of [Settings.MeasureDetection]. In
// between, further scores may be added to the detections. If no detection has logits, the
// probabilities of the proposals are unknown, and both filters are [ByOwnScore].
func (s Settings) MeasureOutliers(report *Report, inlier Results, outliers map[string]Results) error {
	if report.ScoreThreshold == nil {
		return nil
	}
	byProposal := ByProposal
	if withoutLogits(inlier, outliers) {
		byProposal = ByOwnScore
	} else if t := *report.ScoreThreshold; t > 1+scoreRounding {
		return fmt.Errorf("inlier set: the score threshold is %.6g, which no probability of a proposal reaches: give scores from 0 to 1 (divide those in percent by 100)", t)
	}
	gaps := incomplete{}
	for _, pass := range []struct {
		of, filter Filter
		outcomes   map[string]*Outcome
	}{{ByProposal, byProposal, report.Outliers}, {ByOwnScore, ByOwnScore, report.ByOwnScore}} {
		known, err := s.keep(pass.filter, inlier, *report.ScoreThreshold)
		if err != nil {
			return fmt.Errorf("inlier set: %w", err)
		}
		if pass.of == ByProposal {
			if report.UnknownThresholds, err = unknownThresholds(known.Detections); err != nil {
				return fmt.Errorf("inlier set: %w", err)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(outliers)) {
			unknown, err := s.keep(pass.filter, outliers[name], *report.ScoreThreshold)
			if err == nil {
				pass.outcomes[name], err = s.compareSets(known, unknown, pass.of == ByProposal)
			}
			if err == nil && pass.of == ByOwnScore {
				err = report.addConfusion(name, known, unknown)
			}
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			if pass.of == ByProposal {
				gaps.add(pass.outcomes[name], report.Label(name), known, unknown)
			}
		}
	}
	gaps.addTo(report)
	report.Recommended = report.Recommend()
	return nil
}

// withoutLogits reports whether there are detections and none has logits.
func withoutLogits(inlier Results, outliers map[string]Results) bool {
	count := 0
	for _, r := range append(slices.Collect(maps.Values(outliers)), inlier) {
		count += len(r.Detections)
		if slices.ContainsFunc(r.Detections, func(d Detection) bool { return d.Logits != nil }) {
			return false
		}
	}
	return count > 0
}

// MeasureDetection is the first step of [Evaluate].
func (s Settings) MeasureDetection(inlier Results) (*Report, error) {
	report, err := s.measureDetection(inlier)
	if err != nil {
		return nil, fmt.Errorf("inlier set: %w", err)
	}
	return report, nil
}

func (s Settings) measureDetection(inlier Results) (*Report, error) {
	coco, err := EvaluateCOCO(inlier.Annotations, inlier.Detections)
	if err != nil {
		return nil, err
	}
	report := &Report{
		MAP: coco.Stats(), PerSize: coco.PerSize(), WithoutObjects: coco.WithoutObjects(), EmptySkipped: s.Threshold != Original, Temperature: cmp.Or(s.Temperature, 1),
		Outliers: map[string]*Outcome{}, ByOwnScore: map[string]*Outcome{}, Confusion: map[string]*Confusion{}, UnknownThresholds: map[string]float64{},
	}
	perClass := coco.PerClass()
	for _, c := range coco.Categories {
		report.PerClass = append(report.PerClass, ClassReport{c, perClass[c.ID]})
	}
	if report.VOC, err = EvaluateVOC(inlier.Annotations, inlier.Detections); err != nil {
		return nil, err
	}
	switch report.Calibration, err = MeasureCalibration(inlier.Annotations, inlier.Detections); {
	case errors.Is(err, ErrNotProbabilities):
		report.NotCalibrated = err.Error()
	case err != nil:
		return nil, err
	}
	if s.Bootstrap.Resamples > 0 {
		report.Bootstrap = &s.Bootstrap
		if report.MAPIntervals, err = BootstrapCOCO(inlier.Annotations, inlier.Detections, s.Bootstrap); err != nil {
			return nil, err
		}
	}
	if threshold, ok := coco.ScoreThreshold(s.Threshold); ok {
		report.ScoreThreshold = &threshold
	}
	return report, nil
}

// keep filters the detections of a set and applies the temperature to the rest.
func (s Settings) keep(f Filter, r Results, threshold float64) (Results, error) {
	kept, err := f.Keep(r.Detections, threshold)
	if err == nil {
		r.Detections, err = AtTemperature(kept, s.Temperature, s.Layer)
	}
	return r, err
}

// unknownThresholds returns [ThresholdTPR95] of every score that all detections have.
func unknownThresholds(known []Detection) (map[string]float64, error) {
	thresholds := map[string]float64{}
	for _, name := range scoreNames(known) {
		scores, all := OutlierScores(known, name)
		if !all || len(scores) == 0 {
			continue
		}
		var err error
		if thresholds[name], err = ThresholdTPR95(scores); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return thresholds, nil
}

// addConfusion counts what the objects of an outlier set are taken for; the energy decides which
// are called unknown.
func (r *Report) addConfusion(name string, known, unknown Results) error {
	if unknown.unlabelled() {
		return nil
	}
	var threshold *float64
	if t, ok := r.UnknownThresholds["energy"]; ok {
		threshold = &t
	}
	unknown.Annotations = unknown.Annotations.unknownOnly()
	confusion, err := MeasureConfusion(known.Annotations, unknown, threshold)
	if err == nil {
		r.Confusion[name] = confusion
	}
	return err
}

// compareSets compares an outlier set and its groups with the inlier set. paired asks for the
// differences from the energy too.
func (s Settings) compareSets(known, unknown Results, paired bool) (*Outcome, error) {
	outcome, err := s.compare(known, unknown, paired)
	if err != nil || unknown.Annotations == nil {
		return outcome, err
	}
	for name, images := range unknown.Groups {
		if outcome.Groups == nil {
			outcome.Groups = map[string]*Outcome{}
		}
		if outcome.Groups[name], err = s.compare(known, unknown.only(images), paired); err != nil {
			return nil, fmt.Errorf("group %s: %w", name, err)
		}
	}
	return outcome, nil
}

func (r Results) only(images []data.ID) Results {
	wanted := make(map[data.ID]bool, len(images))
	for _, id := range images {
		wanted[id] = true
	}
	part := Results{Annotations: &Annotations{Categories: r.Annotations.Categories, Absent: r.Annotations.Absent, Known: r.Annotations.Known}}
	for i, id := range r.Annotations.ImageIDs {
		if wanted[id] {
			part.Annotations.ImageIDs = append(part.Annotations.ImageIDs, id)
			if r.Annotations.Sizes != nil {
				part.Annotations.Sizes = append(part.Annotations.Sizes, r.Annotations.Sizes[i])
			}
		}
	}
	for _, o := range r.Annotations.Objects {
		if wanted[o.ImageID] {
			part.Annotations.Objects = append(part.Annotations.Objects, o)
		}
	}
	for _, d := range r.Detections {
		if wanted[d.ImageID] {
			part.Detections = append(part.Detections, d)
		}
	}
	return part
}

// compare compares an outlier set, or a group of it, with the inlier set, or with its own known
// objects if it holds any.
func (s Settings) compare(known, unknown Results, paired bool) (*Outcome, error) {
	outcome := &Outcome{Protocol: ByImages, Scores: map[string]Separation{}}
	inliers, outliers := known, unknown
	if unknown.Annotations != nil && unknown.Annotations.holdsKnown() {
		outcome.Protocol, outcome.Objects = ByObjects, new(Objects)
		inliers, outliers, *outcome.Objects = ByObject(unknown)
		unknown.Annotations = unknown.Annotations.unknownOnly()
	}
	outcome.Inliers, outcome.Outliers = len(inliers.Detections), len(outliers.Detections)
	for _, name := range scoreNames(inliers.Detections) {
		separation, err := SeparateBy(name, inliers.Detections, outliers.Detections)
		if sides, ok := outcome.sides(inliers, outliers, name); ok && err == nil && separation != nil {
			separation.CI95, err = BootstrapSeparation(sides, s.Bootstrap)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if separation != nil {
			outcome.Scores[name] = *separation
		}
	}
	if paired {
		if err := s.addDifferences(outcome, inliers, outliers); err != nil {
			return nil, err
		}
	}

	// Open-set numbers count missed objects, so they need no detection on the outlier set.
	energies, all := OutlierScores(known.Detections, "energy")
	if !all || len(energies) == 0 || unknown.unlabelled() {
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

// unlabelled reports whether there is no object to compare detections with.
func (r Results) unlabelled() bool { return r.Annotations == nil || len(r.Annotations.Objects) == 0 }

// sides returns a score of the detections that the outcome compares. It returns false if a
// detection lacks the score, or if the images of a set are unknown.
func (o *Outcome) sides(inliers, outliers Results, name string) (s Sides, ok bool) {
	s.Joint = o.Protocol == ByObjects
	if s.Inlier, ok = CollectScores(inliers, name); ok {
		s.Outlier, ok = CollectScores(outliers, name)
	}
	return s, ok
}

// SeparateBy is [Separate] by a score of the detections. It returns nil if a detection lacks the
// score or a side is empty.
func SeparateBy(name string, inlier, outlier []Detection) (*Separation, error) {
	in, inAll := OutlierScores(inlier, name)
	out, outAll := OutlierScores(outlier, name)
	if !inAll || !outAll || len(in) == 0 || len(out) == 0 {
		return nil, nil
	}
	s, err := Separate(in, out)
	return &s, err
}

// OutlierScores returns a score of every detection (see [Detection.OutlierScore]), and false if one
// lacks it.
func OutlierScores(detections []Detection, name string) ([]float64, bool) {
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
