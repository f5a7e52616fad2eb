package study

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"path"
	"slices"
	"strings"

	"ffslab/viz"
)

// Figure draws what the study is about: how AP50, and AUROC and FPR95 of the energy on every
// outlier set, differ from the baseline, a row for each method and variant, each seed with the
// interval of its difference and, of several seeds, their mean. A study of the baseline alone shows
// the measures themselves. Without a result there is nothing to show ([viz.ErrNothing]).
func (r *Result) Figure() (*viz.Figure, error) {
	caption := fmt.Sprintf("Differences from %s in percentage points, runs of the same seed against each other. "+
		"Lines: the 95 %% interval of a seed's difference when the images are resampled. Black: mean of the seeds, with the 95 %% interval of Student's t, which holds what training makes of chance. "+
		"To the right of 0 is better for AUROC and AP50, to the left for FPR95. ", r.Baseline)
	panels, err := r.panels(r.differencePanel)
	if err == nil && len(panels) == 0 {
		caption = "Bars: mean of the seeds; lines: their sample deviation. "
		panels, err = r.panels(r.valuePanel)
	}
	if err != nil {
		return nil, err
	}
	return viz.Caption(caption + strings.Join(r.origin(asIs), " ")).Under(viz.Panels("the study has measured nothing", panels...))
}

// panels draws the measures of the tables to read that can be drawn, but for AP.
func (r *Result) panels(draw func(Measure) (*viz.Figure, error)) ([]*viz.Figure, error) {
	var panels []*viz.Figure
	for _, m := range r.columns() {
		if m.Name == "AP" {
			continue
		}
		panel, err := draw(m)
		if errors.Is(err, viz.ErrNothing) {
			continue
		}
		if err != nil {
			return nil, err
		}
		panels = append(panels, panel)
	}
	return panels, nil
}

func (r *Result) differencePanel(m Measure) (*viz.Figure, error) {
	plot := viz.Intervals{Title: r.title(m, ": "), XLabel: fmt.Sprintf("difference from %s (points)", r.Baseline), Marks: []viz.Mark{{}}}
	var rows []Row
	for _, method := range r.Methods {
		if row, ok := r.row(method, m); ok && row.Difference != nil && row.Difference.Mean != nil {
			rows = append(rows, row)
			plot.Rows = append(plot.Rows, method)
		}
	}
	if len(rows) == 0 {
		return nil, viz.ErrNothing
	}
	nan := math.NaN()
	for i, seed := range r.Seeds {
		series := viz.IntervalSeries{Name: fmt.Sprintf("seed %d", seed), Color: []viz.Color{viz.Blue, viz.Vermillion, viz.Green, viz.Purple, viz.Sky}[i%5]}
		for _, row := range rows {
			value, low, high := nan, nan, nan
			if d := row.Difference; d.Values[i] != nil {
				value = 100 * *d.Values[i]
				if ci := d.CI95[i]; ci != nil {
					low, high = 100*ci[0], 100*ci[1]
				}
			}
			series.Values, series.Low, series.High = append(series.Values, value), append(series.Low, low), append(series.High, high)
		}
		plot.Series = append(plot.Series, series)
	}
	if len(r.Seeds) > 1 {
		mean := viz.IntervalSeries{Name: "mean", Color: viz.Black}
		for _, row := range rows {
			value, half := 100**row.Difference.Mean, nan
			if row.Difference.Deviation != nil {
				half = 100 * row.Difference.halfLength()
			}
			mean.Values, mean.Low, mean.High = append(mean.Values, value), append(mean.Low, value-half), append(mean.High, value+half)
		}
		plot.Series = append(plot.Series, mean)
	}
	return plot.Figure()
}

func (r *Result) valuePanel(m Measure) (*viz.Figure, error) {
	bars := viz.Bars{Title: r.title(m, ": "), YLabel: "percent", Decimals: 1}
	group := viz.BarGroup{Name: "mean of the seeds"}
	for _, method := range r.Methods {
		row, ok := r.row(method, m)
		if !ok || row.Mean == nil {
			continue
		}
		deviation := 0.0
		if row.Deviation != nil {
			deviation = 100 * *row.Deviation
		}
		bars.Categories = append(bars.Categories, method)
		group.Values, group.Errors = append(group.Values, 100**row.Mean), append(group.Errors, deviation)
	}
	if len(group.Values) == 0 {
		return nil, viz.ErrNothing
	}
	bars.Groups = []viz.BarGroup{group}
	return bars.Figure()
}

// title is the name of a measure in figures and in the tables for reading: the outlier set, without
// what captions and notes say of it, a separator, and what is measured.
func (r *Result) title(m Measure, separator string) string {
	var labels []string
	for _, set := range r.Outliers {
		labels = append(labels, set.Label)
	}
	for i, short := range shortNames(labels) {
		if r.Outliers[i].Name == m.Set {
			return short + separator + m.arrow()
		}
	}
	return m.arrow()
}

// shortNames shortens the labels of sets: "digits:ood-near?n=1500" to "ood-near",
// "coco:annotations/ood.json,images" to "ood". They stay as they are where two would become the
// same.
func shortNames(labels []string) []string {
	short := make([]string, len(labels))
	for i, label := range labels {
		name, _, _ := strings.Cut(label, "?")
		if _, rest, found := strings.Cut(name, ":"); found {
			name, _, _ = strings.Cut(rest, ",")
			name = path.Base(name)
			name = strings.TrimSuffix(name, path.Ext(name))
		}
		short[i] = cmp.Or(name, label)
	}
	if repeated(short) {
		return slices.Clone(labels)
	}
	return short
}
