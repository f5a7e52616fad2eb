package protocol

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/gomlx/compute"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/eval/posthoc"
	"ffslab/ffs/infer"
	"ffslab/ffs/run"
)

// Evaluation holds the results of the protocol for one run: the report and the detections.
type Evaluation struct {
	Run    run.Named
	Report *eval.Report
	// Sets are the inlier set and the outlier sets; Detections are all detections on each, whatever
	// their probability.
	Sets       []*data.Dataset
	Detections [][]eval.Detection
}

// EvaluationOptions say what [EvaluateRun] measures.
type EvaluationOptions struct {
	Run run.Named
	// Sets are the inlier set, with the run's classes, followed by the outlier sets.
	Sets []*data.Dataset
	// Scores are the post-hoc scores to add, fitted on Train (see Options); nil for none.
	Scores []string
	Train  *data.Dataset
	// Out is the folder of the results. Earlier is another one that may hold them, or a part that
	// can be used, such as that of "ffs eval"; it is only read. Empty means none.
	Out, Earlier string
	// Backend is called if anything has to be computed.
	Backend func() (compute.Backend, error)
	// Progress, if not nil, is called with the number of images of a set that are done.
	Progress func(set string, done, total int)
	// Note, if not nil, is called with messages that deserve attention (see Options).
	Note func(message string)
}

// EvaluateRun measures the newest checkpoint of a run by the protocol. It stores the results in
// Out, as "ffs eval" does, and returns stored results if checkpoint and sets are unchanged.
func EvaluateRun(ctx context.Context, o EvaluationOptions) (*Evaluation, error) {
	source, err := ProvenanceOf(o.Run.Run, 0, o.Sets...)
	if err != nil {
		return nil, err
	}
	for _, folder := range []string{o.Out, o.Earlier} {
		if folder == "" || !source.Matches(filepath.Join(folder, sourceFile)) {
			continue
		}
		// "ffs eval" may have measured other sets or weights there since.
		if e, err := ReadEvaluation(o.Run, o.Sets, folder); err == nil && e.Report.Subject != nil && e.Report.Subject.Weights == source.Weights && e.complete(o.Scores) {
			return e, nil
		}
	}
	if err := o.measure(ctx); err != nil {
		return nil, err
	}
	return ReadEvaluation(o.Run, o.Sets, o.Out)
}

// measure runs the protocol on the newest checkpoint of the run.
func (o EvaluationOptions) measure(ctx context.Context) error {
	backend, err := o.Backend()
	if err != nil {
		return err
	}
	model, err := infer.Open(backend, o.Run.Dir)
	if err != nil {
		return err
	}
	defer model.Close()
	if o.Note != nil {
		for _, note := range model.Checkpoint.Notes {
			o.Note(note)
		}
	}
	_, err = Run(ctx, Options{
		Model: model, RunName: o.Run.Name, RunDir: o.Run.Dir, Inlier: o.Sets[0], Outliers: o.Sets[1:], Scores: o.Scores, Train: o.Train,
		Out: o.Out, Earlier: o.Earlier, Progress: o.Progress, Note: o.Note, wait: true,
	})
	return err
}

// ReadEvaluation reads the results of "ffs eval" in the folder out, for a run and the inlier set
// and outlier sets that it was measured on.
func ReadEvaluation(r run.Named, sets []*data.Dataset, out string) (*Evaluation, error) {
	e := &Evaluation{Run: r, Sets: sets}
	var err error
	if e.Report, err = eval.ReadReport(filepath.Join(out, "metrics.json")); err != nil {
		return nil, err
	}
	for _, set := range sets {
		results, err := Load(out, set)
		if err != nil {
			return nil, err
		}
		e.Detections = append(e.Detections, results.Detections)
	}
	return e, nil
}

// complete reports whether the report covers the outlier sets and the scores, fitted on annotated
// objects, as far as there was a score threshold to measure them with.
func (e *Evaluation) complete(scores []string) bool {
	if e.Report.ScoreThreshold == nil {
		return true
	}
	for _, set := range e.Sets[1:] {
		if e.Report.Outliers[set.Name] == nil {
			return false
		}
	}
	names, err := posthoc.Resolve(scores)
	if err != nil || len(names) > 0 && e.Report.FittedOnDetections { // runs are compared by one way of fitting
		return false // Run reports the error
	}
	measured := e.Report.MeasuredScores()
	for _, name := range names {
		if _, reason := e.Report.NotMeasured[name]; !reason && !slices.Contains(measured, name) && len(e.Sets) > 1 {
			return false
		}
	}
	return len(e.Report.Outliers) == len(e.Sets)-1
}

// threshold returns the score from which detections count: the one that maximises F1 on the inlier
// set, or [defaultScore] if there is none.
func (e *Evaluation) threshold() float64 {
	if e.Report.ScoreThreshold != nil {
		return *e.Report.ScoreThreshold
	}
	return defaultScore
}

// Kept returns the detections that count, by the original's filter, of a set given by its index in
// Sets.
func (e *Evaluation) Kept(set int) ([]eval.Detection, error) {
	return eval.ByProposal.Keep(e.Detections[set], e.threshold())
}

// Scores returns an outlier score of the detections of a set that count; higher means more inlier.
// It returns nil if a detection lacks the score.
func (e *Evaluation) Scores(set int, name string) ([]float64, error) {
	kept, err := e.Kept(set)
	scores, _ := eval.OutlierScores(kept, name)
	return scores, err
}

// Compared returns a score of the detections that count on the inlier set and on an outlier set,
// given by its index in Sets. For a set that was measured object by object, it returns the scores
// of its known and of its unknown objects (see eval.Compared). It returns false if detections lack
// the score.
func (e *Evaluation) Compared(set int, name string) (eval.Sides, bool, error) {
	inliers, err := e.Kept(0)
	if err != nil {
		return eval.Sides{}, false, fmt.Errorf("%s: %w", e.Sets[0].Name, err)
	}
	outliers, err := e.Kept(set)
	if err != nil {
		return eval.Sides{}, false, fmt.Errorf("%s: %w", e.Sets[set].Name, err)
	}
	annotations := Annotations(e.Sets[set])
	if outcome := e.Report.Outliers[e.Sets[set].Name]; outcome != nil && outcome.Protocol == eval.ByObjects {
		annotations = unknownIn(e.Sets[set], e.Sets[0])
	}
	sides, ok := eval.Compared(eval.Results{Annotations: Annotations(e.Sets[0]), Detections: inliers},
		eval.Results{Annotations: annotations, Detections: outliers}, name)
	return sides, ok, nil
}

// Thresholds returns the score threshold of the evaluation, and the energy that 95 % of the inlier
// set's detections reach.
func (e *Evaluation) Thresholds() (Thresholds, error) {
	t := Thresholds{Score: e.threshold()}
	energies, err := e.Scores(0, "energy")
	if err != nil || len(energies) == 0 {
		return t, err
	}
	energy, err := eval.ThresholdTPR95(energies)
	t.Energy = &energy
	return t, err
}

// Names returns the names of the model's classes by category id.
func (e *Evaluation) Names() map[data.ID]string {
	names := map[data.ID]string{}
	for _, c := range e.Sets[0].Categories {
		names[c.ID] = c.Name
	}
	return names
}
