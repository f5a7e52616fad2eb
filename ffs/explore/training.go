package explore

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"time"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/run"
	"ffslab/ffs/train"
	"ffslab/viz"
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
	c, err := s.preset()
	if err != nil {
		return c, err
	}
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
// the cell saves a checkpoint, from which the next call goes on. A session that looks at a given run has nothing to train (ErrNothing).
func (s *Session) Train(method string) error {
	if s.Given() {
		return nothing("the run %s was given: nothing is trained", s.given)
	}
	c, err := s.configure(method)
	if err != nil {
		return err
	}
	set, err := openClasses(c, c.Data.Train)
	if err != nil {
		return err
	}
	backend, err := s.backend() // before the folder is made: without a backend none is left
	if err != nil {
		return err
	}
	r, err := s.openRun(method, c)
	if err != nil {
		return err
	}
	defer r.Close()
	ctx, stop := interruptible()
	defer stop()
	show, err := newTrainingView(Run{Name: method, Run: r})
	if err != nil {
		return err
	}
	err = train.Train(ctx, train.Options{Backend: backend, Run: r, Data: set, Progress: show})
	if errors.Is(err, context.Canceled) {
		kept := "no step is finished yet"
		if steps, e := r.Checkpoints(); e == nil && len(steps) > 0 {
			kept = fmt.Sprintf("the checkpoint of step %d is kept", steps[len(steps)-1])
		}
		err = fmt.Errorf("interrupted; %s: run the cell again to go on (%w)", kept, err)
	}
	return errors.Join(err, show.close())
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

// trainingView shows a training in the cell: curves that grow, and a line of text ten times a run.
type trainingView struct {
	live  *viz.Live
	begin time.Time // of the second step: the first one compiles
	from  int
}

// lossGroups are the curves that are watched during training.
var lossGroups = []struct {
	name string
	of   func(m run.Metrics) float64
}{
	{"detector", func(m run.Metrics) float64 { return m.LossRPNCls + m.LossRPNLoc + m.LossCls + m.LossBoxReg }},
	{"energy", func(m run.Metrics) float64 { return m.LossEnergy }},
	{"likelihood of the flow", func(m run.Metrics) float64 { return m.LossNLL }},
}

func newTrainingView(r Run) (*trainingView, error) {
	past, err := r.ReadMetrics()
	if err != nil {
		return nil, err
	}
	template := viz.Curves{Title: "run " + r.Name, YLabel: "loss, as weighted in the total", Smooth: smoothing(r.Config.Train.MaxIter), Marks: startMarks([]Run{r})}
	for _, group := range lossGroups[:watched(r)] {
		series := viz.Series{Name: group.name}
		for _, m := range past {
			series.X, series.Y = append(series.X, float64(m.Step)), append(series.Y, group.of(m))
		}
		if len(past) > 0 {
			template.Series = append(template.Series, series)
		}
	}
	return &trainingView{live: viz.NewLive(template)}, nil
}

// watched is how many of the loss groups a run has: a run of the method none has only the detector's.
func watched(r Run) int {
	if r.Config.Model.Outlier.Method == "none" {
		return 1
	}
	return len(lossGroups)
}

// startMarks point out where the first run that makes outliers starts to.
func startMarks(runs []Run) []viz.Mark {
	for _, r := range runs {
		if o := r.Config.Model.Outlier; o.Method != "none" {
			return []viz.Mark{{At: float64(o.StartIter), Label: "outliers start"}}
		}
	}
	return nil
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
	for _, group := range lossGroups {
		values[group.name] = group.of(m)
	}
	if m.LossNLL == 0 { // a run without a flow
		delete(values, lossGroups[1].name)
		delete(values, lossGroups[2].name)
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
func (v *trainingView) Warn(message string) { fmt.Println("warning: " + message) }
