// Package figures draws what an evaluation found: how far the scores can be trusted, and what
// unknown objects are taken for.
package figures

import (
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"

	"ffslab/ffs/eval"
	"ffslab/viz"
)

// Save writes the figures of a report as SVG, PNG and CSV into the folder, which is made if need
// be: reliability, if something was detected on the inlier set; confusion-SET for each outlier
// set that has objects, where fileName turns the label of a set into SET, of letters, digits, '.',
// '_' and '-'; and which-score, if three scores or more were measured. Captions end with the
// report's subject. Each file appears whole or not at all. The
// error names the figure.
func Save(report *eval.Report, dir string, fileName func(set string) string) error {
	if report.Calibration != nil {
		figure, err := Reliability(report.Calibration)
		if err := save(report, figure, err, dir, "reliability"); err != nil {
			return err
		}
	}
	for _, set := range slices.Sorted(maps.Keys(report.Confusion)) {
		confusion := report.Confusion[set]
		if len(confusion.Objects) == 0 {
			continue
		}
		label := report.Label(set)
		figure, err := Confusion(label, confusion)
		if err := save(report, figure, err, dir, "confusion-"+fileName(label)); err != nil {
			return err
		}
	}
	ranking := report.Ranking()
	if len(ranking.Scores) < 3 {
		return nil
	}
	figure, err := WhichScore(ranking)
	return save(report, figure, err, dir, "which-score")
}

// WhichScore draws the AUROC of all scores, the best on average at the top, with their intervals.
// Without a score there is nothing to show ([viz.ErrNothing]).
func WhichScore(ranking eval.Ranking) (*viz.Figure, error) {
	if len(ranking.Scores) == 0 {
		return nil, fmt.Errorf("%w: no score was measured", viz.ErrNothing)
	}
	plot := viz.Intervals{Title: "Which score", XLabel: "AUROC (%)", Marks: []viz.Mark{{At: 50, Label: "chance"}}}
	for _, score := range ranking.Scores {
		plot.Rows = append(plot.Rows, score.Name)
	}
	intervals := false
	for i, set := range ranking.Sets {
		series := viz.IntervalSeries{Name: set}
		for _, score := range ranking.Scores {
			value, low, high := math.NaN(), math.NaN(), math.NaN()
			if s := score.Separations[i]; s != nil {
				value = 100 * s.AUROC
				if s.CI95 != nil {
					low, high, intervals = 100*s.CI95.AUROC[0], 100*s.CI95.AUROC[1], true
				}
			}
			series.Values, series.Low, series.High = append(series.Values, value), append(series.Low, low), append(series.High, high)
		}
		plot.Series = append(plot.Series, series)
	}
	synthetic := viz.IntervalSeries{Name: "synthetic outliers", Color: viz.Grey}
	known := false
	for _, score := range ranking.Scores {
		value := math.NaN()
		if score.Synthetic != nil {
			value, known = 100**score.Synthetic, true
		}
		synthetic.Values = append(synthetic.Values, value)
	}
	if known {
		plot.Series = append(plot.Series, synthetic)
	}
	caption := viz.Caption("How well each outlier score tells detections on the inlier set from those on each outlier set (colours), the best on average at the top.")
	if intervals {
		caption += " Lines: 95 % intervals of resampled images."
	}
	if known {
		caption += " Grey: on synthetic outliers, which the ranking does not use."
	}
	return caption.Under(plot.Figure())
}

func save(report *eval.Report, figure *viz.Figure, err error, dir, name string) error {
	if err == nil {
		if report.Subject != nil {
			figure.Caption += " " + report.Subject.String()
		}
		err = figure.Save(dir, name)
	}
	if err != nil {
		return fmt.Errorf("figure %s: %w", filepath.Join(dir, name), err)
	}
	return nil
}

// Reliability draws the bins of a calibration. It fails for one without bins.
func Reliability(c *eval.Calibration) (*viz.Figure, error) {
	diagram := viz.Reliability{Title: "Calibration of the inlier set's detections"}
	for _, b := range c.Bins {
		diagram.Bins = append(diagram.Bins, viz.ReliabilityBin{
			Low: b.Low, High: b.High, Count: b.Detections, Confidence: min(max(b.Score, 0), 1), Precision: b.Precision,
		})
	}
	caption := viz.Caption("Precision at IoU 0.5 (blue) of the inlier set's detections by bins of their score, its gap to their mean score (orange; their mean, weighted by the counts, is the ECE), and below how many detections a bin holds. Bars on the diagonal are calibrated.")
	return caption.Under(diagram.Figure())
}

// Confusion draws what the objects of an outlier set are taken for. It fails for a set without
// objects.
func Confusion(set string, c *eval.Confusion) (*viz.Figure, error) {
	table := viz.Confusion{Title: "Objects of " + set, RowLabel: "unknown class (objects)", ColumnLabel: "taken for"}
	for _, class := range c.Classes {
		table.Columns = append(table.Columns, class.Name)
	}
	for _, row := range c.Objects {
		table.Rows = append(table.Rows, row.Name)
		table.Counts = append(table.Counts, row.TakenFor)
		table.Missed = append(table.Missed, row.Missed)
	}
	caption := viz.Caption("What the unknown objects of " + set + " are taken for by detections that reach the score threshold and overlap them by an IoU of at least 0.5: numbers are objects, shades their share of the row, grey what nothing found.")
	return caption.Under(table.Figure())
}
