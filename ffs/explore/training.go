package explore

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"

	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/config"
	"ffslab/ffs/detector"
	"ffslab/ffs/nn"
	"ffslab/ffs/run"
)

// methods are the runs that notebook 02 trains, the one that the notebooks explore first.
var methods = []string{"flow", "none"}

// Steps of each of the two runs: as many as let all notebooks end in 20 minutes, and in 4 in a quick
// session, on two CPU cores; and of the training that is shown where detectors of the zoo are explored.
const (
	fullSteps      = 1300
	quickSteps     = 40
	shownSteps     = 250
	shownStepQuick = 50
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

// Train trains the run of the method (flow or none) with live curves, or continues it, or, if it is
// finished, shows its curves at once. Interrupting the cell saves a checkpoint, from which the next call
// goes on. A session that looks at the zoo trains the first steps of one run only, to show them; one
// that looks at a given run has nothing to train ([viz.ErrNothing]).
func (s *Session) Train(method string) error {
	if len(s.options.Trained) > 0 && method != methods[0] {
		return nothing("the zoo has a run of the method %s, trained to the end: nothing is trained", method)
	}
	if s.Given() {
		return nothing("the run %s was given: nothing is trained", s.options.Run)
	}
	c, err := s.configure(method)
	if err != nil {
		return err
	}
	folder := method
	if len(s.options.Trained) > 0 {
		folder += "-begun"
		steps := shownSteps
		if s.Quick {
			steps = shownStepQuick
		}
		c = s.options.Preset
		c.Model.Outlier.Method = method
		shorten(&c, steps)
		fmt.Printf("the first %d steps of %d; the notebooks after this one explore detectors that were trained to the end\n", steps, s.options.Preset.Train.MaxIter)
	}
	return s.train(folder, method, c, "")
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

// openTuned is openRun for a run that starts from the weights of another one; what that lacks starts
// from the seed.
func (s *Session) openTuned(method string, c config.Config, from string) (*run.Run, error) {
	dir := s.runDir(method)
	if _, err := os.Stat(dir); err == nil {
		return run.Continue(dir, c)
	}
	start, err := run.Open(from)
	if err != nil {
		return nil, err
	}
	backend, err := s.backend()
	if err != nil {
		return nil, err
	}
	det, err := detector.New(c)
	if err != nil {
		return nil, err
	}
	store := model.NewStore()
	nn.SetSeed(store, c.Train.Seed)
	if err := det.Create(backend, store); err != nil { // with what the other run lacks, such as a flow
		return nil, err
	}
	if _, err := start.Load(store); err != nil {
		return nil, err
	}
	c.Origin = config.Origin{Command: "notebooks/07_your_own.ipynb, from " + from, Commit: run.Commit()}
	return run.Import(dir, c, store, 0)
}
