package study_test

import (
	"fmt"
	"strings"

	"ffslab/ffs/study"
)

// The tables that a notebook shows, with notes that explain them.
func ExampleResult_Means() {
	r, err := study.Read("results/earlier/weight")
	if err != nil {
		fmt.Println(err)
		return
	}
	means, note := r.Means()
	for _, row := range means.Rows {
		fmt.Println(row[0], "of", row[1], "seeds: AP50", row[3])
	}
	fmt.Println(strings.SplitAfter(note, ".")[0])
	differences, _ := r.Differences()
	last := differences.Rows[len(differences.Rows)-1]
	fmt.Println(last[1], "differs by", last[2], "- beyond noise:", last[len(last)-1])
	// Output:
	// none of 3 seeds: AP50 71.02 ± 4.37
	// weight0.3 of 3 seeds: AP50 71.21 ± 4.27
	// Mean and sample deviation over the seeds, in percent.
	// ood-far FPR95 ↓ differs by -1.19 ± 2.39 - beyond noise: no
}

// The forms of a result: to read, to compute with, to print. A study writes them into its folder.
func ExampleResult_Markdown() {
	r, err := study.Read("results/earlier/weight")
	if err != nil {
		fmt.Println(err)
		return
	}
	heading, _, _ := strings.Cut(r.Markdown(), "\n")
	fmt.Println(heading)
	columns := strings.Split(r.CSV(), ",")
	fmt.Println(columns[:6])
	fmt.Println(strings.Count(r.LaTeX(), `\begin{tabular}`), "tables for LaTeX")
	// Output:
	// # Study: none, weight0.3
	// [method set score measure mean deviation]
	// 2 tables for LaTeX
}

// Each seed's difference from the baseline with its interval, and the mean of the seeds.
func ExampleResult_Figure() {
	r, err := study.Read("results/earlier/weight")
	if err != nil {
		fmt.Println(err)
		return
	}
	figure, err := r.Figure() // figure.Save writes it as SVG, PNG and CSV
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.SplitAfter(figure.Caption, ".")[0])
	// Output: Differences from none in percentage points, runs of the same seed against each other.
}

// percent formats mean and deviation over the seeds.
func percent(s study.Spread) string {
	return fmt.Sprintf("%.1f ± %.1f %%", 100**s.Mean, 100**s.Deviation)
}

// Look up a number of a study by its measure, here the AUROC of another score than the energy.
func ExampleRow() {
	r, err := study.Read("results/earlier/weight")
	if err != nil {
		fmt.Println(err)
		return
	}
	find := func(m study.Measure) (found []study.Row) {
		for _, row := range r.Rows {
			if row.Measure == m {
				found = append(found, row)
			}
		}
		return found
	}
	for _, row := range find(study.Measure{Set: "digits:ood-near?n=1500", Score: "msp", Name: "AUROC"}) {
		fmt.Println(row.Method, percent(row.Spread))
	}
	// Output:
	// none 56.7 ± 2.1 %
	// weight0.3 57.2 ± 2.3 %
}

// The runs behind the numbers, and the code that trained them.
func ExampleCell() {
	r, err := study.Read("results/earlier/weight")
	if err != nil {
		fmt.Println(err)
		return
	}
	byMethod := map[string][]study.Cell{}
	for _, c := range r.Cells {
		byMethod[c.Method] = append(byMethod[c.Method], c)
	}
	for _, c := range byMethod["weight0.3"] {
		fmt.Println(c.Run, "by commit", c.Commit)
	}
	// Output:
	// runs/weight0.3-seed0 by commit 7407cb374a65
	// runs/weight0.3-seed1 by commit 4b6325ea9f7f
	// runs/weight0.3-seed2 by commit 4b6325ea9f7f
}

// What a study cost: every process that worked on a run has left its time and memory.
func ExampleStint() {
	r, err := study.Read("results/digits2")
	if err != nil {
		fmt.Println(err)
		return
	}
	var stints []study.Stint
	for _, c := range r.Cells {
		stints = append(stints, c.Computed...)
	}
	hours, memory := 0.0, int64(0)
	for _, s := range stints {
		hours += s.Seconds / 3600
		memory = max(memory, s.PeakMemory)
	}
	fmt.Println("time and memory are known:", hours > 0, memory > 0)
	// Output: time and memory are known: true true
}
