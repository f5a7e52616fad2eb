package protocol

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/eval/posthoc"
	"ffslab/ffs/features"
	"ffslab/ffs/infer"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/ffs/outlier"
)

// FitLimit is the default number of annotated objects of the training set that scores are fitted
// on. It is approximate.
const FitLimit = 5000

// fitProbability is the least probability of the detections that scores are fitted on: most of them
// are right, and every class of a trained detector has some. Tests lower it.
var fitProbability = 0.5

// fitFile holds the features that scores are fitted on, in the folder of the results. fitFile +
// ".json" says what they were made from.
const fitFile = "fit.npz"

type measured struct {
	set     *data.Dataset
	results *eval.Results
}

// addScores adds the requested scores to the detections that count, in memory and in the results
// files, and to the report which scores do not apply.
func (o Options) addScores(ctx context.Context, identity infer.Identity, report *eval.Report, ids []data.ID, sets []measured) error {
	names, err := posthoc.Resolve(o.Scores)
	if err != nil {
		return err
	}
	fit, err := o.fitTable(ctx, identity)
	if err != nil {
		return err
	}
	fitted, err := posthoc.Fit(names, fit.Rows(), fit.Layer())
	if err != nil {
		return err
	}
	for _, m := range sets {
		if err := o.addScoresTo(ctx, identity, fitted, *report.ScoreThreshold, ids, m); err != nil {
			return fmt.Errorf("%s: %w", m.set.Name, err)
		}
	}
	inlier, err := eval.ByProposal.Keep(sets[0].results.Detections, *report.ScoreThreshold)
	if err != nil {
		return err
	}
	report.Synthetic, err = o.synthetic(ctx, fitted, fit, inlier)
	report.NotMeasured, report.FittedOn, report.FittedOnDetections = fitted.NotMeasured, o.fittedOn(fit), o.FitDetections
	return err
}

// tooManyFeatures is the error if the features of the detections that count take more than
// maxFeatureBytes, so that post-hoc scores cannot be computed.
type tooManyFeatures string

func (e tooManyFeatures) Error() string { return string(e) }

// leaveScoresOut continues with the model's own scores, for the given reason.
func (o Options) leaveScoresOut(report *eval.Report, sets []measured, reason string) error {
	o.Note(reason + ": the post-hoc scores are left out")
	names, err := posthoc.Resolve(o.Scores)
	if err != nil {
		return err
	}
	report.NotMeasured = map[string]string{}
	for _, name := range names {
		if name != "msp" && !slices.Contains(o.Model.ScoreNames(), name) { // msp needs only logits
			report.NotMeasured[name] = reason
		}
	}
	for _, m := range sets {
		o.forgetScores(m.results.Detections)
	}
	return nil
}

// addScoresTo scores the detections of a set that count.
func (o Options) addScoresTo(ctx context.Context, identity infer.Identity, fitted *posthoc.Fitted, threshold float64, ids []data.ID, m measured) error {
	detections := m.results.Detections
	entries, err := eval.ByProposal.Entries(detections, threshold)
	if err != nil {
		return err
	}
	table, err := o.countingFeatures(ctx, identity, ids, m, entries)
	if err != nil {
		return err
	}
	o.forgetScores(detections)
	counting := make([]eval.Detection, len(entries))
	for i, entry := range entries {
		counting[i] = detections[entry]
	}
	const block = 4096 // rows to hold in float64 at a time
	for from := 0; from < len(entries); from += block {
		to := min(from+block, len(entries))
		rows := table.Slice(from, to).Rows()
		rows.From = m.set.Name
		if err := fitted.Score(counting[from:to], rows); err != nil {
			return err
		}
	}
	for i, entry := range entries {
		detections[entry] = counting[i]
	}
	folder := filepath.Join(o.Out, FolderName(m.set.Label()))
	if err := eval.WriteDetections(filepath.Join(folder, detectionsFile), detections); err != nil {
		return err
	}
	from, err := sourceOf(identity, m.set, ids)
	if err != nil {
		return err
	}
	return from.save(folder)
}

// forgetScores removes all scores but the model's own. Those of an earlier evaluation may have been
// fitted on something else.
func (o Options) forgetScores(detections []eval.Detection) {
	own := o.Model.ScoreNames()
	for _, d := range detections {
		maps.DeleteFunc(d.Scores, func(name string, _ float64) bool { return !slices.Contains(own, name) })
	}
}

// countingFeatures returns the features of the detections that count, given by entries, and stores
// them in the folder of the set. If other features are stored there, the model runs again.
func (o Options) countingFeatures(ctx context.Context, identity infer.Identity, ids []data.ID, m measured, entries []int) (*features.Table, error) {
	folder := filepath.Join(o.Out, FolderName(m.set.Label()))
	path := filepath.Join(folder, featuresFile)
	if exists(folder, featuresFile) {
		table, err := features.Read(path)
		if err == nil && slices.Equal(table.Detections, entries) {
			return table, nil
		}
		if err != nil {
			o.Note(fmt.Sprintf("%v: it is made again", err))
		} else if !exists(folder, allFeaturesFile) {
			o.Note(fmt.Sprintf("%s: other detections count than in an earlier evaluation: the model runs again for their features", m.set.Name))
		}
	}
	if !exists(folder, allFeaturesFile) {
		if err := forget(folder, sourceFile, recordFile, featuresFile); err != nil {
			return nil, err
		}
		if _, err := o.detect(ctx, identity, m.set, ids); err != nil {
			return nil, err
		}
	}
	if size := 4 * o.Model.Config.Model.ROI.FeatureDim() * len(entries); size > keptBytes {
		return nil, tooManyFeatures(fmt.Sprintf("the features of %d detections that count in %s take %d MiB, more than %d", len(entries), m.set.Name, size>>20, keptBytes>>20))
	}
	file, err := openFeatureFile(folder, o.Model.Config.Model.ROI.FeatureDim(), len(m.set.Images))
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.close() }() // after an error; the end closes it too
	detections := m.results.Detections
	images, at := file.places(m.set, detections)
	beyond := map[int][]int{} // entries whose features are not stored, by image
	for _, entry := range entries {
		if at[entry] < 0 {
			beyond[images[entry]] = append(beyond[images[entry]], entry)
		}
	}
	again, err := o.featuresAgain(ctx, ids, m, beyond)
	if err != nil {
		return nil, err
	}
	table, err := DetectionTable(o.Model, m.set.Name, detections, entries, ids, func(entry int) ([]float32, error) {
		if at[entry] < 0 {
			return again[entry], nil
		}
		return file.row(images[entry], at[entry])
	})
	if err != nil {
		return nil, err
	}
	if err := table.Write(path); err != nil {
		return nil, err
	}
	return table, errors.Join(file.close(), forget(folder, allFeaturesFile))
}

// featuresAgain runs the model again on the images of which fewer features are stored than
// detections count, and returns the features of the wanted entries.
func (o Options) featuresAgain(ctx context.Context, ids []data.ID, m measured, wanted map[int][]int) (map[int][]float32, error) {
	rows := map[int][]float32{}
	if len(wanted) == 0 {
		return rows, nil
	}
	done := map[int]bool{}
	for i := range m.set.Images {
		done[i] = wanted[i] == nil
	}
	first := map[data.ID]int{} // entry of an image's first detection
	for i := range m.results.Detections {
		if id := m.results.Detections[i].ImageID; i == 0 || m.results.Detections[i-1].ImageID != id {
			first[id] = i
		}
	}
	return rows, o.Model.DetectRemaining(ctx, m.set, ids, done, func(batch []infer.ImageDetections) error {
		for _, found := range batch {
			id := m.set.Images[found.Index].ID
			for _, entry := range wanted[found.Index] {
				i := entry - first[id]
				if i >= len(found.Detections) || math.Abs(found.Detections[i].Score-m.results.Detections[entry].Score) > 1e-3 {
					return fmt.Errorf("image %v: the model does not find detection %d again: remove %s to detect again", id, i, filepath.Join(o.Out, FolderName(m.set.Label()), sourceFile))
				}
				rows[entry] = slices.Clone(found.Features[i])
			}
		}
		return nil
	})
}

// fitRecord is the content of fit.npz.json.
type fitRecord struct {
	MadeFrom source `json:"made_from"`
	Objects  string `json:"objects"` // SHA-256 of the annotations, which have the boxes of the features
	Limit    int    `json:"limit"`
	// Detections says that the rows are detections, not annotated objects.
	Detections bool `json:"detections,omitempty"`
}

// sameObjects reports whether other holds the features of the same objects by the same weights,
// whatever code and backend computed them. Settings of the suppression change detections only.
func (r fitRecord) sameObjects(other fitRecord) bool {
	for _, m := range []*source{&r.MadeFrom, &other.MadeFrom} {
		m.Backend, m.Code = "", ""
		if !r.Detections {
			m.Settings = ""
		}
	}
	return r == other
}

// fitTable returns the features that scores are fitted on. It uses those in the folder of the
// results if they are from the same model and set, and those of an earlier evaluation if they are
// of the same weights and objects. Without a training set it has no rows.
func (o Options) fitTable(ctx context.Context, identity infer.Identity) (*features.Table, error) {
	if o.Train == nil {
		return newTable(o.Model, "the training set (none was given)")
	}
	limit := o.FitLimit
	if limit == 0 {
		limit = FitLimit
	}
	from, err := sourceOf(identity, o.Train, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.Train.Name, err)
	}
	here := fitRecord{from, annotationsDigest(o.Train), limit, o.FitDetections}
	path := filepath.Join(o.Out, fitFile)
	if table := readFit(path, func(there fitRecord) bool { return there == here }); table != nil {
		return table, nil
	}
	if o.Earlier != "" {
		if table := readFit(filepath.Join(o.Earlier, fitFile), here.sameObjects); table != nil {
			return table, nil
		}
	}
	table, err := o.makeFitTable(ctx, limit)
	if err != nil {
		return nil, err
	}
	if err := forget(o.Out, fitFile+".json"); err != nil {
		return nil, err
	}
	if err := table.Write(path); err != nil {
		return nil, err
	}
	return table, jsonfile.Write(path+".json", here)
}

// readFit reads features at path whose record is accepted; it returns nil for others, and for a
// damaged file, which is made again.
func readFit(path string, accept func(fitRecord) bool) *features.Table {
	var there fitRecord
	if jsonfile.Read(path+".json", &there) != nil || !accept(there) {
		return nil
	}
	table, err := features.Read(path)
	if err != nil {
		return nil
	}
	return table
}

// fittedOn says what scores are fitted on, "" without a training set.
func (o Options) fittedOn(fit *features.Table) string {
	switch {
	case o.Train == nil:
		return ""
	case o.FitDetections:
		return fmt.Sprintf("%d detections in %s", fit.Len(), o.Train.Name)
	}
	return fmt.Sprintf("%d annotated objects of %s", fit.Len(), o.Train.Name)
}

func (o Options) makeFitTable(ctx context.Context, limit int) (*features.Table, error) {
	if !o.FitDetections {
		o.Note(fmt.Sprintf("%s: features of %s, to fit scores on", o.Train.Name, fitCount(o.Train, limit)))
		return ObjectTable(ctx, o.Model, o.Train, limit)
	}
	o.Note(fmt.Sprintf("%s: features of detections in the images of %s, to fit scores on", o.Train.Name, fitCount(o.Train, limit)))
	table, _, err := DetectedTable(ctx, o.Model, spread(o.Train, limit), fitProbability, o.Progress)
	return table, err
}

// fitCount says how many objects of a set [ObjectTable] takes.
func fitCount(set *data.Dataset, limit int) string {
	total := totalObjects(set)
	switch {
	case limit > 0 && total > limit:
		return fmt.Sprintf("about %d of %d objects", limit, total)
	case total == 1:
		return "1 object"
	}
	return fmt.Sprintf("%d objects", total)
}

// FitOne fits a post-hoc score on the features that an evaluation of the same weights left in the
// folder out. It is an error if there are none, and an [OtherWeightsError] if other weights made
// them.
func FitOne(m *infer.Model, out, name string) (*posthoc.Fitted, error) {
	identity, err := m.Identity()
	if err != nil {
		return nil, err
	}
	path := filepath.Join(out, fitFile)
	var there fitRecord
	if err := jsonfile.Read(path+".json", &there); err != nil {
		return nil, fmt.Errorf("%s: no features to fit %s on: evaluate the run with this score first: %w", path, name, err)
	}
	if of := there.MadeFrom; of.Parameters != identity.Parameters {
		return nil, &OtherWeightsError{path, &eval.Subject{Step: of.Step, Weights: of.Parameters}, identity.Step, identity.Parameters}
	}
	table, err := features.Read(path)
	if err != nil {
		return nil, err
	}
	fitted, err := posthoc.Fit([]string{name}, table.Rows(), table.Layer())
	if err != nil {
		return nil, err
	}
	if why := fitted.NotMeasured[name]; why != "" {
		return nil, fmt.Errorf("%s: %s", name, why)
	}
	return fitted, nil
}

// ScoreImage adds a score to the detections of an image, whose categories are [ClassIDs].
func ScoreImage(m *infer.Model, fitted *posthoc.Fitted, from string, image infer.ImageDetections) error {
	table, err := wholeTable(m, from, image.Detections, image.Features)
	if err != nil {
		return err
	}
	return fitted.Score(image.Detections, table.Rows())
}

// syntheticOutliers is the largest number of synthetic outliers that scores are compared on. Each
// is selected from model.outlier.sample_from draws.
const syntheticOutliers = 100

// synthetic returns the AUROC of every score between detections and synthetic outliers of the run's
// own method, made from seed 0. It returns nil if the model has no flow, or if the method needs
// inliers and there are none.
func (o Options) synthetic(ctx context.Context, fitted *posthoc.Fitted, fit *features.Table, inlier []eval.Detection) (map[string]float64, error) {
	if !o.Model.HasFlow() || len(inlier) == 0 {
		return nil, nil
	}
	made, keep, err := o.synthesise(ctx, fit)
	if errors.Is(err, infer.ErrNotReady) {
		return nil, nil
	}
	if err != nil || made == nil {
		return nil, err
	}
	t, err := newTable(o.Model, "synthetic outliers")
	if err != nil {
		return nil, err
	}
	var outliers []eval.Detection
	for i, kept := range made.Outliers(keep) {
		if !kept {
			continue
		}
		x := made.Features[i]
		t.Features.Append(x)
		t.Logits.Append(logits(t, x))
		t.Classes = append(t.Classes, 0)
		own := o.Model.ScoresByName(made.Scores[i])
		for name, value := range own {
			t.Named[name] = append(t.Named[name], value)
		}
		outliers = append(outliers, eval.Detection{Scores: own})
	}
	if len(outliers) == 0 {
		return nil, nil
	}
	rows := t.Rows()
	rows.Labels = nil
	if err := fitted.Score(outliers, rows); err != nil {
		return nil, err
	}
	found := map[string]float64{}
	for name := range outliers[0].Scores {
		separation, err := eval.SeparateBy(name, inlier, outliers)
		if err != nil {
			return nil, err
		}
		if separation != nil {
			found[name] = separation.AUROC
		}
	}
	return found, nil
}

// synthesise draws synthetic outliers by the run's own method and says how many of them to keep. It
// returns nil if the method needs inliers and there are none.
func (o Options) synthesise(ctx context.Context, fit *features.Table) (made *infer.Synthesis, keep int, err error) {
	c := o.Model.Config.Model.Outlier
	method, err := outlier.Lookup(c.Method)
	if err != nil {
		return nil, 0, err
	}
	if !method.FromNoise {
		if fit.Len() == 0 {
			return nil, 0, nil
		}
		inliers, classes := make([][]float32, min(fit.Len(), 1000)), []int{}
		for i := range inliers {
			row := i * fit.Len() / len(inliers)
			inliers[i], classes = fit.Features.Row(row), append(classes, fit.Classes[row])
		}
		if err := o.Model.SetInliers(inliers, classes); err != nil {
			return nil, 0, err
		}
	}
	draws := syntheticOutliers
	if c.Method == outlier.MethodFlow {
		draws *= c.SampleFrom
	}
	made, err = o.Model.Draw(ctx, c.Method, draws, 1, 0)
	return made, c.Select * syntheticOutliers, err
}
