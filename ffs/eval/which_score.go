package eval

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"

	"ffslab/viz/escape"
)

// reference is the score that all others are compared with.
const reference = "energy"

// addDifferences compares each score of the outcome with the energy on the same images. inliers and
// outliers are the sides of the outcome.
func (s Settings) addDifferences(outcome *Outcome, inliers, outliers Results) error {
	base, ok := outcome.sides(inliers, outliers, reference)
	if _, measured := outcome.Scores[reference]; !ok || !measured || s.Bootstrap.Resamples == 0 {
		return nil
	}
	var names []string
	var others []Sides
	for _, name := range slices.Sorted(maps.Keys(outcome.Scores)) {
		if own, ok := outcome.sides(inliers, outliers, name); ok && name != reference {
			names, others = append(names, name), append(others, own)
		}
	}
	if len(names) == 0 {
		return nil
	}
	differences, err := pairedAUROC(base, others, s.Bootstrap)
	if err != nil || differences == nil {
		return err
	}
	outcome.AgainstEnergy = make(map[string]Difference, len(names))
	for i, name := range names {
		outcome.AgainstEnergy[name] = differences[i]
	}
	return nil
}

// Recommend returns the score that the evaluation favours: of those whose paired interval against
// the energy lies above 0 on every outlier set, the one with the highest mean AUROC; the energy if
// there is none. It returns "" if the energy was not measured on every outlier set.
func (r *Report) Recommend() string {
	if len(r.Outliers) == 0 {
		return ""
	}
	best, bestMean := "", -1.0
	for _, name := range r.MeasuredScores() {
		mean, better := 0.0, true
		for _, o := range r.Outliers {
			s, ok := o.Scores[name]
			if !ok {
				if name == reference {
					return ""
				}
				better = false
				break
			}
			mean += s.AUROC / float64(len(r.Outliers))
			d, compared := o.AgainstEnergy[name]
			better = better && (name == reference || compared && d.CI95[0] > 0)
		}
		if better && mean > bestMean {
			best, bestMean = name, mean
		}
	}
	return best
}

// MeasuredScores returns the scores that were measured on any outlier set, in the order of tables.
func (r *Report) MeasuredScores() []string {
	measured := map[string]Separation{}
	for _, o := range r.Outliers {
		maps.Copy(measured, o.Scores)
	}
	names := slices.Collect(maps.Keys(measured))
	SortScores(names)
	return names
}

// Ranking holds the AUROC of every score on each outlier set and group.
type Ranking struct {
	Sets []string // in the order of tables: "SET", "SET (near)"
	// Scores are sorted by falling mean AUROC over the outlier sets.
	Scores []RankedScore
}

// RankedScore is a row of a [Ranking]. Its slices have an element for each set, nil if the score
// was not measured there.
type RankedScore struct {
	Name          string
	Separations   []*Separation
	AgainstEnergy []*Difference
	Synthetic     *float64 // AUROC on synthetic outliers
}

// Ranking ranks the scores by the original's filter.
func (r *Report) Ranking() Ranking {
	outcomes := r.withGroups(r.Outliers)
	var ranking Ranking
	for _, o := range outcomes {
		ranking.Sets = append(ranking.Sets, o.name)
	}
	means := map[string]float64{}
	for _, name := range r.MeasuredScores() {
		row := RankedScore{Name: name}
		for _, o := range outcomes {
			var separation *Separation
			if s, ok := o.Scores[name]; ok {
				separation = &s
			}
			var difference *Difference
			if d, ok := o.AgainstEnergy[name]; ok {
				difference = &d
			}
			row.Separations, row.AgainstEnergy = append(row.Separations, separation), append(row.AgainstEnergy, difference)
		}
		if v, ok := r.Synthetic[name]; ok {
			row.Synthetic = &v
		}
		for _, o := range r.Outliers {
			means[name] += o.Scores[name].AUROC
		}
		ranking.Scores = append(ranking.Scores, row)
	}
	slices.SortStableFunc(ranking.Scores, func(a, b RankedScore) int { return cmp.Compare(means[b.Name], means[a.Name]) })
	return ranking
}

// RankCorrelation returns Spearman's rank correlation between the AUROCs of the scores on the
// synthetic outliers and those on the set with the given index. Equal values share their mean rank.
// It returns false for fewer than three scores, or if all are equal on one side.
func (r Ranking) RankCorrelation(set int) (float64, bool) {
	var synthetic, measured []float64
	for _, s := range r.Scores {
		if s.Synthetic != nil && s.Separations[set] != nil {
			synthetic, measured = append(synthetic, *s.Synthetic), append(measured, s.Separations[set].AUROC)
		}
	}
	if len(synthetic) < 3 {
		return 0, false
	}
	correlation := stat.Correlation(ranks(synthetic), ranks(measured), nil)
	return correlation, !math.IsNaN(correlation)
}

// ranks returns the ranks of the values from 0; equal values share their mean rank.
func ranks(values []float64) []float64 {
	places := make([]float64, len(values))
	for i, v := range values {
		for j, w := range values {
			switch {
			case w < v:
				places[i]++
			case w == v && j != i:
				places[i] += 0.5
			}
		}
	}
	return places
}

func (r *Report) whichScoreSection() (section, bool) {
	if len(r.MeasuredScores()) < 3 && len(r.NotMeasured) == 0 {
		return section{}, false
	}
	ranking := r.Ranking()
	head := []string{"score"}
	for _, set := range ranking.Sets {
		head = append(head, set+" AUROC ↑", "- energy")
	}
	if r.Synthetic != nil {
		head = append(head, "synthetic")
	}
	t := NewTable(head...)
	for _, s := range ranking.Scores {
		cells := []string{s.Name}
		for i, separation := range s.Separations {
			auroc, difference := "-", "-"
			if separation != nil {
				within, ci := separation.withinCI()
				auroc = within(separation.AUROC, ci.AUROC)
			}
			if d := s.AgainstEnergy[i]; d != nil {
				difference = fmt.Sprintf("%+.2f [%+.1f, %+.1f]", 100*d.Difference, 100*d.CI95[0], 100*d.CI95[1])
			}
			cells = append(cells, auroc, difference)
		}
		if r.Synthetic != nil {
			synthetic := "-"
			if s.Synthetic != nil {
				synthetic = Percent(*s.Synthetic)
			}
			cells = append(cells, synthetic)
		}
		t.Add(cells...)
	}
	for _, name := range slices.Sorted(maps.Keys(r.NotMeasured)) {
		cells := []string{name + ": not measured"}
		for range head[1:] {
			cells = append(cells, "-")
		}
		t.Add(cells...)
	}
	return section{title: "Which score", tables: present(reportTable{"which_score", t}), note: r.whichScoreNote(ranking)}, true
}

func (r *Report) whichScoreNote(ranking Ranking) string {
	var notes []string
	if len(ranking.Sets) > 0 {
		notes = append(notes, "By mean AUROC over the outlier sets. \"- energy\" is the difference from the energy's AUROC, with its paired 95 % interval.")
	}
	if r.FittedOn != "" {
		notes = append(notes, fmt.Sprintf("Scores that need inliers were fitted on %s.", escape.Markdown(r.FittedOn)))
	}
	if r.Recommended != "" {
		notes = append(notes, fmt.Sprintf("Recommended: %s.", escape.Markdown(r.Recommended)))
		if r.Recommended != reference {
			notes = append(notes, fmt.Sprintf("It is the best of %d, chosen on these very sets: other sets, or another seed, have to confirm it.", len(ranking.Scores)))
		}
	}
	if r.Synthetic != nil {
		var correlations []string
		for i, set := range ranking.Sets {
			if c, ok := ranking.RankCorrelation(i); ok {
				correlations = append(correlations, fmt.Sprintf("%s %+.2f", escape.Markdown(set), c))
			}
		}
		notes = append(notes, "\"synthetic\" is the AUROC on the synthetic outliers of the run's own method; rank correlation with it: "+strings.Join(correlations, ", ")+".")
	}
	reasons := map[string][]string{}
	for name, why := range r.NotMeasured {
		reasons[why] = append(reasons[why], escape.Markdown(name))
	}
	for _, why := range slices.Sorted(maps.Keys(reasons)) {
		slices.Sort(reasons[why])
		notes = append(notes, fmt.Sprintf("Not measured: %s: %s.", strings.Join(reasons[why], ", "), escape.Markdown(why)))
	}
	return strings.Join(notes, " ")
}
