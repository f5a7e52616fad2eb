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

// Results are a detector's detections on an annotated set.
type Results struct {
	Annotations *Annotations
	Detections  []Detection
	// Groups, if any, are parts of an outlier set that are also measured on
	// their own, the near and the far outliers, say: image ids by the name of the group.
	Groups map[string][]data.ID
}

// Settings are the choices that an evaluation leaves open. The zero value is
// the original's: temperature 1, no intervals.
type Settings struct {
	// Temperature of the outlier scores (see [AtTemperature]); 0 means 1. The
	// filters and the score threshold know no temperature.
	Temperature float64
	// Layer is what weighted_energy and logistic need at other temperatures
	// than 1; nil leaves them out there.
	Layer *EnergyLayer
	// Bootstrap asks for intervals.
	Bootstrap Bootstrap
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
	entries, err := f.Entries(detections, threshold)
	var kept []Detection
	for _, i := range entries {
		kept = append(kept, detections[i])
	}
	return kept, err
}

// Entries returns the indices of what [Filter.Keep] keeps.
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
//     unknown, are treated ([MeasureOpenSet], [MeasureConfusion]).
//
// The original knows outlier sets without inlier objects alone. One that holds both kinds
// (Annotations.Known) is measured object by object: its known objects take the
// place of the inlier set's in step 3 ([ByObject]), and only its other objects are unknown.
//
// outliers is keyed by the name of the set; its detections bear the category
// ids of the inlier set. What cannot be measured is left out of the report:
// everything after step 1 if no class settles the threshold, scores that a
// detection lacks or of an empty side, open-set numbers without inlier
// energies or without annotations of unknown objects (Annotations may be nil,
// or hold images alone).
// Errors name the set and the record.
func Evaluate(inlier Results, outliers map[string]Results, s Settings) (*Report, error) {
	report, err := s.MeasureDetection(inlier)
	if err != nil {
		return nil, err
	}
	return report, s.MeasureOutliers(report, inlier, outliers)
}

// MeasureOutliers adds the second and third step of [Evaluate] to a report of
// [Settings.MeasureDetection]. Detections that count may have been given
// further scores in between. If no detection has logits, the proposals' own
// are not known, and both filters are [ByOwnScore].
func (s Settings) MeasureOutliers(report *Report, inlier Results, outliers map[string]Results) error {
	if report.ScoreThreshold == nil {
		return nil
	}
	byProposal := ByProposal
	if withoutLogits(inlier, outliers) {
		byProposal = ByOwnScore
	}
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
		}
	}
	report.Recommended = report.Recommend()
	return nil
}

// withoutLogits says whether there are detections, and none has logits.
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
		MAP: coco.Stats(), PerSize: coco.PerSize(), Temperature: cmp.Or(s.Temperature, 1),
		Outliers: map[string]*Outcome{}, ByOwnScore: map[string]*Outcome{}, Confusion: map[string]*Confusion{}, UnknownThresholds: map[string]float64{},
	}
	perClass := coco.PerClass()
	for _, c := range coco.Categories {
		report.PerClass = append(report.PerClass, ClassReport{c, perClass[c.ID]})
	}
	if report.VOC, err = EvaluateVOC(inlier.Annotations, inlier.Detections); err != nil {
		return nil, err
	}
	if report.Calibration, err = MeasureCalibration(inlier.Annotations, inlier.Detections); err != nil {
		return nil, err
	}
	if s.Bootstrap.Resamples > 0 {
		report.Bootstrap = &s.Bootstrap
		if report.MAPIntervals, err = BootstrapCOCO(inlier.Annotations, inlier.Detections, s.Bootstrap); err != nil {
			return nil, err
		}
	}
	if threshold, ok := coco.ScoreThreshold(Original); ok {
		report.ScoreThreshold = &threshold
	}
	return report, nil
}

// keep thins out a set's detections and brings what is left to the
// temperature.
func (s Settings) keep(f Filter, r Results, threshold float64) (Results, error) {
	kept, err := f.Keep(r.Detections, threshold)
	if err == nil {
		r.Detections, err = AtTemperature(kept, s.Temperature, s.Layer)
	}
	return r, err
}

// unknownThresholds returns [ThresholdTPR95] of every score that all
// detections carry.
func unknownThresholds(known []Detection) (map[string]float64, error) {
	thresholds := map[string]float64{}
	for _, name := range scoreNames(known) {
		scores, all := outlierScores(known, name)
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

// addConfusion counts what the objects of an outlier set are taken for. What
// is called unknown is decided by the energy.
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

// compareSets measures one outlier set, and its groups, against the inlier
// set. paired asks for the differences from the energy, too.
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

// only returns the results on some of the images.
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

// compare measures one outlier set, or a part of it, against the inlier set, or, if it holds known
// objects, too, against those.
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
		in, inAll := outlierScores(inliers.Detections, name)
		out, outAll := outlierScores(outliers.Detections, name)
		if !inAll || !outAll || len(in) == 0 || len(out) == 0 {
			continue
		}
		separation, err := Separate(in, out)
		if err == nil && s.Bootstrap.Resamples > 0 {
			separation.CI95, err = s.intervals(inliers, outliers, outcome.Protocol == ByObjects, name)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		outcome.Scores[name] = separation
	}
	if paired {
		if err := s.addDifferences(outcome, inliers, outliers); err != nil {
			return nil, err
		}
	}

	// Missed objects count, so the open-set numbers need no outlier detection.
	energies, all := outlierScores(known.Detections, "energy")
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

// intervals is nil where the images of a set are not known.
func (s Settings) intervals(known, unknown Results, joint bool, name string) (*SeparationIntervals, error) {
	in, inAll := CollectScores(known, name)
	out, outAll := CollectScores(unknown, name)
	if !inAll || !outAll {
		return nil, nil
	}
	return BootstrapSeparation(Sides{in, out, joint}, s.Bootstrap)
}

// SeparateBy is [Separate] on a score of the detections, and nil if one of them
// lacks it or a side is empty.
func SeparateBy(name string, inlier, outlier []Detection) (*Separation, error) {
	in, inAll := outlierScores(inlier, name)
	out, outAll := outlierScores(outlier, name)
	if !inAll || !outAll || len(in) == 0 || len(out) == 0 {
		return nil, nil
	}
	s, err := Separate(in, out)
	return &s, err
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
