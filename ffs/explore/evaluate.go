package explore

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"

	"ffslab/data"
	"ffslab/ffs/protocol"
	"ffslab/ffs/run"
	"ffslab/viz"
	"ffslab/viz/escape"
)

// Evaluate measures every run of the session on the inlier and outlier sets, by the model's own scores and by the post-hoc scores of these names, or "all",
// fitted on the runs' training set. The outcome is kept, as "ffs eval" writes it, and read again as long as checkpoint and sets are the
// same and the scores are there; so is that which "ffs eval" has left in the run's folder.
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
	fitting := s.few(training)
	if len(s.options.Trained) > 0 {
		fitting = training // whose features come with the detectors
	}
	status := newStatus()
	for i, r := range runs {
		out := filepath.Join(s.workDir(r), "eval")
		if err := takeFit(r, out); err != nil {
			return nil, err
		}
		evaluations[i], err = protocol.EvaluateRun(ctx, protocol.EvaluationOptions{
			Run: r, Sets: sets, Scores: scores, Train: fitting, Out: out, Earlier: r.Path("eval"), Backend: s.backend,
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

// takeFit copies the features of training objects that "ffs eval" has left in the run's folder to out, the
// folder of an evaluation of the session, so that they are not computed again. Whether they belong to
// the weights and the set is seen when they are used.
func takeFit(r run.Named, out string) error {
	from := r.Path("eval")
	if from == out {
		return nil
	}
	for _, name := range []string{"fit.npz", "fit.npz.json"} {
		if _, err := os.Stat(filepath.Join(out, name)); err == nil {
			return nil
		}
		content, err := os.ReadFile(filepath.Join(from, name))
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := os.MkdirAll(out, 0o755); err != nil {
			return err
		}
		if err := renameio.WriteFile(filepath.Join(out, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}
