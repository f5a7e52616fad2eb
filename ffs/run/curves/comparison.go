package curves

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"ffslab/ffs/run"
	"ffslab/viz"
)

// kind is one line of every run in a figure that compares runs.
type kind struct {
	name   string
	dashed bool
	// of is the value of a step, NaN where it has none.
	of func(r run.Named, m run.Metrics) float64
}

// FlowFit draws how well the flow fits the box features in the course of training, a panel for each
// method that has a flow: the mean NLL of the step's inliers (foreground proposals) and, dashed, of
// the features that the flow itself makes in that step. A flow that fits gives both the same; its
// own samples are then as likely as inliers. NLLs are in nats and bear the constant of
// model.loss.nll_constant where that is set. Runs without a flow are left out; if there is no
// other, or none has logged a step, there is nothing to show ([viz.ErrNothing]).
func FlowFit(runs []run.Named) (*viz.Figure, error) {
	return eachMethod(runs, "NLL (nats)", "Mean NLL under the flow of a step's inliers (solid) and of the flow's own samples (dashed), a colour a run; the closer, the better the flow fits. Strong: "+smoothed+", faint: single steps.",
		kind{"inliers", false, func(r run.Named, m run.Metrics) float64 {
			// A step without foreground has no inlier, and a loss of 0.
			return orGap(m.LossNLL / r.Config.Model.Loss.NLL)
		}},
		kind{"own samples", true, func(_ run.Named, m run.Metrics) float64 { return orGap(m.NLLSamples) }})
}

// TrainingEnergies draws the mean training energies of the step's inliers (foreground proposals)
// and, dashed, of its synthetic outliers, a panel for each method that makes outliers. If none has
// logged a step, there is nothing to show ([viz.ErrNothing]).
func TrainingEnergies(runs []run.Named) (*viz.Figure, error) {
	return eachMethod(runs, "mean weighted energy (nats)", "Mean energy, weighted by class as L_reg sees it, of a step's inliers (solid) and of its synthetic outliers (dashed), a colour a run; higher means more inlier. Strong: "+smoothed+", faint: single steps.",
		kind{"inliers", false, func(_ run.Named, m run.Metrics) float64 { return orGap(m.EnergyInlier) }},
		kind{"outliers", true, func(_ run.Named, m run.Metrics) float64 { return orGap(m.EnergyOutlier) }})
}

// orGap turns what a run does not have into a gap: 0, which no measured mean is, and what is not
// finite.
func orGap(v float64) float64 {
	if v == 0 || math.IsInf(v, 0) {
		return math.NaN()
	}
	return v
}

// sinceFirst leaves out the steps before a series' first value.
func sinceFirst(s viz.Series) viz.Series {
	i := slices.IndexFunc(s.Y, func(v float64) bool { return !math.IsNaN(v) })
	if i < 0 {
		i = len(s.Y)
	}
	s.X, s.Y = s.X[i:], s.Y[i:]
	return s
}

// eachMethod draws a panel for each group (or else method) of the runs, in their order, with the
// lines of all its runs: a colour a run, as far as they have values.
func eachMethod(runs []run.Named, yLabel, caption string, kinds ...kind) (*viz.Figure, error) {
	metrics, err := readMetrics(runs)
	if err != nil {
		return nil, err
	}
	var methods []string
	panels := map[string]*viz.Curves{}
	counts := map[string]int{}
	for i, r := range runs {
		method := cmp.Or(r.Group, r.Config.Model.Outlier.Method)
		if panels[method] == nil {
			methods = append(methods, method)
			panels[method] = &viz.Curves{Title: method, YLabel: yLabel, Marks: startMarks([]run.Named{r})}
		}
		panel := panels[method]
		for _, k := range kinds {
			name := strings.TrimPrefix(r.Name, method+"-") // the panel's title says it
			series := sinceFirst(seriesOf(name+" "+k.name, metrics[i], func(m run.Metrics) float64 { return k.of(r, m) }))
			if len(series.Y) == 0 {
				continue
			}
			series.Color, series.Dashed = Color(counts[method]), k.dashed
			panel.Series = append(panel.Series, series)
			panel.Smooth = max(panel.Smooth, smoothing(len(series.Y)))
		}
		counts[method]++
	}
	var figures []*viz.Figure
	for _, method := range methods {
		if len(panels[method].Series) == 0 {
			continue
		}
		figure, err := panels[method].Figure()
		if err != nil {
			return nil, err
		}
		figures = append(figures, figure)
	}
	return viz.Caption(caption).Under(viz.Panels("no run has logged anything of it: the method none has neither a flow nor outliers, and a run must have made a step", figures...))
}
