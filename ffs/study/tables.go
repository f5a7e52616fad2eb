package study

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ffslab/ffs/eval"
	"ffslab/viz/escape"
)

// mainScore is the outlier score of the Markdown and LaTeX tables; the CSV file has the others.
const mainScore = "energy"

// columns returns the measures of the Markdown and LaTeX tables.
func (r *Result) columns() []Measure { return measures(r.Outliers, []string{mainScore}) }

// row returns the row of a method and measure, and false if no cell has it.
func (r *Result) row(method string, m Measure) (Row, bool) {
	i := slices.IndexFunc(r.Rows, func(row Row) bool { return row.Method == method && row.Measure == m })
	if i < 0 {
		return Row{}, false
	}
	return r.Rows[i], true
}

// meansTable has a row for each method: mean and deviation over the seeds, in percent.
func (r *Result) meansTable() *eval.Table {
	columns := r.columns()
	head := []string{"method", "seeds"}
	for _, m := range columns {
		head = append(head, r.title(m, " "))
	}
	t := eval.NewTable(head...)
	for _, method := range r.Methods {
		finished := 0
		for _, c := range r.Cells {
			if c.Method == method {
				finished++
			}
		}
		cells := []string{method, fmt.Sprint(finished)}
		for _, m := range columns {
			row, _ := r.row(method, m)
			cells = append(cells, percents(row.Spread, "%.2f"))
		}
		t.Add(cells...)
	}
	return t
}

// differencesTable has a row for each method and measure: the mean difference and its deviation
// over the seeds, and the difference of every seed with its interval, in percentage points.
func (r *Result) differencesTable() *eval.Table {
	head := []string{"method", "measure", "mean ± deviation"}
	for _, seed := range r.Seeds {
		head = append(head, fmt.Sprintf("seed %d", seed))
	}
	t := eval.NewTable(append(head, "beyond noise")...)
	for _, method := range r.Methods {
		for _, m := range r.columns() {
			row, ok := r.row(method, m)
			if !ok || row.Difference == nil {
				continue
			}
			d := row.Difference
			cells := []string{method, r.title(m, " "), percents(d.Spread, "%+.2f")}
			for i := range r.Seeds {
				cells = append(cells, d.seed(i))
			}
			verdict := "-"
			if d.BeyondNoise != nil {
				verdict = map[bool]string{true: "yes", false: "no"}[*d.BeyondNoise]
			}
			t.Add(append(cells, verdict)...)
		}
	}
	return t
}

// scoresTable has a row for each outlier score, the best on average first, and a column for each
// method: the AUROC on an outlier set, mean and deviation over the seeds, in percent. It has no
// rows unless there are post-hoc scores.
func (r *Result) scoresTable(set eval.Set) *eval.Table {
	t := eval.NewTable(append([]string{"score"}, r.Methods...)...)
	names, means := []string{}, map[string]float64{}
	for _, row := range r.Rows {
		if row.Set != set.Name || row.Name != "AUROC" {
			continue
		}
		if !slices.Contains(names, row.Score) {
			names = append(names, row.Score)
		}
		means[row.Score] += *row.Mean
	}
	if !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(eval.ScoreNames, name) }) {
		return t
	}
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(means[b], means[a]) })
	for _, name := range names {
		cells := []string{name}
		for _, method := range r.Methods {
			row, _ := r.row(method, Measure{set.Name, name, "AUROC"})
			cells = append(cells, percents(row.Spread, "%.2f"))
		}
		t.Add(cells...)
	}
	return t
}

// seed formats the difference of a seed with its interval.
func (d *Difference) seed(i int) string {
	switch {
	case d.Values[i] == nil:
		return "-"
	case d.CI95[i] == nil:
		return fmt.Sprintf("%+.2f", 100**d.Values[i])
	}
	return fmt.Sprintf("%+.2f [%+.2f, %+.2f]", 100**d.Values[i], 100*d.CI95[i][0], 100*d.CI95[i][1])
}

// percents formats mean and deviation in percent, the mean in the given format.
func percents(s Spread, format string) string {
	switch {
	case s.Mean == nil:
		return "-"
	case s.Deviation == nil:
		return fmt.Sprintf(format, 100**s.Mean)
	}
	return fmt.Sprintf(format+" ± %.2f", 100**s.Mean, 100**s.Deviation)
}

// Markdown returns the tables with explanations.
func (r *Result) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Study: %s\n\n", escape.Markdown(strings.Join(r.Methods, ", ")))
	fmt.Fprintf(&b, "Command: %s  \n%s\n", escape.Code(r.Command), strings.Join(r.origin(escape.Markdown), "  \n"))
	fmt.Fprintf(&b, "\n## Results\n\n%s\n%s\n", r.meansTable().Markdown(), r.meansNote())
	if differences := r.differencesTable(); len(differences.Rows) > 0 {
		fmt.Fprintf(&b, "\n## Differences from %s\n\n%s\n%s\n", escape.Markdown(r.Baseline), differences.Markdown(), r.differencesNote(escape.Markdown))
	}
	for _, set := range r.Outliers {
		if scores := r.scoresTable(set); len(scores.Rows) > 0 {
			fmt.Fprintf(&b, "\n## Which score: %s\n\n%s\n%s\n", escape.Markdown(set.Label), scores.Markdown(), scoresNote)
		}
	}
	return b.String()
}

// LaTeX returns the same tables for the package booktabs, with the origin as comments.
func (r *Result) LaTeX() string {
	var b strings.Builder
	comment := func(text string) { fmt.Fprintf(&b, "%% %s\n", escape.Line(text)) }
	for _, line := range append([]string{"Command: " + r.Command}, r.origin(escape.Line)...) {
		comment(line)
	}
	comment(r.meansNote())
	b.WriteString(r.meansTable().LaTeX())
	if differences := r.differencesTable(); len(differences.Rows) > 0 {
		b.WriteString("\n")
		comment(r.differencesNote(escape.Line))
		b.WriteString(differences.LaTeX())
	}
	for _, set := range r.Outliers {
		if scores := r.scoresTable(set); len(scores.Rows) > 0 {
			b.WriteString("\n")
			comment(set.Label + ". " + scoresNote)
			b.WriteString(scores.LaTeX())
		}
	}
	return strings.ReplaceAll(b.String(), "±", `$\pm$`)
}

const scoresNote = "AUROC of every outlier score, mean and sample deviation over the seeds, in percent."

// origin says what made the numbers, without the command. Names are passed through escape.
func (r *Result) origin(escape func(string) string) []string {
	sets := fmt.Sprintf("Trained on %s, measured on %s", escape(r.Training.String()), escape(r.Inlier.String()))
	for _, set := range r.Outliers {
		sets += ", " + escape(set.String())
	}
	lines := []string{
		fmt.Sprintf("Commit %s, configuration %.12s, %d steps of %d images, seeds %s", escape(r.Commit), r.ConfigDigest, r.Steps, r.ImagesPerStep,
			strings.Trim(strings.ReplaceAll(fmt.Sprint(r.Seeds), " ", ", "), "[]")),
		sets + ".",
	}
	for _, v := range r.Variants {
		lines = append(lines, fmt.Sprintf("%s: %s", escape(v.Name), escape(v.String())))
	}
	lines = append(lines, r.machines()...)
	if finished, all := len(r.Cells), len(r.Methods)*len(r.Seeds); finished < all {
		lines = append(lines, fmt.Sprintf("UNFINISHED: %d of %d runs.", finished, all))
	}
	return lines
}

func (r *Result) meansNote() string {
	return "Mean and sample deviation over the seeds, in percent. AUROC and FPR95 are those of the " + mainScore +
		", of the detections that reach the score threshold by the original's filter; the other scores are in study.csv."
}

// differencesNote explains the differences. Names are passed through escape.
func (r *Result) differencesNote(escape func(string) string) string {
	note := fmt.Sprintf("Method minus %s, in percentage points, runs of the same seed against each other. The deviation is that between the seeds. ", escape(r.Baseline))
	if r.Bootstrap.Resamples > 0 {
		note += fmt.Sprintf("In brackets: the 95 %% interval when the images are resampled (paired bootstrap, %d resamples). "+
			"A difference is beyond noise if the intervals of all seeds exclude 0 on the same side, and so does the 95 %% interval of the mean over the seeds "+
			"(Student's t). There is no correction for the number of comparisons.", r.Bootstrap.Resamples)
	}
	return strings.TrimSpace(note)
}

// CSV returns a row for each method and measure of all outlier scores, as fractions; cells that
// were not measured are empty. The columns are method, set, score, measure, mean, deviation, then
// mean and deviation of the difference from the baseline and whether it is beyond noise (true or
// false), then, for each seed, its value, its difference and both ends of the interval of the
// difference.
func (r *Result) CSV() string {
	head := []string{"method", "set", "score", "measure", "mean", "deviation", "difference_mean", "difference_deviation", "beyond_noise"}
	for _, seed := range r.Seeds {
		for _, column := range []string{"value", "difference", "low", "high"} {
			head = append(head, fmt.Sprintf("seed%d_%s", seed, column))
		}
	}
	t := eval.NewTable(head...)
	for _, row := range r.Rows {
		d, verdict := row.Difference, ""
		if d == nil {
			d = &Difference{Values: make([]*float64, len(r.Seeds)), CI95: make([]*eval.Interval, len(r.Seeds))}
		}
		if d.BeyondNoise != nil {
			verdict = strconv.FormatBool(*d.BeyondNoise)
		}
		cells := []string{row.Method, row.Set, row.Score, row.Name, number(row.Mean), number(row.Deviation), number(d.Mean), number(d.Deviation), verdict}
		for i := range r.Seeds {
			cells = append(cells, number(row.Values[i]), number(d.Values[i]))
			if ci := d.CI95[i]; ci != nil {
				cells = append(cells, number(&ci[0]), number(&ci[1]))
			} else {
				cells = append(cells, "", "")
			}
		}
		t.Add(cells...)
	}
	return t.CSV()
}

// number formats a value with all digits needed to read it back; nil is empty.
func number(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}
