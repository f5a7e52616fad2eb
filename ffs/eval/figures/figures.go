// Package figures draws what an evaluation found: how far the scores can be trusted, and what unknown objects are taken
// for.
package figures

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"

	"ffslab/ffs/eval"
	"ffslab/viz"
)

// Save writes the figures of a report as SVG, PNG and CSV into the folder, which is made if need
// be: reliability, if something was detected on the inlier set, and confusion-SET for each outlier
// set that has objects, where fileName turns the label of a set into SET, of letters, digits, '.',
// '_' and '-'. Captions end with the report's subject. Each file appears whole or not at all. The
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
	return nil
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
	figure, err := diagram.Figure()
	if err != nil {
		return nil, err
	}
	figure.Caption = "Precision at IoU 0.5 against the score, by bins of the score, and how many detections there are in each."
	return figure, nil
}

// Confusion draws what the objects of an outlier set are taken for. It fails for a set without objects.
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
	figure, err := table.Figure()
	if err != nil {
		return nil, err
	}
	figure.Caption = "What the unknown objects of " + set + " are taken for by detections that reach the score threshold and overlap them by an IoU of at least 0.5."
	return figure, nil
}
