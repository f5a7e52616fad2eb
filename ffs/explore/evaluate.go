package explore

import (
	"fmt"
	"os"
	"path/filepath"

	"ffslab/ffs/protocol"
	"ffslab/internal/escape"
)

// Evaluate measures every run of the session on the inlier and outlier sets. The outcome is kept,
// as "ffs eval" writes it, and read again as long as checkpoint and sets are the same.
func (s *Session) Evaluate() ([]*protocol.Evaluation, error) {
	runs, err := s.Runs()
	if err != nil {
		return nil, err
	}
	sets, err := s.measuredSets()
	if err != nil {
		return nil, err
	}
	ctx, stop := interruptible()
	defer stop()
	evaluations := make([]*protocol.Evaluation, len(runs))
	for i, r := range runs {
		evaluations[i], err = protocol.EvaluateRun(ctx, protocol.EvaluationOptions{
			Run: r, Sets: sets, Out: filepath.Join(s.workDir(r), "eval"), Backend: s.backend,
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
