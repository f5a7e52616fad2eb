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

// panels bear the names of Faster R-CNN (L_cls, L_loc, for proposals and for boxes) and of FFS
// (L_nll and L_reg, its figure 2), and in brackets those of metrics.jsonl.
var panels = []panel{
	{"total (total_loss)", func(m run.Metrics) float64 { return m.TotalLoss }},
	{"L_cls of boxes (loss_cls)", func(m run.Metrics) float64 { return m.LossCls }},
	{"L_loc of boxes (loss_box_reg)", func(m run.Metrics) float64 { return m.LossBoxReg }},
	{"L_cls of proposals (loss_rpn_cls)", func(m run.Metrics) float64 { return m.LossRPNCls }},
	{"L_loc of proposals (loss_rpn_loc)", func(m run.Metrics) float64 { return m.LossRPNLoc }},
	{"L_nll of the flow (loss_nll)", func(m run.Metrics) float64 { return m.LossNLL }},
	{"L_reg of the energies (loss_energy)", func(m run.Metrics) float64 { return m.LossEnergy }},
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
		extra = append(extra, panel{fmt.Sprintf("%s (%s)", strings.TrimPrefix(name, "loss_"), name), func(m run.Metrics) float64 { return m.Terms[name] }})
	}
	return extra
}

// Losses draws every loss of the runs as it is weighted in the total, a panel a loss; the step at
// which synthetic outliers start is marked. Losses that no run has are left out.
func Losses(runs []run.Named) (*viz.Figure, error) {
	metrics, err := readMetrics(runs)
	if err != nil {
		return nil, err
	}
	figures, err := LossPanels(runs, metrics, 0)
	if err != nil {
		return nil, err
	}
	caption := viz.Caption("Training losses as they are weighted in the total: L_cls and L_loc of Faster R-CNN, L_nll (likelihood of the inliers) and L_reg (energies of inliers against synthetic outliers) of FFS. " +
		"A colour a run; strong: " + smoothed + ", faint: single steps. The dashed line is where synthetic outliers start.")
	return caption.Under(viz.Panels("the runs have logged no step yet", figures...))
}

// LossPanels draws what Losses draws, each loss as a figure of its own, from the metrics of each
// run. The x axes reach at least to the given step.
func LossPanels(runs []run.Named, metrics [][]run.Metrics, lastStep int) ([]*viz.Figure, error) {
	var figures []*viz.Figure
	for _, loss := range append(panels[:len(panels):len(panels)], termPanels(metrics)...) {
		curves := viz.Curves{Title: loss.title, YLabel: "weighted loss", Marks: startMarks(runs), XMax: float64(lastStep)}
		for i, r := range runs {
			if series := seriesOf(r.Name, metrics[i], loss.of); slices.ContainsFunc(series.Y, func(v float64) bool { return v != 0 }) {
				series.Color = Color(i)
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
		figures = append(figures, panel)
	}
	return figures, nil
}

// smoothed says in captions what smoothing draws.
const smoothed = "an exponential moving average over at most 20 steps"

// Energies draws the mean training energies of inliers and of synthetic outliers in the first run
// that makes outliers.
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
		caption := viz.Caption("Mean energy, weighted by class as L_reg sees it, of a step's foreground proposals (blue) and of its synthetic outliers (orange); higher means more inlier. Strong: " + smoothed + ", faint: single steps.")
		return caption.Under(viz.Curves{
			Title: "run " + r.Name, YLabel: "mean weighted energy (nats)", Smooth: smoothing(len(metrics[i])), Marks: startMarks(runs),
			Series: []viz.Series{inliers, outliers},
		}.Figure())
	}
	return nil, fmt.Errorf("%w: no run has made synthetic outliers yet", viz.ErrNothing)
}

// after returns the metrics of the later steps.
func after(metrics []run.Metrics, step int) []run.Metrics {
	i := slices.IndexFunc(metrics, func(m run.Metrics) bool { return m.Step > step })
	return metrics[max(i, 0):]
}

// smoothing is the weight of the past that suits curves of n steps.
func smoothing(n int) float64 { return max(0, min(0.95, 1-20/float64(n))) }

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

// startMarks point out where the first run that makes outliers starts to.
func startMarks(runs []run.Named) []viz.Mark {
	for _, r := range runs {
		if o := r.Config.Model.Outlier; o.Method != "none" {
			return []viz.Mark{{At: float64(o.StartIter), Label: "outliers start"}}
		}
	}
	return nil
}
