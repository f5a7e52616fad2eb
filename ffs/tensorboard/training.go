package tensorboard

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ffslab/ffs/run"
	"ffslab/ffs/tensorboard/event"
	"ffslab/ffs/train"
)

// Folder is where the event files of a run lie.
func Folder(run string) string { return filepath.Join(run, "tensorboard") }

// Training is the progress of a training that is written to an event file and passed on.
type Training struct {
	train.Progress

	run     run.Named
	file    *os.File
	to      writer
	flushed time.Time
	err     error // of the file: nothing is written any more
}

// NewTraining returns the progress of a run, which is passed on to next. Close has to be called in the end.
func NewTraining(r run.Named, next train.Progress) *Training {
	return &Training{Progress: next, run: r}
}

// flushEvery is how often the file is brought up to date.
const flushEvery = 2 * time.Second

// Step implements train.Progress.
func (t *Training) Step(m run.Metrics, maxIter int) {
	t.Progress.Step(m, maxIter)
	if t.err != nil {
		return
	}
	if t.err = t.step(m, maxIter); t.err != nil {
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

// open begins the file of a training that goes on with the step: what a killed process has written beyond its last checkpoint is dropped by readers.
func (t *Training) open(step int) error {
	dir := Folder(t.run.Dir)
	if err := saveHParams(t.run, dir); err != nil {
		return err
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	// Readers take files by their names, so that time comes first.
	name := fmt.Sprintf("events.out.tfevents.%d.%s.%d", time.Now().UnixNano(), filepath.Base(host), os.Getpid())
	if t.file, err = os.OpenFile(filepath.Join(dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644); err != nil {
		return err
	}
	if t.to, err = newWriter(t.file); err != nil {
		return err
	}
	return t.to.write(&event.Event{Step: int64(step), What: &event.Event_SessionLog{SessionLog: &event.SessionLog{Status: event.SessionLog_START}}})
}

// Close writes what is left.
func (t *Training) Close() {
	if t.file == nil {
		return
	}
	var err error
	if t.err == nil { // which Step has told
		err = t.to.out.Flush()
	}
	if err = errors.Join(err, t.file.Close()); err != nil {
		t.Warn(err.Error())
	}
}

// scalars are the numbers of a step under their names in metrics.jsonl, the losses apart.
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
