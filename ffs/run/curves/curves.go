// Package curves draws what runs have logged in the course of training.
package curves

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"ffslab/ffs/run"
	"ffslab/viz"
)

// panel is a loss of [Losses].
type panel struct {
	title string
	of    func(m run.Metrics) float64
}

var panels = []panel{
	{"total", func(m run.Metrics) float64 { return m.TotalLoss }},
	{"class of boxes", func(m run.Metrics) float64 { return m.LossCls }},
	{"place of boxes", func(m run.Metrics) float64 { return m.LossBoxReg }},
	{"objectness of anchors", func(m run.Metrics) float64 { return m.LossRPNCls }},
	{"place of proposals", func(m run.Metrics) float64 { return m.LossRPNLoc }},
	{"likelihood of the flow", func(m run.Metrics) float64 { return m.LossNLL }},
	{"energy", func(m run.Metrics) float64 { return m.LossEnergy }},
}

// termPanels are those of the extra loss terms that the runs have.
func termPanels(runs [][]run.Metrics) []panel {
	names := map[string]bool{}
	for _, metrics := range runs {
		if len(metrics) > 0 {
			for name := range metrics[len(metrics)-1].Terms {
				names[name] = true
			}
		}
	}
	var extra []panel
	for _, name := range slices.Sorted(maps.Keys(names)) {
		extra = append(extra, panel{strings.TrimPrefix(name, "loss_"), func(m run.Metrics) float64 { return m.Terms[name] }})
	}
	return extra
}

// Losses draws every loss of the runs as it is weighted in the total, a panel a loss; the step at which synthetic outliers start is
// marked. Losses that no run has are left out.
func Losses(runs []run.Named) (*viz.Figure, error) {
	metrics, err := readMetrics(runs)
	if err != nil {
		return nil, err
	}
	figures, err := LossPanels(runs, metrics, 0)
	if err != nil {
		return nil, err
	}
	if len(figures) == 0 {
		return nil, fmt.Errorf("%w: the runs have logged no step yet", viz.ErrNothing)
	}
	figure, err := viz.Grid(2, figures...)
	if err != nil {
		return nil, err
	}
	figure.Caption = "Training losses, smoothed, with single steps faint behind."
	return figure, nil
}

// LossPanels draws what Losses draws, each loss as a figure of its own, from the metrics of each run. The x axes reach at least to the given step.
func LossPanels(runs []run.Named, metrics [][]run.Metrics, lastStep int) ([]*viz.Figure, error) {
	var figures []*viz.Figure
	for _, loss := range append(panels[:len(panels):len(panels)], termPanels(metrics)...) {
		curves := viz.Curves{Title: loss.title, YLabel: "weighted loss", Marks: StartMarks(runs), XMax: float64(lastStep)}
		for i, r := range runs {
			if series := seriesOf(r.Name, metrics[i], loss.of); slices.ContainsFunc(series.Y, func(v float64) bool { return v != 0 }) {
				series.Color = Color(i)
				curves.Series = append(curves.Series, series)
				curves.Smooth = max(curves.Smooth, Smoothing(len(series.Y)))
			}
		}
		if len(curves.Series) == 0 {
			continue
		}
		panel, err := curves.Figure()
		if err != nil {
			return nil, err
		}
		figures = append(figures, panel)
	}
	return figures, nil
}

// Energies draws the mean training energies of inliers and of synthetic outliers in the first run that makes outliers.
func Energies(runs []run.Named) (*viz.Figure, error) {
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
			Title: "run " + r.Name, YLabel: "mean weighted energy (nats)", Smooth: Smoothing(len(metrics[i])), Marks: StartMarks(runs),
			Series: []viz.Series{inliers, outliers},
		}.Figure()
		if err != nil {
			return nil, err
		}
		figure.Caption = "The energy by which training tells inliers from synthetic outliers; higher means more inlier."
		return figure, nil
	}
	return nil, fmt.Errorf("%w: no run has made synthetic outliers yet", viz.ErrNothing)
}

// after returns the metrics of the later steps.
func after(metrics []run.Metrics, step int) []run.Metrics {
	i := slices.IndexFunc(metrics, func(m run.Metrics) bool { return m.Step > step })
	return metrics[max(i, 0):]
}

// Smoothing is the weight of the past that suits curves of n steps.
func Smoothing(n int) float64 { return max(0, min(0.95, 1-20/float64(n))) }

func readMetrics(runs []run.Named) ([][]run.Metrics, error) {
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

// Color is the colour of the i-th run, the same in every figure.
func Color(i int) viz.Color {
	return []viz.Color{viz.Blue, viz.Grey, viz.Green, viz.Purple}[i%4]
}

// StartMarks point out where the first run that makes outliers starts to.
func StartMarks(runs []run.Named) []viz.Mark {
	for _, r := range runs {
		if o := r.Config.Model.Outlier; o.Method != "none" {
			return []viz.Mark{{At: float64(o.StartIter), Label: "outliers start"}}
		}
	}
	return nil
}
