// Package train runs the optimisation: batch after batch through one jitted step, from the losses to the updated weights, with
// metrics, checkpoints and resumption in a run folder.
//
// A run is a function of its configuration, its data and its seed, on one backend: what a step sees and draws depends on the
// seed and the step's number alone, so that a run that was killed continues to the very numbers of one that was not.
package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/device"
	"ffslab/ffs/nn"
	"ffslab/ffs/optim"
	"ffslab/ffs/published"
	"ffslab/ffs/run"
)

// Options say what to train and who listens.
type Options struct {
	// Backend runs the graphs.
	Backend compute.Backend
	// Run is the folder of a new run, or of one to continue.
	Run *run.Run
	// Data is the training set, its categories being the configuration's classes.
	Data *data.Dataset
	// Devices share the images of a step, Accumulate parts of it are computed one after the other, which costs time and saves memory; both
	// divide the images of a step, and neither changes the numbers but by rounding. 0 stands for 1.
	Devices, Accumulate int
	// Progress is told about every step, may be nil.
	Progress Progress
}

// Progress follows a training. Its calls come from the training's goroutine.
type Progress interface {
	// Compiling is called before the first step on a canvas, which takes seconds to minutes.
	Compiling(canvas data.Canvas)
	// Compiled is called after that step: the n-th canvas is compiled, and compiler and step took that long.
	Compiled(n int, took time.Duration)
	// Step is called after every step.
	Step(m run.Metrics, maxIter int)
	// Warn is told once of what does not stop the training but deserves attention.
	Warn(message string)
}

// Train trains until the configuration's last step. It starts from the run's newest checkpoint, if there is one, and leaves one at the end. When ctx
// ends it saves a checkpoint and returns the context's error. A loss that is not finite is an error that names the step and the term;
// the last good checkpoint stays.
func Train(ctx context.Context, o Options) (err error) {
	c := o.Run.Config
	if o.Progress == nil {
		o.Progress = silent{}
	}
	s, step, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	defer s.Close()
	log, err := o.Run.OpenMetrics(step)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	warn(o.Progress, log.Notes)
	if c.Train.Precision == nn.BFloat16 && device.Describe(o.Backend).Platform == "cpu" {
		o.Progress.Warn("train.precision: bf16 gains nothing on a CPU, where XLA multiplies in float32 all the same: leave it out, or train on a GPU")
	}
	loader, err := data.Train(ctx, o.Data, LoaderConfig(c, step))
	if err != nil {
		return err
	}
	defer loader.Close()

	schedule := Schedule(c.Train)
	var warnings warnings
	saved := step
	for step < c.Train.MaxIter {
		m, err := s.next(loader, step, schedule.LR(step))
		if err != nil {
			if ctx.Err() != nil {
				return stopped(ctx, o.Run, s.store, step, saved)
			}
			return fmt.Errorf("step %d: %w", step, err)
		}
		if term, value := notFinite(m); term != "" {
			return diverged(o.Run, step, fmt.Sprintf("%s is %v", term, value))
		}
		step++
		if err := log.Append(m); err != nil {
			return err
		}
		o.Progress.Step(m, c.Train.MaxIter)
		warnings.check(m, o.Progress)
		if step%c.Train.CheckpointEvery == 0 || step == c.Train.MaxIter {
			err := o.Run.Save(s.store, step)
			if broken := (*run.NotFiniteError)(nil); errors.As(err, &broken) {
				return diverged(o.Run, step-1, broken.Error())
			}
			if err != nil {
				return err
			}
			saved = step
		}
	}
	return nil
}

func prepare(ctx context.Context, o Options) (s *stepper, step int, err error) {
	store := model.NewStore()
	from, err := o.Run.Start(store)
	if err != nil {
		return nil, 0, err
	}
	warn(o.Progress, from.Notes)
	one, err := NewStep(o, o.Run.Config, store)
	if err != nil {
		return nil, 0, err
	}
	if from.Digest == "" { // there is no checkpoint
		if err := startFrom(ctx, o, one, store); err != nil {
			return nil, 0, err
		}
	} else {
		if err := one.detector.Fits(o.Backend, store); err != nil {
			return nil, 0, fmt.Errorf("%s: step %d: %w", o.Run.Dir, from.Step, err)
		}
	}
	return &stepper{Step: one, options: o, compiled: map[data.Canvas]bool{}}, from.Step, nil
}

// startFrom gives a new run the weights that its backbone starts from, if the configuration names
// some.
func startFrom(ctx context.Context, o Options, s *Step, store *model.Store) error {
	file, err := published.Fetch(ctx, o.Run.Config.Model.Backbone, o.Progress.Warn)
	if err != nil || file == "" {
		return err
	}
	if err := s.detector.Create(o.Backend, store); err != nil {
		return err
	}
	return published.Load(store, file)
}

func warn(to Progress, notes []string) {
	for _, note := range notes {
		to.Warn(note)
	}
}

// stopped saves what an interrupted training has reached.
func stopped(ctx context.Context, r *run.Run, store *model.Store, step, saved int) error {
	if step > saved {
		if err := r.Save(store, step); err != nil {
			return errors.Join(ctx.Err(), err)
		}
	}
	return ctx.Err()
}

// Schedule is the learning rate's course that a configuration asks for.
func Schedule(t config.Train) optim.Schedule {
	return optim.Schedule{
		BaseLR: t.BaseLR, Steps: t.Steps, Gamma: 0.1, Cosine: t.Decay == "cosine", MaxIter: t.MaxIter,
		WarmupIters: t.WarmupIters, WarmupFactor: 1e-3,
	}
}

// LoaderConfig is how a configuration's training reads its images from the given step on.
func LoaderConfig(c config.Config, step int) data.Config {
	return data.Config{
		BatchSize: c.Train.ImagesPerStep, ShortEdges: c.Input.MinSizeTrain, LongEdge: c.Input.MaxSizeTrain, Flip: c.Input.Flip,
		Canvases: data.Canvases(c.Input.Canvases), MaxBoxes: c.Input.MaxBoxes, Seed: uint64(c.Train.Seed), FirstStep: step, SkipEmpty: c.Train.DropEmpty,
	}
}

// diverged is the error of a step whose loss or update is not finite.
func diverged(r *run.Run, step int, what string) error {
	kept := "there is no checkpoint yet"
	if steps, err := r.Checkpoints(); err == nil && len(steps) > 0 {
		kept = fmt.Sprintf("the checkpoint of step %d is kept", steps[len(steps)-1])
	}
	return fmt.Errorf("step %d: %s: the training has diverged and stops; %s (try a lower train.base_lr, or train.clip_norm=10)", step, what, kept)
}

// notFinite names the first loss that is NaN or infinite.
func notFinite(m run.Metrics) (term string, value float64) {
	for _, loss := range m.Losses() {
		if math.IsNaN(loss.Value) || math.IsInf(loss.Value, 0) {
			return loss.Name, loss.Value
		}
	}
	return "", 0
}

type silent struct{}

func (silent) Compiling(data.Canvas) {}

func (silent) Compiled(int, time.Duration) {}
func (silent) Step(run.Metrics, int)       {}
func (silent) Warn(string)                 {}

// pace turns the durations of a step into its metrics.
func pace(m *run.Metrics, images int, total, waited time.Duration) {
	m.Seconds, m.DataWait = total.Seconds(), waited.Seconds()
	m.ImagesPerSecond = float64(images) / total.Seconds()
}
