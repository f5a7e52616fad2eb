package explore

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/signal"
	"slices"
	"time"

	"github.com/gomlx/gomlx/ml/model"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/outlier"
	"ffslab/ffs/run"
	"ffslab/ffs/run/curves"
	"ffslab/viz"
	"ffslab/viz/escape"
	"ffslab/viz/notebook"
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

// openTuned is openRun for a run that starts from the weights of another one.
func (s *Session) openTuned(method string, c config.Config, from string) (*run.Run, error) {
	dir := s.runDir(method)
	if _, err := os.Stat(dir); err == nil {
		return run.Continue(dir, c)
	}
	start, err := run.Open(from)
	if err != nil {
		return nil, err
	}
	store := model.NewStore()
	if _, err := start.Load(store); err != nil {
		return nil, err
	}
	c.Origin = config.Origin{Command: "notebooks/07_your_own.ipynb, from " + from, Commit: run.Commit()}
	return run.Import(dir, c, store, 0)
}

// trainingView shows a training in the cell: curves that grow, and a line of text ten times a run.
type trainingView struct {
	live   *notebook.Live
	losses []watchedLoss
	begin  time.Time // of the second step: the first one compiles
	from   int
}

// watchedLoss is a curve that is watched during training.
type watchedLoss struct {
	name string
	of   func(m run.Metrics) float64
}

// watchedLosses are those that a run of the configuration has.
func watchedLosses(c config.Config) ([]watchedLoss, error) {
	losses := []watchedLoss{{"detector", func(m run.Metrics) float64 { return m.LossRPNCls + m.LossRPNLoc + m.LossCls + m.LossBoxReg }}}
	method, err := outlier.Lookup(c.Model.Outlier.Method)
	if err != nil {
		return nil, err
	}
	if method.Name != outlier.MethodNone {
		losses = append(losses, watchedLoss{"energy", func(m run.Metrics) float64 { return m.LossEnergy }})
	}
	if method.NeedsFlow {
		losses = append(losses, watchedLoss{"likelihood of the flow", func(m run.Metrics) float64 { return m.LossNLL }})
	}
	for _, name := range slices.Sorted(maps.Keys(c.Model.Loss.Terms)) {
		losses = append(losses, watchedLoss{name, func(m run.Metrics) float64 { return m.Terms["loss_"+name] }})
	}
	return losses, nil
}

func newTrainingView(r run.Named) (*trainingView, error) {
	past, err := r.ReadMetrics()
	if err != nil {
		return nil, err
	}
	losses, err := watchedLosses(r.Config)
	if err != nil {
		return nil, err
	}
	template := viz.Curves{Title: "run " + r.Name, YLabel: "loss, as weighted in the total", Smooth: curves.Smoothing(r.Config.Train.MaxIter), Marks: curves.StartMarks([]run.Named{r})}
	for _, loss := range losses {
		series := viz.Series{Name: loss.name}
		for _, m := range past {
			series.X, series.Y = append(series.X, float64(m.Step)), append(series.Y, loss.of(m))
		}
		if len(past) > 0 {
			template.Series = append(template.Series, series)
		}
	}
	return &trainingView{live: notebook.NewLive(template), losses: losses}, nil
}

// Compiling implements train.Progress.
func (v *trainingView) Compiling(canvas data.Canvas) {
	fmt.Printf("compiling the step for pictures of up to %dx%d pixels\n", canvas.Width, canvas.Height)
}

// Compiled implements train.Progress.
func (v *trainingView) Compiled(_ int, took time.Duration) {
	fmt.Printf("compiled in %.0f s, with the first step\n", took.Seconds())
}

// Step implements train.Progress.
func (v *trainingView) Step(m run.Metrics, maxIter int) {
	values := map[string]float64{}
	for _, loss := range v.losses {
		values[loss.name] = loss.of(m)
	}
	v.live.Add(float64(m.Step), values)
	if v.begin.IsZero() {
		v.begin, v.from = time.Now(), m.Step
	} else if m.Step%max(1, maxIter/10) == 0 {
		perStep := time.Since(v.begin) / time.Duration(m.Step-v.from)
		left := (perStep * time.Duration(maxIter-m.Step)).Round(time.Second)
		fmt.Printf("step %d of %d: loss %.3f, %.1f images/s, %v left\n", m.Step, maxIter, m.TotalLoss, m.ImagesPerSecond, left)
	}
}

func (v *trainingView) close() error { return v.live.Close() }

// Warn prints a warning under the curves.
func (v *trainingView) Warn(message string) { escape.Fprintf(os.Stdout, "warning: %s\n", message) }
