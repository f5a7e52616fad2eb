package curves_test

import (
	"encoding/csv"
	"fmt"
	"log"
	"slices"
	"strings"

	"ffslab/ffs/run"
	"ffslab/ffs/run/curves"
	"ffslab/viz"
)

// trained returns two runs that are part of the program: with synthetic outliers of the flow, and
// without any.
func trained() []run.Named {
	var runs []run.Named
	for _, method := range []string{"flow", "none"} {
		r, err := run.Open("zoo:digits-" + method) // or a run folder
		if err != nil {
			log.Fatal(err)
		}
		runs = append(runs, run.Named{Name: method, Run: r})
	}
	return runs
}

// column returns what stands in a column of a figure's CSV, each text once, without the heading.
func column(figure *viz.Figure, n int) []string {
	text, err := figure.CSV()
	if err != nil {
		log.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		log.Fatal(err)
	}
	var all []string
	for _, row := range rows[1:] {
		if !slices.Contains(all, row[n]) {
			all = append(all, row[n])
		}
	}
	return all
}

// A panel for each loss that any of the runs has.
func ExampleLosses() {
	figure, err := curves.Losses(trained()) // figure.Save writes it as SVG, PNG and CSV
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(strings.Join(column(figure, 0), "\n"))
	fmt.Println("runs:", column(figure, 1))
	// Output:
	// total (total_loss)
	// L_cls of boxes (loss_cls)
	// L_loc of boxes (loss_box_reg)
	// L_cls of proposals (loss_rpn_cls)
	// L_loc of proposals (loss_rpn_loc)
	// L_nll of the flow (loss_nll)
	// L_reg of the energies (loss_energy)
	// runs: [flow none]
}

// The losses of a training that is still going on, from what it has logged so far: one figure for
// each loss, whose axis reaches to the last step.
func ExampleLossPanels() {
	runs := trained()[:1]
	soFar := []run.Metrics{{Step: 1, TotalLoss: 3, LossCls: 2}, {Step: 2, TotalLoss: 2, LossCls: 1}}
	figures, err := curves.LossPanels(runs, [][]run.Metrics{soFar}, runs[0].Config.Train.MaxIter)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(figures), "panels of run", column(figures[0], 0))
	// Output: 2 panels of run [flow]
}

// How far training moves the energies of synthetic outliers away from those of inliers, in one run
// and in several.
func ExampleEnergies() {
	figure, err := curves.Energies(trained())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(column(figure, 0))
	several, err := curves.TrainingEnergies(trained())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(column(several, 0), column(several, 1))
	// Output:
	// [foreground proposals synthetic outliers]
	// [flow] [flow inliers flow outliers]
}

// Whether the flow fits: the likelihood of the inliers and of its own samples.
func ExampleFlowFit() {
	figure, err := curves.FlowFit(trained())
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(column(figure, 0), column(figure, 1))
	// Output: [flow] [flow inliers flow own samples]
}

// Another number of metrics.jsonl, in the colours that the runs have in every figure.
func ExampleColor() {
	plot := viz.Curves{YLabel: "foreground proposals of an image", Smooth: 0.95}
	for i, r := range trained() {
		metrics, err := r.ReadMetrics()
		if err != nil {
			log.Fatal(err)
		}
		series := viz.Series{Name: r.Name, Color: curves.Color(i)}
		for _, m := range metrics {
			series.X, series.Y = append(series.X, float64(m.Step)), append(series.Y, m.Foreground)
		}
		plot.Series = append(plot.Series, series)
	}
	figure, err := plot.Figure()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(column(figure, 0))
	// Output: [flow none]
}
