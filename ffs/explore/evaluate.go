package explore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"ffslab/data"
	"ffslab/ffs/protocol"
	"ffslab/viz"
	"ffslab/viz/escape"
)

// Evaluate measures every run on the inlier set and the outlier sets, by the model's own scores and
// by the named post-hoc scores ("all": all of them). It stores the results and reads them again as
// long as checkpoint and sets are unchanged and the scores are there; it also uses what "ffs eval"
// left in the run's folder. Post-hoc scores are fitted on the training set; those of runs that the
// notebooks train on its first images only, if the session is quick or explores the zoo.
func (s *Session) Evaluate(scores ...string) ([]*protocol.Evaluation, error) {
	runs, err := s.Runs()
	if err != nil {
		return nil, err
	}
	sets, err := s.measuredSets()
	if err != nil {
		return nil, err
	}
	var training *data.Dataset
	if len(scores) > 0 {
		if training, err = s.TrainingSet(); err != nil && !errors.Is(err, viz.ErrNothing) {
			return nil, err
		}
	}
	ctx, stop := interruptible()
	defer stop()
	evaluations := make([]*protocol.Evaluation, len(runs))
	status := newStatus()
	for i, r := range runs {
		fitting := s.few(training)
		if len(s.options.Trained) > 0 && s.workDir(r) != r.Dir {
			fitting = training // whose features come with the zoo's detectors
		}
		evaluations[i], err = protocol.EvaluateRun(ctx, protocol.EvaluationOptions{
			Run: r, Sets: sets, Scores: scores, Train: fitting, Out: filepath.Join(s.workDir(r), "eval"), Earlier: r.Path("eval"), Backend: s.backend,
			Progress: func(set string, done, total int) {
				status.say(fmt.Sprintf("run %s: %s, %d of %d images", r.Name, set, done, total), done == total)
			},
			Note: func(message string) { escape.Fprintf(os.Stdout, "run %s: %s\n", r.Name, message) },
		})
		if err != nil {
			return nil, fmt.Errorf("run %s: %w", r.Name, err)
		}
	}
	return evaluations, nil
}
