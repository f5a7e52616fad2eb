package eval

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"

	"ffslab/viz/escape"
)

// reportTable is a table of the report with the base name of its files.
type reportTable struct {
	name string
	*Table
}

// SaveTables writes every table of the report as NAME.csv and NAME.tex into the folder, which it
// creates if needed. Each file is written whole or not at all. The confusion table has a column for
// every class; in Markdown it lists only the most frequent ones.
func (r *Report) SaveTables(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, s := range r.sections() {
		for _, t := range s.tables {
			if t.name == confusionName {
				t = r.wholeConfusionTable()
			}
			for extension, text := range map[string]string{".csv": t.CSV(), ".tex": r.latexComment() + t.LaTeX()} {
				if err := renameio.WriteFile(filepath.Join(dir, t.name+extension), []byte(text), 0o644); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// latexComment says what the tables are about.
func (r *Report) latexComment() string {
	if r.Subject == nil {
		return ""
	}
	return "% " + r.Subject.paragraph(escape.Line) + "\n"
}

func (r *Report) detectionTable() reportTable {
	t := NewTable("", "AP", "AP50", "AP75", "AP small", "AP medium", "AP large", "AR100", "score threshold")
	threshold := "-"
	if r.ScoreThreshold != nil {
		threshold = fmt.Sprintf("%.4f", *r.ScoreThreshold)
	}
	m := r.MAP
	ap, ap50 := Percent(m.AP), Percent(m.AP50)
	if r.MAPIntervals != nil {
		ap, ap50 = percentWithin(m.AP, r.MAPIntervals.AP, true), percentWithin(m.AP50, r.MAPIntervals.AP50, true)
	}
	t.Add("inlier set", ap, ap50, Percent(m.AP75), Percent(m.APSmall), Percent(m.APMedium), Percent(m.APLarge), Percent(m.AR100), threshold)
	return reportTable{"detection", t}
}

func (r *Report) vocTable() reportTable {
	t := NewTable("", "VOC AP50 (all points)", "VOC AP50 (11 points)")
	if r.VOC != nil {
		t.Add("inlier set", Percent(r.VOC.AP), Percent(r.VOC.AP11))
	}
	return reportTable{"detection_voc", t}
}

// named is an outcome with the label of its rows.
type named struct {
	name string
	*Outcome
}

// withGroups returns the outcomes sorted by name, each followed by its groups, with their labels.
func (r *Report) withGroups(outcomes map[string]*Outcome) []named {
	var all []named
	for _, set := range slices.Sorted(maps.Keys(outcomes)) {
		label := r.Label(set)
		if outcomes[set].Protocol == ByObjects {
			label += " (by object)"
		}
		all = append(all, named{label, outcomes[set]})
		for _, group := range slices.Sorted(maps.Keys(outcomes[set].Groups)) {
			all = append(all, named{fmt.Sprintf("%s (%s)", label, group), outcomes[set].Groups[group]})
		}
	}
	return all
}

var filterNames = map[Filter]string{ByProposal: "by_proposal", ByOwnScore: "by_own_score"}

// scoreTable has a row for each set, group and score.
func (r *Report) scoreTable(filter Filter, outcomes map[string]*Outcome) reportTable {
	t := NewTable("outlier set", "score", "AUROC ↑", "AUPR ↑", "AUPR out ↑", "FPR95 ↓", "FPR95 strict ↓", "det. error ↓", "threshold", "ID", "OOD")
	r.eachScore(outcomes, func(o named, score string, s *Separation) {
		cells := []string{"-", "-", "-", "-", "-", "-", "-"}
		if s != nil {
			within, ci := s.withinCI()
			cells = []string{within(s.AUROC, ci.AUROC), within(s.AUPR, ci.AUPR), within(s.AUPROut, ci.AUPROut), within(s.FPR95, ci.FPR95),
				within(s.FPR95Strict, ci.FPR95Strict), within(s.DetectionError, ci.DetectionError), fmt.Sprintf("%.4g", s.ThresholdTPR95)}
		}
		t.Add(slices.Concat([]string{o.name, score}, cells, []string{fmt.Sprint(o.Inliers), fmt.Sprint(o.Outliers)})...)
	})
	return reportTable{"scores_" + filterNames[filter], t}
}

// briefScoreTable holds the columns of scoreTable that fit a terminal. If a ranking of the scores
// follows, it leaves out the post-hoc ones.
func (r *Report) briefScoreTable(outcomes map[string]*Outcome, ranked bool) reportTable {
	t := NewTable("outlier set", "score", "AUROC ↑", "FPR95 ↓", "AUPR ↑", "det. error ↓", "ID", "OOD")
	r.eachScore(outcomes, func(o named, score string, s *Separation) {
		if ranked && !slices.Contains(ScoreNames, score) {
			return
		}
		cells := []string{"-", "-", "-", "-"}
		if s != nil {
			within, ci := s.withinCI()
			cells = []string{within(s.AUROC, ci.AUROC), within(s.FPR95, ci.FPR95), Percent(s.AUPR), Percent(s.DetectionError)}
		}
		t.Add(slices.Concat([]string{o.name, score}, cells, []string{fmt.Sprint(o.Inliers), fmt.Sprint(o.Outliers)})...)
	})
	return reportTable{"scores", t}
}

// withinCI returns a function that formats a number of the separation with its interval, and the
// intervals. Without intervals, ci is zero and not written.
func (s *Separation) withinCI() (write func(fraction float64, within Interval) string, ci SeparationIntervals) {
	if s.CI95 != nil {
		ci = *s.CI95
	}
	return func(fraction float64, within Interval) string { return percentWithin(fraction, within, s.CI95 != nil) }, ci
}

// eachScore calls add for every set, group and score, and once with nil for a set without scores.
func (r *Report) eachScore(outcomes map[string]*Outcome, add func(o named, score string, s *Separation)) {
	for _, o := range r.withGroups(outcomes) {
		if len(o.Scores) == 0 {
			add(o, "-", nil)
		}
		scores := slices.Collect(maps.Keys(o.Scores))
		SortScores(scores)
		for _, score := range scores {
			s := o.Scores[score]
			add(o, score, &s)
		}
	}
}

func (r *Report) openSetTable(filter Filter, outcomes map[string]*Outcome) reportTable {
	t := NewTable("outlier set", "AP_U ↑", "recall_U ↑", "A-OSE ↓", "nOSE ↓", "WI ↓")
	for _, o := range r.withGroups(outcomes) {
		if m := o.OpenSet; m != nil {
			impact := "-"
			if m.WI != nil {
				impact = Percent(*m.WI)
			}
			t.Add(o.name, Percent(m.APUnknown), Percent(m.RecallUnknown), fmt.Sprint(m.AOSE), Percent(m.NOSE), impact)
		}
	}
	return reportTable{"open_set_" + filterNames[filter], t}
}

// objectTable has a row for each set that is measured object by object.
func (r *Report) objectTable(filter Filter, outcomes map[string]*Outcome) reportTable {
	t := NewTable("outlier set", "known objects", "found", "unknown objects", "found", "false alarms", "repeated")
	for _, o := range r.withGroups(outcomes) {
		if n := o.Objects; n != nil {
			t.Add(o.name, fmt.Sprint(n.Known), fmt.Sprint(n.Known-n.MissedKnown), fmt.Sprint(n.Unknown), fmt.Sprint(n.Unknown-n.MissedUnknown),
				fmt.Sprint(n.FalseAlarms), fmt.Sprint(n.Repeated))
		}
	}
	return reportTable{"objects_" + filterNames[filter], t}
}

// outlierNote says how the sets are measured, and which have no open-set numbers.
func (r *Report) outlierNote(outcomes map[string]*Outcome) string {
	var byImages, byObjects bool
	for _, o := range outcomes {
		byObjects = byObjects || o.Protocol == ByObjects
		byImages = byImages || o.Protocol != ByObjects
	}
	var notes []string
	if byImages {
		notes = append(notes, "All detections on an outlier set that reach the threshold count as outliers, whatever they lie on (the original's protocol).")
	}
	if byObjects {
		notes = append(notes, "By object: a set that holds known and unknown objects together; ID and OOD are its found known and unknown objects, IoU above 0.5.")
	}
	if absent := r.withoutObjects(outcomes); absent != "" {
		notes = append(notes, absent)
	}
	return strings.Join(notes, " ")
}

// withoutObjects names the sets that have detections but no open-set numbers.
func (r *Report) withoutObjects(outcomes map[string]*Outcome) string {
	var sets []string
	for _, o := range r.withGroups(outcomes) {
		if o.OpenSet == nil && len(o.Scores) > 0 {
			sets = append(sets, escape.Markdown(o.name))
		}
	}
	if len(sets) == 0 {
		return ""
	}
	return "Open-set numbers and confusion need annotated objects, which are absent in " + strings.Join(sets, ", ") + "."
}

func (r *Report) classTable() reportTable {
	t := NewTable("class", "objects", "AP", "AP50", "AP75", "AP small", "AP medium", "AP large", "AR100", "VOC AP50", "VOC AP50 (11)")
	for _, c := range r.PerClass {
		voc := VOCClass{-1, -1}
		if r.VOC != nil {
			voc = r.VOC.PerClass[c.ID]
		}
		t.Add(c.Name, fmt.Sprint(c.Objects), Percent(c.AP), Percent(c.AP50), Percent(c.AP75), Percent(c.APSmall), Percent(c.APMedium), Percent(c.APLarge), Percent(c.AR100),
			Percent(voc.AP), Percent(voc.AP11))
	}
	return reportTable{"classes", t}
}

func (r *Report) sizeTable() reportTable {
	t := NewTable("size", "objects", "AP", "AP50", "AP75", "AR100")
	for _, s := range r.PerSize {
		t.Add(s.Size, fmt.Sprint(s.Objects), Percent(s.AP), Percent(s.AP50), Percent(s.AP75), Percent(s.AR100))
	}
	return reportTable{"sizes", t}
}

const confusionName = "confusion"

// mostFrequent is the number of classes that a row of the short confusion table names.
const mostFrequent = 4

func (r *Report) confusionTable() reportTable {
	t := NewTable("outlier set", "object", "number", "taken for no class", "called unknown", "taken for")
	r.eachConfusion(func(set string, c *Confusion, row ConfusionRow, called string) {
		order := make([]int, len(c.Classes))
		for i := range order {
			order[i] = i
		}
		slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(row.TakenFor[b], row.TakenFor[a]) })
		var names []string
		others := 0
		for _, class := range order {
			switch n := row.TakenFor[class]; {
			case n == 0:
			case len(names) < mostFrequent:
				names = append(names, fmt.Sprintf("%s: %d", c.Classes[class].Name, n))
			default:
				others += n
			}
		}
		if others > 0 {
			names = append(names, fmt.Sprintf("others: %d", others))
		}
		t.Add(set, row.Name, fmt.Sprint(row.Count), fmt.Sprint(row.Missed), called, strings.Join(names, ", "))
	})
	return reportTable{confusionName, t}
}

func (r *Report) wholeConfusionTable() reportTable {
	var classes []string
	for _, c := range r.Confusion {
		for _, class := range c.Classes { // the same for every set
			classes = append(classes, class.Name)
		}
		break
	}
	t := NewTable(append([]string{"outlier set", "object", "number", "taken for no class", "called unknown"}, classes...)...)
	r.eachConfusion(func(set string, c *Confusion, row ConfusionRow, called string) {
		cells := []string{set, row.Name, fmt.Sprint(row.Count), fmt.Sprint(row.Missed), called}
		for _, n := range row.TakenFor {
			cells = append(cells, fmt.Sprint(n))
		}
		t.Add(cells...)
	})
	return reportTable{confusionName, t}
}

func (r *Report) eachConfusion(do func(set string, c *Confusion, row ConfusionRow, called string)) {
	for _, set := range slices.Sorted(maps.Keys(r.Confusion)) {
		for _, row := range r.Confusion[set].Objects {
			called := "-"
			if row.CalledUnknown != nil {
				called = fmt.Sprint(*row.CalledUnknown)
			}
			do(r.Label(set), r.Confusion[set], row, called)
		}
	}
}

func (r *Report) calibrationTable() reportTable {
	t := NewTable("", "detections", "ECE ↓", "D-ECE position ↓", "D-ECE size ↓", "D-ECE box ↓")
	optional := func(v *float64) string {
		if v == nil {
			return "-"
		}
		return Percent(*v)
	}
	if c := r.Calibration; c != nil {
		t.Add("inlier set", fmt.Sprint(c.Detections), Percent(c.ECE), optional(c.DECEPosition), optional(c.DECESize), optional(c.DECEBox))
	}
	return reportTable{"calibration", t}
}

func (r *Report) reliabilityTable() reportTable {
	t := NewTable("score", "detections", "mean score", "precision")
	if r.Calibration != nil {
		for _, b := range r.Calibration.Bins {
			t.Add(fmt.Sprintf("%.2f-%.2f", b.Low, b.High), fmt.Sprint(b.Detections), Percent(b.Score), Percent(b.Precision))
		}
	}
	return reportTable{"reliability", t}
}
