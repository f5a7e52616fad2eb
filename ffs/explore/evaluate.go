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

// Evaluate measures every run of the session on the inlier and outlier sets, by the model's own scores and by the post-hoc scores of these names, or "all",
// fitted on the runs' training set. The outcome is kept, as "ffs eval" writes it, and read again as long as checkpoint and sets are the
// same and the scores are there.
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
	for i, r := range runs {
		evaluations[i], err = protocol.EvaluateRun(ctx, protocol.EvaluationOptions{
			Run: r, Sets: sets, Scores: scores, Train: s.few(training), Out: filepath.Join(s.workDir(r), "eval"), Backend: s.backend,
			Progress: func(set string, done, total int) {
				if done == total {
					escape.Fprintf(os.Stdout, "run %s: %s, %d pictures\n", r.Name, set, total)
				}
			},
			Note: func(message string) { escape.Fprintf(os.Stdout, "run %s: %s\n", r.Name, message) },
		})
		if err != nil {
			return nil, fmt.Errorf("run %s: %w", r.Name, err)
		}
	}
	return evaluations, nil
}
