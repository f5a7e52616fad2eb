package explore

import (
	"context"
	"os"
	"os/signal"
	"slices"

	"ffslab/ffs/config"
	"ffslab/ffs/run"
)

// methods are the runs that notebook 02 trains, the one that the notebooks explore first.
var methods = []string{"flow", "none"}

// Steps of each of the two runs: as many as let all notebooks end in 20 minutes, and in 4 in a quick session, on two CPU cores.
const (
	fullSteps  = 1300
	quickSteps = 40
)

// configure returns the configuration of a run that notebook 02 trains.
func (s *Session) configure(method string) (config.Config, error) {
	c := s.options.Preset
	c.Model.Outlier.Method = method
	steps := fullSteps
	if s.Quick {
		steps = quickSteps
	}
	shorten(&c, steps)
	s.chooseData(&c.Data)
	return c, c.Validate()
}

// shorten scales a schedule to fewer steps. The warm-up keeps its length as long as it fits.
func shorten(c *config.Config, steps int) {
	t := &c.Train
	if steps >= t.MaxIter {
		return
	}
	scaled := func(step int) int { return step * steps / t.MaxIter }
	t.Steps = slices.Clone(t.Steps)
	for i, step := range t.Steps {
		t.Steps[i] = scaled(step)
	}
	c.Model.Outlier.StartIter = scaled(c.Model.Outlier.StartIter)
	if steps < t.WarmupIters { // the rate rises no faster, or the first steps may diverge
		t.BaseLR *= float64(steps) / float64(t.WarmupIters)
		t.WarmupIters = steps
	}
	t.CheckpointEvery = max(1, min(t.CheckpointEvery, steps/4))
	t.MaxIter = steps
}

// Train trains the run of the method (flow or none) with live curves, or continues it, or, if it is finished, shows its curves at once. Interrupting
// the cell saves a checkpoint, from which the next call goes on. A session that looks at a given run has nothing to train ([viz.ErrNothing]).
func (s *Session) Train(method string) error {
	if s.Given() {
		return nothing("the run %s was given: nothing is trained", s.options.Run)
	}
	c, err := s.configure(method)
	if err != nil {
		return err
	}
	return s.train(method, method, c)
}

// interruptible returns a context that ends when the cell is interrupted (the stop button).
func interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt)
}

// openRun makes the folder of a run, or opens the one that is there if it is of the same configuration.
func (s *Session) openRun(method string, c config.Config) (*run.Run, error) {
	c.Origin = config.Origin{Command: "notebooks/02_training.ipynb", Commit: run.Commit()}
	return run.Continue(s.runDir(method), c)
}
