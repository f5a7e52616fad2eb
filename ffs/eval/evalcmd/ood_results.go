package evalcmd

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"gonum.org/v1/gonum/mat"

	"ffslab/data"
	"ffslab/data/lenient"
	"ffslab/ffs/eval"
	"ffslab/ffs/eval/posthoc"
	"ffslab/ffs/features"
	"ffslab/ffs/score"
	"ffslab/viz/escape"
)

// oodResults are the files and settings of ood-eval with --id-gt.
type oodResults struct {
	truth, inlier           string
	outliers, outlierTruths []string
	features                []string
	fit, out                string
	scores                  []string
	bootstrap               eval.Bootstrap
	strict, skipEmpty       bool
}

// confidence is the score that every results file has: the detection's own probability.
const confidence = "confidence"

// resultFile is a results file with the features of its detections.
type resultFile struct {
	name string // in tables
	path string
	eval.Results
	columns int // logits of each detection: 0, K or K+1; -1 without detections
	// logits [n, K] are the logits of a detector without background; else nil.
	logits *mat.Dense
	table  *features.Table
}

func (o *oodResults) run(command *cobra.Command, asJSON bool) error {
	if err := o.check(); err != nil {
		return err
	}
	mended := lenient.New(o.strict)
	annotations, err := eval.ReadAnnotations(o.truth, mended)
	if err != nil {
		return err
	}
	files := make([]*resultFile, 0, 1+len(o.outliers))
	for i, path := range append([]string{o.inlier}, o.outliers...) {
		name, path := data.CutName(path) // NAME=FILE
		file := &resultFile{name: cmp.Or(name, path), path: path}
		switch {
		case i == 0:
			file.Annotations = annotations
		case len(o.outlierTruths) > 0:
			if file.Annotations, err = eval.ReadAnnotations(o.outlierTruths[i-1], mended); err != nil {
				return err
			}
			var inliers []string
			for _, c := range annotations.Categories {
				inliers = append(inliers, c.Name)
			}
			file.Annotations.MarkKnown(inliers)
		}
		if file.Detections, err = eval.ReadDetections(path, mended); err != nil {
			return err
		}
		if i == 0 && len(o.features) == 0 { // each detection has a row of features
			if file.Detections, err = annotations.Listed(file.Detections, mended); err != nil {
				return fmt.Errorf("%s: %w; is %s its annotation file?", path, err, o.truth)
			}
		}
		if err := file.check(len(annotations.Categories)); err != nil {
			return err
		}
		if file.Annotations == nil {
			file.Annotations = file.imagesAlone(annotations.Categories)
		}
		if len(o.features) > 0 {
			if err := file.readFeatures(o.features[i], len(annotations.Categories)); err != nil {
				return err
			}
		}
		files = append(files, file)
	}
	if err := sameLogits(files, len(annotations.Categories)); err != nil {
		return err
	}
	for _, note := range mended.Notes() {
		escape.Fprintf(os.Stderr, "note: %s\n", note)
	}
	tellPattern(o.truth, annotations.BoxPattern())
	for i, file := range files {
		if i > 0 && len(o.outlierTruths) > 0 {
			tellPattern(o.outlierTruths[i-1], file.Annotations.BoxPattern())
		}
		tellPattern(file.path, file.BoxPattern())
	}
	settings := eval.Settings{Bootstrap: o.bootstrap}
	if o.skipEmpty {
		settings.Threshold = eval.Annotated
	}
	report, err := settings.MeasureDetection(files[0].Results)
	if err != nil {
		return fmt.Errorf("%s: %w; is %s its annotation file?", o.inlier, err, o.truth)
	}
	if report.ScoreThreshold == nil {
		return fmt.Errorf("%s: no class of %s is found well enough to settle the score threshold", o.inlier, o.truth)
	}
	if err := o.addScores(report, files); err != nil {
		return err
	}
	outliers := map[string]eval.Results{}
	for _, file := range files[1:] {
		outliers[file.name] = file.Results
	}
	if err := settings.MeasureOutliers(report, files[0].Results, outliers); err != nil {
		return err
	}
	if err := o.save(report); err != nil {
		return err
	}
	if asJSON {
		tell(report)
		return report.WriteJSON(command.OutOrStdout())
	}
	return report.WriteSummary(command.OutOrStdout())
}

func (o *oodResults) check() error {
	if n := len(o.outlierTruths); n > 0 && n != len(o.outliers) {
		return fmt.Errorf("%d --ood-gt for %d --ood: give one for each, or none", n, len(o.outliers))
	}
	if n := len(o.features); n > 0 && n != 1+len(o.outliers) {
		return fmt.Errorf("%d --features for --id and %d --ood: give one for each, or none", n, len(o.outliers))
	}
	if err := o.bootstrap.Check(); err != nil {
		return fmt.Errorf("--bootstrap: %w", err)
	}
	seen := map[string]bool{}
	for _, outliers := range o.outliers {
		name, path := data.CutName(outliers)
		if name = cmp.Or(name, path); seen[name] {
			return fmt.Errorf("%s is given twice: leave one out, or give it another name", name)
		}
		seen[name] = true
	}
	_, err := posthoc.Resolve(o.scores)
	return err
}

// check checks the number of logits, and gives every detection the score confidence.
func (f *resultFile) check(classes int) error {
	columns := -1
	for i := range f.Detections {
		d := &f.Detections[i]
		switch n := len(d.Logits); {
		case columns >= 0 && n != columns:
			return fmt.Errorf("%s: detection %d has %d logits, those before have %d", f.path, i, n, columns)
		case n != 0 && n != classes && n != classes+1:
			return fmt.Errorf("%s: detection %d has %d logits, want one for each of %d classes, and perhaps one for the background", f.path, i, n, classes)
		}
		columns = len(d.Logits)
		if d.Scores == nil {
			d.Scores = map[string]float64{}
		}
		if _, own := d.Scores[confidence]; !own {
			d.Scores[confidence] = d.Score
		}
	}
	f.columns = columns
	if columns != classes {
		return nil
	}
	// Without the logit of the background, the probability of the proposal is unknown.
	f.logits = mat.NewDense(len(f.Detections), classes, nil)
	for i := range f.Detections {
		f.logits.SetRow(i, f.Detections[i].Logits)
		f.Detections[i].Logits = nil
	}
	return nil
}

// sameLogits returns an error if some files have the logit of the background, which decides which
// detections count, and some do not.
func sameLogits(files []*resultFile, classes int) error {
	for _, f := range files {
		if f.columns <= classes {
			continue
		}
		for _, other := range files {
			if other.columns >= 0 && other.columns <= classes {
				has := "none"
				if other.columns > 0 {
					has = fmt.Sprint(other.columns)
				}
				return fmt.Errorf("%s: the detections have %d logits, those of %s have %s: there are %d classes; give the logit of the background in all files, or in none",
					f.path, f.columns, other.path, has, classes)
			}
		}
	}
	return nil
}

// imagesAlone returns annotations without objects that list the images with detections, for
// intervals.
func (f *resultFile) imagesAlone(categories []eval.Category) *eval.Annotations {
	a := &eval.Annotations{Categories: categories}
	seen := map[data.ID]bool{}
	for _, d := range f.Detections {
		if !seen[d.ImageID] {
			seen[d.ImageID] = true
			a.ImageIDs = append(a.ImageIDs, d.ImageID)
		}
	}
	return a
}

func (f *resultFile) readFeatures(path string, classes int) error {
	table, err := features.Read(path)
	if err != nil {
		return err
	}
	if table.NumClasses != classes {
		return fmt.Errorf("%s: %d classes, but the annotations have %d", path, table.NumClasses, classes)
	}
	if table.Detections == nil && table.Len() != len(f.Detections) {
		return fmt.Errorf("%s: %d rows for %d detections in %s: give one for each, or add the member detections, which says whose they are", path, table.Len(), len(f.Detections), f.path)
	}
	for row := range table.Len() {
		entry := row
		if table.Detections != nil {
			entry = table.Detections[row]
		}
		if entry >= len(f.Detections) {
			return fmt.Errorf("%s: row %d is of detection %d, but %s has %d", path, row, entry, f.path, len(f.Detections))
		}
		if id := f.Detections[entry].ImageID; table.ImageIDs != nil && id.String() != fmt.Sprint(table.ImageIDs[row]) {
			return fmt.Errorf("%s: row %d is of image %d, but detection %d in %s of image %v", path, row, table.ImageIDs[row], entry, f.path, id)
		}
	}
	f.table = table
	return nil
}

func (o *oodResults) addScores(report *eval.Report, files []*resultFile) error {
	names, err := posthoc.Resolve(o.scores)
	if err != nil {
		return err
	}
	classes := len(files[0].Annotations.Categories)
	inliers := score.Features{From: "the training set (none was given)", Classes: classes}
	var layer score.Layer
	var origin string
	for _, f := range files {
		if err := oneLayer(&layer, &origin, f.table); err != nil {
			return err
		}
	}
	if o.fit != "" {
		fit, err := features.Read(o.fit)
		if err != nil {
			return err
		}
		if fit.NumClasses != classes {
			return fmt.Errorf("%s: %d classes, but the annotations have %d", o.fit, fit.NumClasses, classes)
		}
		inliers = fit.Rows()
		if err := oneLayer(&layer, &origin, fit); err != nil {
			return err
		}
	}
	fitted, err := posthoc.Fit(names, inliers, layer)
	if err != nil {
		return err
	}
	fitted.Replace = len(o.features) > 0
	filter := eval.ByOwnScore
	for _, f := range files {
		if len(f.Detections) > 0 && f.Detections[0].Logits != nil {
			filter = eval.ByProposal
		}
	}
	for _, f := range files {
		entries, err := filter.Entries(f.Detections, *report.ScoreThreshold)
		if err != nil {
			return fmt.Errorf("%s: %w", f.path, err)
		}
		counting := make([]eval.Detection, len(entries))
		for i, entry := range entries {
			counting[i] = f.Detections[entry] // the copy shares the map of scores
		}
		rows, err := f.rows(counting, entries, classes)
		if err != nil {
			return err
		}
		if err := fitted.Score(counting, rows); err != nil {
			return err
		}
	}
	report.NotMeasured = fitted.NotMeasured
	return nil
}

// oneLayer takes the class layer of a table. The layer identifies the weights of the detector, so a
// different layer from another file is an error.
func oneLayer(layer *score.Layer, origin *string, t *features.Table) error {
	if t == nil || t.W == nil {
		return nil
	}
	own := t.Layer()
	if layer.W != nil && !(mat.Equal(layer.W, own.W) && slices.Equal(layer.B, own.B)) {
		return fmt.Errorf("%s and %s have different class layers (W, b), so they come from different weights: compute all features with one detector", *origin, t.From)
	}
	if layer.W == nil {
		*layer, *origin = own, t.From
	}
	return nil
}

// rows returns the counting detections in the form of package score.
func (f *resultFile) rows(counting []eval.Detection, entries []int, classes int) (score.Features, error) {
	rows := posthoc.Rows(f.path, counting, classes)
	if len(entries) == 0 {
		return rows, nil
	}
	if f.logits != nil {
		rows.Logits = mat.NewDense(len(entries), classes, nil)
		for i, entry := range entries {
			rows.Logits.SetRow(i, f.logits.RawRowView(entry))
		}
	}
	if f.table == nil {
		return rows, nil
	}
	at := map[int]int{} // row of the table of each entry
	for row := range f.table.Len() {
		if f.table.Detections == nil {
			at[row] = row
		} else {
			at[f.table.Detections[row]] = row
		}
	}
	whole := f.table.Rows()
	pick := func(m *mat.Dense) (*mat.Dense, error) {
		if m == nil {
			return nil, nil
		}
		part := mat.NewDense(len(entries), m.RawMatrix().Cols, nil)
		for i, entry := range entries {
			row, ok := at[entry]
			if !ok {
				return nil, fmt.Errorf("%s: no row for detection %d of %s, which reaches the score threshold", f.table.From, entry, f.path)
			}
			part.SetRow(i, m.RawRowView(row))
		}
		return part, nil
	}
	var err error
	if rows.X, err = pick(whole.X); err != nil {
		return rows, err
	}
	if rows.Logits == nil {
		rows.Logits, err = pick(whole.Logits)
	}
	return rows, err
}

// save writes the files of the report, if asked for.
func (o *oodResults) save(report *eval.Report) error {
	if o.out == "" {
		return nil
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		return err
	}
	return errors.Join(
		report.Save(filepath.Join(o.out, "metrics.json")),
		report.SaveMarkdown(filepath.Join(o.out, "metrics.md")),
		report.SaveTables(filepath.Join(o.out, "tables")))
}
