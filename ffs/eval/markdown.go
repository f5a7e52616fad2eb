package eval

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// WriteMarkdown writes the report as Markdown tables whose columns also line
// up on a terminal. Numbers are in percent, but for thresholds and counts.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var text strings.Builder
	if r.Corruption != "" {
		fmt.Fprintf(&text, "All pictures are corrupted: %s.\n\n", r.Corruption)
	}
	detection := newTable("", "AP", "AP50", "AP75", "AP small", "AP medium", "AP large", "AR100", "score threshold")
	threshold := "-"
	if r.ScoreThreshold != nil {
		threshold = fmt.Sprintf("%.4f", *r.ScoreThreshold)
	}
	m := r.MAP
	detection.add("inlier set", percent(m.AP), percent(m.AP50), percent(m.AP75), percent(m.APSmall), percent(m.APMedium), percent(m.APLarge), percent(m.AR100), threshold)
	fmt.Fprintf(&text, "## Detection\n\n%s\n", detection)

	sections := []struct {
		title    string
		outcomes map[string]*Outcome
	}{
		{"detections whose proposal reaches the threshold (the original's filter)", r.Outliers},
		{"detections whose own score reaches the threshold", r.ByOwnScore},
	}
	for _, section := range sections {
		if len(section.outcomes) == 0 {
			continue
		}
		scores, openSet := outcomeTables(section.outcomes)
		fmt.Fprintf(&text, "## Outliers: %s\n\n", section.title)
		for _, t := range []*table{scores, openSet} {
			if len(t.rows) > 1 {
				fmt.Fprintf(&text, "%s\n", t)
			}
		}
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func outcomeTables(outcomes map[string]*Outcome) (scores, openSet *table) {
	scores = newTable("outlier set", "score", "AUROC ↑", "AUPR ↑", "AUPR out ↑", "FPR95 ↓", "FPR95 strict ↓", "threshold", "ID", "OOD")
	openSet = newTable("outlier set", "AP_U ↑", "recall_U ↑", "A-OSE ↓", "nOSE ↓", "WI ↓")
	for _, set := range slices.Sorted(maps.Keys(outcomes)) {
		o := outcomes[set]
		if len(o.Scores) == 0 {
			scores.add(set, "-", "-", "-", "-", "-", "-", "-", fmt.Sprint(o.Inliers), fmt.Sprint(o.Outliers))
		}
		for _, name := range ScoreNames {
			if s, ok := o.Scores[name]; ok {
				scores.add(set, name, percent(s.AUROC), percent(s.AUPR), percent(s.AUPROut), percent(s.FPR95), percent(s.FPR95Strict),
					fmt.Sprintf("%.4g", s.ThresholdTPR95), fmt.Sprint(o.Inliers), fmt.Sprint(o.Outliers))
			}
		}
		if m := o.OpenSet; m != nil {
			impact := "-"
			if m.WI != nil {
				impact = percent(*m.WI)
			}
			openSet.add(set, percent(m.APUnknown), percent(m.RecallUnknown), fmt.Sprint(m.AOSE), percent(m.NOSE), impact)
		}
	}
	return scores, openSet
}

// percent writes a fraction; negative ones stand for what was not annotated.
func percent(fraction float64) string {
	if fraction < 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", 100*fraction)
}

// table is a Markdown table: the first row is its head, the first column is
// flush left and the others flush right.
type table struct{ rows [][]string }

func newTable(head ...string) *table { return &table{rows: [][]string{head}} }

func (t *table) add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *table) String() string {
	widths := make([]int, len(t.rows[0]))
	for _, row := range t.rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell), 3)
		}
	}
	var b strings.Builder
	for n, row := range t.rows {
		for i, cell := range row {
			space := strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell))
			if i == 0 {
				b.WriteString("| " + cell + space + " |")
			} else {
				b.WriteString(" " + space + cell + " |")
			}
		}
		b.WriteByte('\n')
		if n > 0 {
			continue
		}
		for i, width := range widths {
			if i == 0 {
				b.WriteString("|:" + strings.Repeat("-", width+1) + "|")
			} else {
				b.WriteString(strings.Repeat("-", width+1) + ":|")
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
