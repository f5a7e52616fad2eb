package explore

import (
	"fmt"
	"slices"

	"ffslab/ffs/run"
	"ffslab/viz"
)

// ScheduleTable says what the runs are: their method, length, start of synthesis, and their pace.
func ScheduleTable(runs []Run) (*Table, error) {
	t := &Table{Head: []string{"run", "outliers by", "steps done", "of", "images a step", "outliers from step", "seed", "images/s", "waiting for data"}}
	for _, r := range runs {
		metrics, err := r.ReadMetrics()
		if err != nil {
			return nil, err
		}
		c, done, rate, waited := r.Config, 0, "-", "-"
		if len(metrics) > 1 {
			seconds, wait := 0.0, 0.0
			for _, m := range metrics[1:] { // the first step compiles
				seconds, wait = seconds+m.Seconds, wait+m.DataWait
			}
			done = metrics[len(metrics)-1].Step
			rate = fmt.Sprintf("%.1f", float64(c.Train.ImagesPerStep*(len(metrics)-1))/seconds)
			waited = fmt.Sprintf("%.1f %%", 100*wait/seconds)
		}
		start := "-"
		if c.Model.Outlier.Method != "none" {
			start = fmt.Sprint(c.Model.Outlier.StartIter)
		}
		t.add(r.Name, c.Model.Outlier.Method, fmt.Sprint(done), fmt.Sprint(c.Train.MaxIter), fmt.Sprint(c.Train.ImagesPerStep),
			start, fmt.Sprint(c.Train.Seed), rate, waited)
	}
	return t, nil
}

// losses are the panels of LossCurves.
var losses = []struct {
	title string
	of    func(m run.Metrics) float64
}{
	{"total", func(m run.Metrics) float64 { return m.TotalLoss }},
	{"class of boxes", func(m run.Metrics) float64 { return m.LossCls }},
	{"place of boxes", func(m run.Metrics) float64 { return m.LossBoxReg }},
	{"objectness of anchors", func(m run.Metrics) float64 { return m.LossRPNCls }},
	{"place of proposals", func(m run.Metrics) float64 { return m.LossRPNLoc }},
	{"likelihood of the flow", func(m run.Metrics) float64 { return m.LossNLL }},
	{"energy", func(m run.Metrics) float64 { return m.LossEnergy }},
}

// LossCurves draws every loss of the runs as it is weighted in the total, a panel a loss; the step at which synthetic outliers start is
// marked. Losses that no run has are left out.
func LossCurves(runs []Run) (*viz.Figure, error) {
	metrics, err := readMetrics(runs)
	if err != nil {
		return nil, err
	}
	var panels []*viz.Figure
	for _, loss := range losses {
		curves := viz.Curves{Title: loss.title, YLabel: "weighted loss", Marks: startMarks(runs)}
		for i, r := range runs {
			if series := seriesOf(r.Name, metrics[i], loss.of); slices.ContainsFunc(series.Y, func(v float64) bool { return v != 0 }) {
				series.Color = runColor(i)
				curves.Series = append(curves.Series, series)
				curves.Smooth = max(curves.Smooth, smoothing(len(series.Y)))
			}
		}
		if len(curves.Series) == 0 {
			continue
		}
		panel, err := curves.Figure()
		if err != nil {
			return nil, err
		}
		panels = append(panels, panel)
	}
	if len(panels) == 0 {
		return nil, nothing("the runs have logged no step yet")
	}
	figure, err := viz.Grid(2, panels...)
	if err != nil {
		return nil, err
	}
	figure.Caption = "Training losses, smoothed, with single steps faint behind."
	return figure, nil
}

// EnergyCurves draws the mean training energies of inliers and of synthetic outliers in the first run that makes outliers.
func EnergyCurves(runs []Run) (*viz.Figure, error) {
	metrics, err := readMetrics(runs)
	if err != nil {
		return nil, err
	}
	for i, r := range runs {
		o := r.Config.Model.Outlier
		if o.Method == "none" || len(metrics[i]) == 0 || metrics[i][len(metrics[i])-1].Step <= o.StartIter {
			continue
		}
		inliers := seriesOf("foreground proposals", metrics[i], func(m run.Metrics) float64 { return m.EnergyInlier })
		outliers := seriesOf("synthetic outliers", after(metrics[i], o.StartIter), func(m run.Metrics) float64 { return m.EnergyOutlier })
		inliers.Color, outliers.Color = viz.InlierColor, viz.SyntheticColor
		figure, err := viz.Curves{
			Title: "run " + r.Name, YLabel: "mean weighted energy (nats)", Smooth: smoothing(len(metrics[i])), Marks: startMarks(runs),
			Series: []viz.Series{inliers, outliers},
		}.Figure()
		if err != nil {
			return nil, err
		}
		figure.Caption = "The energy by which training tells inliers from synthetic outliers; higher means more inlier."
		return figure, nil
	}
	return nil, nothing("no run has made synthetic outliers yet")
}

// after returns the metrics of the later steps.
func after(metrics []run.Metrics, step int) []run.Metrics {
	i := slices.IndexFunc(metrics, func(m run.Metrics) bool { return m.Step > step })
	return metrics[max(i, 0):]
}

// smoothing is the weight of the past that suits curves of n steps.
func smoothing(n int) float64 { return max(0, min(0.95, 1-20/float64(n))) }

func readMetrics(runs []Run) ([][]run.Metrics, error) {
	all := make([][]run.Metrics, len(runs))
	for i, r := range runs {
		var err error
		if all[i], err = r.ReadMetrics(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func seriesOf(name string, metrics []run.Metrics, of func(run.Metrics) float64) viz.Series {
	s := viz.Series{Name: name}
	for _, m := range metrics {
		s.X, s.Y = append(s.X, float64(m.Step)), append(s.Y, of(m))
	}
	return s
}

// runColor is the colour of the i-th run, the same in every figure.
func runColor(i int) viz.Color {
	return []viz.Color{viz.Blue, viz.Grey, viz.Green, viz.Purple}[i%4]
}
