// Package train trains a detector: [Train] runs one compiled step on batch after batch, and keeps
// metrics and checkpoints in a run folder, from which it resumes.
//
// On one backend, a run is a function of its configuration, its data and its seed. What a step sees
// and draws depends on the seed and the number of the step alone, so a run that was interrupted
// continues with the same numbers.
package train

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
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

// Options says what to train and how.
type Options struct {
	// Backend runs the graphs.
	Backend compute.Backend
	// Run is the folder of a new run, or of one to resume.
	Run *run.Run
	// Data is the training set, whose categories are the configuration's classes.
	Data *data.Dataset
	// Devices is the number of devices that share the images of a step. Accumulate is the number of
	// parts in which a step is computed, one after the other, which saves memory and costs time.
	// Their product divides the images of a step. Both change the numbers by rounding only. 0 means
	// 1.
	Devices, Accumulate int
	// Progress is told about every step, unless it is nil.
	Progress Progress
}

// Progress follows a training. Its calls come from the training's goroutine.
type Progress interface {
	// Compiling is called before the first step on a canvas, which takes seconds to minutes.
	Compiling(canvas data.Canvas)
	// Compiled is called after that step. The canvas is the n-th, and compiling and the step took
	// the given time.
	Compiled(n int, took time.Duration)
	// Step is called after every step.
	Step(m run.Metrics, maxIter int)
	// Warn is called once for each problem that does not stop the training.
	Warn(message string)
}

// Train trains to the configuration's last step. It starts from the run's newest checkpoint, if
// there is one, and saves one at the end. When ctx ends, it saves a checkpoint and returns the
// context's error. If a loss is not finite, it returns an error that names the step and the term,
// and the last checkpoint stays.
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
		o.Progress.Warn("train.precision: bf16: XLA multiplies in float32 on a CPU, so nothing is gained; leave it out, or train on a GPU")
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

// startFrom loads the published weights of a new run's backbone, if the configuration names some.
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

// stopped saves a checkpoint of an interrupted training.
func stopped(ctx context.Context, r *run.Run, store *model.Store, step, saved int) error {
	if step > saved {
		if err := r.Save(store, step); err != nil {
			return errors.Join(ctx.Err(), err)
		}
	}
	return ctx.Err()
}

// Schedule returns the configuration's schedule of the learning rate.
func Schedule(t config.Train) optim.Schedule {
	return optim.Schedule{
		BaseLR: t.BaseLR, Steps: t.Steps, Gamma: 0.1, Cosine: t.Decay == "cosine", MaxIter: t.MaxIter,
		WarmupIters: t.WarmupIters, WarmupFactor: 1e-3,
	}
}

// LoaderConfig returns the settings of a training's loader, from the given step on.
func LoaderConfig(c config.Config, step int) data.Config {
	return data.Config{
		BatchSize: c.Train.ImagesPerStep, ShortEdges: c.Input.MinSizeTrain, LongEdge: c.Input.MaxSizeTrain, Flip: c.Input.Flip,
		Canvases: data.Canvases(c.Input.Canvases), MaxBoxes: c.Input.MaxBoxes, Seed: uint64(c.Train.Seed), FirstStep: step, SkipEmpty: c.Train.DropEmpty,
	}
}

// diverged returns the error of a step whose loss or update is not finite.
func diverged(r *run.Run, step int, what string) error {
	kept := "there is no checkpoint yet"
	if steps, err := r.Checkpoints(); err == nil && len(steps) > 0 {
		kept = fmt.Sprintf("the checkpoint of step %d is kept", steps[len(steps)-1])
	}
	return fmt.Errorf("step %d: %s: the training has diverged; %s; try a lower train.base_lr, or train.clip_norm=10%s", step, what, kept, suspects(r.Config.Foreign()))
}

// suspects names the parts from outside of this module, by their keys in a configuration: NaN in
// one of them, or in its gradient, is in every loss a step later.
func suspects(parts map[string]string) string {
	if len(parts) == 0 {
		return ""
	}
	var names []string
	for _, key := range slices.Sorted(maps.Keys(parts)) {
		names = append(names, fmt.Sprintf("%s (registered by %s)", key, parts[key]))
	}
	return "; or look for NaN, also in gradients, in " + strings.Join(names, ", ")
}

// notFinite returns the first loss that is NaN or infinite, and "" if there is none.
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

// pace sets the metrics of a step's durations.
func pace(m *run.Metrics, images int, total, waited time.Duration) {
	m.Seconds, m.DataWait = total.Seconds(), waited.Seconds()
	m.ImagesPerSecond = float64(images) / total.Seconds()
}
