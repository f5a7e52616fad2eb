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

// Evaluation is what the protocol found for one run: the report, and the detections behind it.
type Evaluation struct {
	Run    run.Named
	Report *eval.Report
	// Sets are the inlier set and then the outlier sets; Detections are those of each of them, of all scores.
	Sets       []*data.Dataset
	Detections [][]eval.Detection
}

// EvaluationOptions say what [EvaluateRun] measures on what.
type EvaluationOptions struct {
	Run run.Named
	// Sets are the inlier set, with the run's classes, and then the outlier sets.
	Sets []*data.Dataset
	// Scores are the post-hoc scores to add, fitted on Train (see Options); nil for none.
	Scores []string
	Train  *data.Dataset
	// Out is the folder of the results. Earlier is another one that may hold them, such as that of "ffs eval", which is only read; empty: none.
	Out, Earlier string
	// Backend is called if anything has to be computed.
	Backend func() (compute.Backend, error)
	// Progress, if not nil, is told how many images of a set are done.
	Progress func(set string, done, total int)
	// Note, if not nil, is told what deserves attention (see Options).
	Note func(message string)
}

// EvaluateRun measures the newest checkpoint of a run by the protocol. The outcome is kept in Out, as "ffs eval" writes it, and read again as long as
// checkpoint and sets are the same.
func EvaluateRun(ctx context.Context, o EvaluationOptions) (*Evaluation, error) {
	source, err := ProvenanceOf(o.Run.Run, 0, o.Sets...)
	if err != nil {
		return nil, err
	}
	for _, folder := range []string{o.Out, o.Earlier} {
		if folder == "" || !source.Matches(filepath.Join(folder, sourceFile)) {
			continue
		}
		if e, err := ReadEvaluation(o.Run, o.Sets, folder); err == nil && e.complete(o.Scores) {
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
		for _, note := range model.Weights.Notes {
			o.Note(note)
		}
	}
	_, err = Run(ctx, Options{
		Model: model, RunName: o.Run.Name, RunDir: o.Run.Dir, Inlier: o.Sets[0], Outliers: o.Sets[1:], Scores: o.Scores, Train: o.Train,
		Out: o.Out, Progress: o.Progress, Note: o.Note,
	})
	return err
}

// ReadEvaluation reads what "ffs eval" wrote into the folder out, about a run and the inlier set and outlier sets that it was measured on.
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

// complete says whether the report is about the outlier sets and the scores, as far as there was a threshold to measure them with.
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
	if err != nil {
		return false // Run says so
	}
	measured := e.Report.MeasuredScores()
	for _, name := range names {
		if _, reason := e.Report.NotMeasured[name]; !reason && !slices.Contains(measured, name) && len(e.Sets) > 1 {
			return false
		}
	}
	return len(e.Report.Outliers) == len(e.Sets)-1
}

// threshold is the score from which detections count: the one that maximises F1 on the inlier set,
// or, if nothing was found there that settles it, [defaultScore].
func (e *Evaluation) threshold() float64 {
	if e.Report.ScoreThreshold != nil {
		return *e.Report.ScoreThreshold
	}
	return defaultScore
}

// Kept are the detections of a set, by its index in Sets, that count, by the original's filter.
func (e *Evaluation) Kept(set int) ([]eval.Detection, error) {
	return eval.ByProposal.Keep(e.Detections[set], e.threshold())
}

// Scores are an outlier score of the detections of a set that count; higher means more inlier. They
// are empty where the detections do not carry the score.
func (e *Evaluation) Scores(set int, name string) ([]float64, error) {
	kept, err := e.Kept(set)
	if err != nil {
		return nil, err
	}
	var scores []float64
	for _, d := range kept {
		score, ok := d.OutlierScore(name)
		if !ok {
			return nil, nil
		}
		scores = append(scores, score)
	}
	return scores, nil
}

// Compared returns a score of the detections that count, on the inlier set and on an outlier set by
// its index in Sets, or, if that was measured object by object, on its known and on its unknown
// objects (see eval.Compared). It is false where they lack the score.
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

// Thresholds are those of the evaluation: the score threshold, and the energy that 95 % of the
// inlier set's detections reach.
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

// Names are the names of the model's classes, by their category ids.
func (e *Evaluation) Names() map[data.ID]string {
	names := map[data.ID]string{}
	for _, c := range e.Sets[0].Categories {
		names[c.ID] = c.Name
	}
	return names
}
