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

// methods are the methods of the runs to compare; figures of one run show the first.
var methods = []string{"flow", "none"}

// Numbers of training steps on two CPU cores: of each of the two runs, 20 minutes in all, and of
// the training that is only shown because the zoo has the runs.
const (
	fullSteps      = 1300
	quickSteps     = 40
	shownSteps     = 250
	shownStepQuick = 50
	tunedSteps     = 20 // of a variant that continues the zoo's detector, in a quick session
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

// shorten scales a schedule to fewer steps. The warm-up keeps its length if it fits.
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
	if steps < t.WarmupIters { // a rate that rises faster may diverge
		t.BaseLR *= float64(steps) / float64(t.WarmupIters)
		t.WarmupIters = steps
	}
	t.CheckpointEvery = max(1, min(t.CheckpointEvery, steps/4))
	t.MaxIter = steps
}

// Train trains the run of a method (flow or none) with live curves, or continues it; for a finished
// run it shows the curves. Interrupting the cell saves a checkpoint, from which the next call
// continues. A session that explores the zoo trains only the first steps of the run flow, to show
// them. If there is nothing to train, the error wraps [viz.ErrNothing].
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
		fmt.Printf("the first %d steps of %d; the other notebooks explore detectors that are trained to the end\n", steps, s.options.Preset.Train.MaxIter)
	}
	return s.train(folder, method, c, "")
}

// interruptible returns a context that ends when the cell is interrupted, as by the stop button.
func interruptible() (context.Context, context.CancelFunc) {
	return signal.NotifyContext(context.Background(), os.Interrupt)
}

// openRun creates the folder of a run, or opens it if it exists with the same configuration.
func (s *Session) openRun(method string, c config.Config) (*run.Run, error) {
	c.Origin = config.Origin{Command: "notebooks/02_training.ipynb", Commit: run.Commit()}
	return run.Continue(s.runDir(method), c)
}

// openTuned is openRun for a run that starts from the weights of another run. Weights that the
// other run lacks are drawn from the seed.
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
	if err := det.Create(backend, store); err != nil { // also what the other run lacks, such as a flow
		return nil, err
	}
	if _, err := start.Load(store); err != nil {
		return nil, err
	}
	c.Origin = config.Origin{Command: "notebooks/07_your_own.ipynb, from " + from, Commit: run.Commit()}
	return run.Import(dir, c, store, 0)
}
