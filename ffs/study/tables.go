package study

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"ffslab/ffs/eval"
)

// mainScore is the outlier score of the tables to read; the others are in the CSV file.
const mainScore = "energy"

// columns are the measures of the tables to read.
func (r *Result) columns() []Measure {
	var outliers []string
	for _, set := range r.Outliers {
		outliers = append(outliers, set.Name)
	}
	return slices.DeleteFunc(measures(outliers), func(m Measure) bool { return m.Set != "" && m.Score != mainScore })
}

// title is a measure as the tables to read name it.
func (r *Result) title(m Measure) string {
	for _, set := range r.Outliers {
		if set.Name == m.Set {
			return set.Label + " " + m.arrow()
		}
	}
	return m.arrow()
}

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
		head = append(head, r.title(m))
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

// differencesTable has a row for each method and measure: the mean difference and its deviation over the seeds, then every seed's difference with its
// interval, in percentage points.
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
			cells := []string{method, r.title(m), percents(d.Spread, "%+.2f")}
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

// seed writes one seed's difference with its interval.
func (d *Difference) seed(i int) string {
	switch {
	case d.Values[i] == nil:
		return "-"
	case d.CI95[i] == nil:
		return fmt.Sprintf("%+.2f", 100**d.Values[i])
	}
	return fmt.Sprintf("%+.2f [%+.2f, %+.2f]", 100**d.Values[i], 100*d.CI95[i][0], 100*d.CI95[i][1])
}

// percents writes mean and deviation in percent, the mean in the given format.
func percents(s Spread, format string) string {
	switch {
	case s.Mean == nil:
		return "-"
	case s.Deviation == nil:
		return fmt.Sprintf(format, 100**s.Mean)
	}
	return fmt.Sprintf(format+" ± %.2f", 100**s.Mean, 100**s.Deviation)
}

// Markdown returns the tables to read, with what they need to be understood.
func (r *Result) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Study: %s\n\n", strings.Join(r.Methods, ", "))
	fmt.Fprintf(&b, "Command: `%s`  \n%s\n", r.Command, strings.Join(r.origin(), "  \n"))
	fmt.Fprintf(&b, "\n## Results\n\n%s\n%s\n", r.meansTable().Markdown(), r.meansNote())
	if differences := r.differencesTable(); len(differences.Rows) > 0 {
		fmt.Fprintf(&b, "\n## Differences from %s\n\n%s\n%s\n", r.Baseline, differences.Markdown(), r.differencesNote())
	}
	return b.String()
}

// LaTeX returns the same tables for the package booktabs, and the origin as comments.
func (r *Result) LaTeX() string {
	var b strings.Builder
	comment := func(text string) { fmt.Fprintf(&b, "%% %s\n", text) }
	for _, line := range append([]string{"Command: " + r.Command}, r.origin()...) {
		comment(line)
	}
	comment(r.meansNote())
	b.WriteString(r.meansTable().LaTeX())
	if differences := r.differencesTable(); len(differences.Rows) > 0 {
		b.WriteString("\n")
		comment(r.differencesNote())
		b.WriteString(differences.LaTeX())
	}
	return strings.ReplaceAll(b.String(), "±", `$\pm$`)
}

// origin says what made the numbers, but for the command.
func (r *Result) origin() []string {
	sets := fmt.Sprintf("Trained on %s, measured on %s", r.Training, r.Inlier)
	for _, set := range r.Outliers {
		sets += ", " + set.String()
	}
	lines := []string{
		fmt.Sprintf("Commit %s, configuration %.12s, %d steps of %d images, seeds %s", r.Commit, r.ConfigDigest, r.Steps, r.ImagesPerStep,
			strings.Trim(strings.ReplaceAll(fmt.Sprint(r.Seeds), " ", ", "), "[]")),
		sets + ".",
	}
	for _, v := range r.Variants {
		lines = append(lines, fmt.Sprintf("%s: flow with %s", v.Name, strings.Join(v.Settings, ", ")))
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

func (r *Result) differencesNote() string {
	note := fmt.Sprintf("Method minus %s, in percentage points, runs of the same seed against each other. The deviation is that between the seeds. ", r.Baseline)
	if r.Bootstrap.Resamples > 0 {
		note += fmt.Sprintf("In brackets: the 95 %% interval when the images are resampled (paired bootstrap, %d resamples). "+
			"A difference is beyond noise if every seed's interval leaves 0 out on the same side, and the 95 %% interval of the mean over the seeds "+
			"(Student's t) does, too; nothing is corrected for the number of comparisons.", r.Bootstrap.Resamples)
	}
	return strings.TrimSpace(note)
}

// CSV returns one row for each method and measure, of all outlier scores, as fractions; what was not measured is empty. The columns are method, set,
// score, measure, mean, deviation, then mean and deviation of the difference from the baseline and whether it is beyond noise (true or
// false), then, for each seed, its value, its difference and the two ends of the difference's interval.
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

// number keeps every digit that is needed to read a value back; nil is empty.
func number(v *float64) string {
	if v == nil {
		return ""
	}
	return strconv.FormatFloat(*v, 'g', -1, 64)
}
