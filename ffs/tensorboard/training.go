package tensorboard

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gomlx/compute"

	"ffslab/data"
	"ffslab/ffs/device"
	"ffslab/ffs/protocol"
	"ffslab/ffs/run"
	"ffslab/ffs/run/preview"
	"ffslab/ffs/tensorboard/event"
	"ffslab/ffs/train"
	"ffslab/viz"
)

// Folder returns the folder for the event files of a run folder.
func Folder(run string) string { return filepath.Join(run, "tensorboard") }

// Training writes the progress of a training to an event file and passes it on: scalars of every
// step, and every few hundred steps the detections on two validation images and histograms of the
// energies of known and unknown objects.
type Training struct {
	train.Progress

	ctx     context.Context
	run     run.Named
	backend compute.Backend
	looks   *preview.Preview
	looking sync.WaitGroup
	busy    atomic.Bool // a preview is being made
	looked  int         // step of the last one
	warned  bool        // of pictures that cannot be made
	ended   bool        // the last step is done

	say sync.Mutex // around calls of Progress

	mu      sync.Mutex // of what follows
	file    *os.File   // nil before the first step
	to      writer
	flushed time.Time
	err     error // of the file: nothing is written any more
}

// NewTraining returns the progress of a run that is trained on the backend, and passes it on to
// next. Call Close at the end. When ctx ends, the model does not run for images any more.
func NewTraining(ctx context.Context, r run.Named, backend compute.Backend, next train.Progress) *Training {
	return &Training{Progress: next, ctx: ctx, run: r, backend: backend, looks: preview.New(r.Run, backend)}
}

// Compiling implements train.Progress.
func (t *Training) Compiling(canvas data.Canvas) {
	t.say.Lock()
	defer t.say.Unlock()
	t.Progress.Compiling(canvas)
}

// Compiled implements train.Progress.
func (t *Training) Compiled(n int, took time.Duration) {
	t.say.Lock()
	defer t.say.Unlock()
	t.Progress.Compiled(n, took)
}

// Warn implements train.Progress. Previews warn from a goroutine of their own.
func (t *Training) Warn(message string) {
	t.say.Lock()
	defer t.say.Unlock()
	t.Progress.Warn(message)
}

// flushEvery is the time between two updates of the file.
const flushEvery = 2 * time.Second

// Step implements train.Progress.
func (t *Training) Step(m run.Metrics, maxIter int) {
	t.say.Lock()
	t.Progress.Step(m, maxIter)
	t.say.Unlock()
	t.write(func() error { return t.step(m, maxIter) })
	t.ended = m.Step == maxIter
	switch {
	case t.ended || !t.looks.Due(m.Step):
	case device.Describe(t.backend).Platform != "cpu": // beside a step, it could take the memory that the step needs
		t.look()
	case t.busy.CompareAndSwap(false, true):
		t.looking.Go(func() {
			defer t.busy.Store(false)
			t.look()
		})
	}
}

// write writes to the file unless an earlier error has ended that.
func (t *Training) write(values func() error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.err != nil {
		return
	}
	if t.err = values(); t.err != nil {
		t.Warn(fmt.Sprintf("%v: nothing more is written for TensorBoard; the training goes on", t.err))
	}
}

func (t *Training) step(m run.Metrics, maxIter int) error {
	if t.file == nil {
		if err := t.open(m.Step); err != nil {
			return err
		}
	}
	if err := t.to.values(m.Step, scalars(m)...); err != nil {
		return err
	}
	if m.Step == maxIter {
		end, err := sessionEnd()
		if err != nil {
			return err
		}
		if err := t.to.values(m.Step, end); err != nil {
			return err
		}
	} else if time.Since(t.flushed) < flushEvery {
		return nil
	}
	t.flushed = time.Now()
	return t.to.out.Flush()
}

// look writes what the newest checkpoint detects, as far as the sets can be read. Without
// validation images it writes nothing.
func (t *Training) look() {
	values, step, err := t.detected()
	if t.ctx.Err() != nil {
		return
	}
	if err != nil && !errors.Is(err, viz.ErrNothing) && !t.warned {
		t.warned = true
		t.Warn("TensorBoard lacks detections or energies: " + err.Error())
	}
	if len(values) > 0 && step != t.looked {
		t.looked = step
		t.write(func() error { return t.to.values(step, values...) })
	}
}

// detected returns what it can, with the first error.
func (t *Training) detected() ([]*event.Value, int, error) {
	figure, step, err := t.looks.Detections(t.ctx)
	if err != nil {
		return nil, 0, err
	}
	image, err := imageOf("detections/validation", figure)
	if err != nil {
		return nil, 0, err
	}
	values := []*event.Value{image}
	energies, _, err := t.looks.Energies(t.ctx)
	for _, e := range energies {
		if h := histogram("energy_of_objects/"+protocol.FolderName(e.Set.Label()), e.Values); h != nil { // nil if none is finite
			values = append(values, h)
		}
	}
	return values, step, err
}

// open creates the file of a training that starts or continues with the step. Readers drop what a
// killed process wrote for this step and later ones.
func (t *Training) open(step int) error {
	dir := Folder(t.run.Dir)
	if err := saveHParams(t.run, dir); err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	// Readers order files by name: the time comes first.
	name := fmt.Sprintf("events.out.tfevents.%d.%s.%d", time.Now().UnixNano(), filepath.Base(host), os.Getpid())
	if t.file, err = os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644); err != nil {
		return err
	}
	if t.to, err = newWriter(t.file); err != nil {
		return err
	}
	return t.to.write(&event.Event{Step: int64(step), What: &event.Event_SessionLog{SessionLog: &event.SessionLog{Status: event.SessionLog_START}}})
}

// Close writes what is left, with the detections of the last checkpoint if the training has ended.
func (t *Training) Close() {
	if t.ctx.Err() == nil { // an interrupted training does not wait for the compiler
		t.looking.Wait()
		if t.ended {
			t.look()
		}
	}
	t.looks.Close()
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.file == nil {
		return
	}
	var err error
	if t.err == nil { // which was told
		err = t.to.out.Flush()
	}
	if err = errors.Join(err, t.file.Close()); err != nil {
		t.Warn(err.Error())
	}
	t.err = os.ErrClosed
}

// scalars returns the numbers of a step, by their names in metrics.jsonl.
func scalars(m run.Metrics) []*event.Value {
	var values []*event.Value
	for _, loss := range m.Losses() {
		values = append(values, scalar("loss/"+loss.Name, loss.Value))
	}
	for _, v := range []run.Loss{
		{Name: "lr", Value: m.LR}, {Name: "foreground", Value: m.Foreground}, {Name: "energy_inlier", Value: m.EnergyInlier}, {Name: "energy_outlier", Value: m.EnergyOutlier},
		{Name: "nll_samples", Value: m.NLLSamples}, {Name: "images_per_second", Value: m.ImagesPerSecond}, {Name: "data_wait", Value: m.DataWait},
	} {
		values = append(values, scalar("train/"+v.Name, v.Value))
	}
	return values
}
