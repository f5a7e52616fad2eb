package explore

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"sync"

	"ffslab/ffs/config"
	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
	"ffslab/ffs/run"
	"ffslab/ffs/study"
	"ffslab/ffs/train"
)

// TrainVariant trains a run of the preset with the settings ("model.outlier.method=mine") for the
// given number of steps, with live curves. It continues an unfinished run and returns a finished
// one. Interrupting the cell saves a checkpoint, from which the next call continues.
//
// A session that explores the zoo starts from the zoo's detector without synthesis, at a fifth of
// the preset's learning rate, and adds outliers after a quarter of the steps. Other sessions start
// from scratch with a shortened schedule. A quick session trains only a few steps, and none at all
// if the zoo holds a detector of that model.
func (s *Session) TrainVariant(name string, steps int, settings ...string) (run.Named, error) {
	c := s.options.Preset
	for _, setting := range settings {
		if err := c.Set(setting); err != nil {
			return run.Named{}, err
		}
	}
	fromZoo := len(s.options.Trained) > 0
	if s.Quick && fromZoo {
		if r, err := s.ofZoo(c.Model); r != nil || err != nil {
			return run.Named{Name: name, Run: r}, err
		}
	}
	folder := fmt.Sprintf("%s-%d", name, steps)
	switch {
	case s.Quick && fromZoo:
		steps = tunedSteps
	case s.Quick:
		steps, folder = quickSteps, name // notebook 02 trains the same runs
	}
	shorten(&c, steps)
	s.chooseData(&c.Data)
	from := ""
	if fromZoo {
		from = s.options.Trained[len(s.options.Trained)-1]
		folder = fmt.Sprintf("%s-tuned-%d", name, steps)
		c.Train.BaseLR /= 5
		c.Model.Outlier.StartIter = steps / 4
	}
	if err := c.Validate(); err != nil {
		return run.Named{}, err
	}
	if done, err := trainedToEnd(s.runDir(folder), c); err != nil || !done {
		if err == nil {
			err = s.train(folder, name, c, from)
		}
		if err != nil {
			return run.Named{}, err
		}
	}
	r, err := run.Open(s.runDir(folder))
	return run.Named{Name: name, Run: r}, err
}

// ofZoo returns the run of the zoo that trained the given model, or nil.
func (s *Session) ofZoo(model config.Model) (*run.Run, error) {
	for _, dir := range s.options.Trained {
		r, err := run.Open(dir)
		if err != nil {
			return nil, err
		}
		if reflect.DeepEqual(r.Config.Model, model) {
			return r, nil
		}
	}
	return nil, nil
}

// trainedToEnd reports whether the folder holds a finished run of the configuration.
func trainedToEnd(dir string, c config.Config) (bool, error) {
	if there, err := run.Check(dir, c); err != nil || !there {
		return false, err
	}
	r, err := openTrained(dir)
	if err != nil || r == nil {
		return false, err
	}
	newest, err := r.Newest()
	return newest.Step == c.Train.MaxIter, err
}

// train trains or continues the run in a folder of Out/runs. Unless from is empty, the run starts
// from the weights of that run.
func (s *Session) train(folder, name string, c config.Config, from string) error {
	ctx, stop := interruptible()
	defer stop()
	show := newTrainingView(ctx, name, c)
	err := s.trainShown(ctx, folder, c, from, show)
	return errors.Join(err, show.close(err == nil))
}

func (s *Session) trainShown(ctx context.Context, folder string, c config.Config, from string, show *trainingView) error {
	show.doing("opening the data set")
	set, err := s.openTraining(c)
	if err != nil {
		return err
	}
	show.doing("opening the backend")
	backend, err := s.backend() // before the folder is created: without a backend leave none behind
	if err != nil {
		return err
	}
	var r *run.Run
	if from == "" {
		r, err = s.openRun(folder, c)
	} else {
		r, err = s.openTuned(folder, c, from)
	}
	if err != nil {
		return err
	}
	defer r.Close()
	if err := show.begin(r, backend); err != nil {
		return err
	}
	err = train.Train(ctx, train.Options{Backend: backend, Run: r, Data: set, Progress: show})
	if errors.Is(err, context.Canceled) {
		kept := "no step is finished"
		if steps, e := r.Checkpoints(); e == nil && len(steps) > 0 {
			kept = fmt.Sprintf("the checkpoint of step %d is kept", steps[len(steps)-1])
		}
		err = fmt.Errorf("the training was interrupted: %s; run the cell again to go on", kept)
	}
	return err
}

// Of returns a session with the same settings that explores the given runs. Figures of one run and
// the explorer show the first.
func (s *Session) Of(runs ...run.Named) *Session {
	other := &Session{Out: s.Out, Quick: s.Quick, options: s.options, backend: s.backend, opened: s.opened, runs: slices.Clone(runs)}
	other.model = sync.OnceValues(other.openModel)
	return other
}

// PairedTable compares evaluations with the first one: AP50, and AUROC and FPR95 by energy on each
// outlier set, with 95 % intervals of the differences by resampling images, the same for both runs.
// A difference whose interval contains 0 may be chance.
func PairedTable(evaluations []*protocol.Evaluation) (*Table, error) {
	t := newTable("run", "measure", "value", fmt.Sprintf("difference from %s", evaluations[0].Run.Name), "95 % interval")
	for _, e := range evaluations {
		differences, err := study.Compare(e, evaluations[0], eval.Bootstrap{Resamples: pairedResamples, Seed: sampleSeed})
		if err != nil {
			return nil, err
		}
		for _, d := range differences {
			if d.Name == "AP" || d.Score != "" && d.Score != "energy" {
				continue
			}
			name := d.Name
			for _, set := range e.Sets[1:] {
				if set.Name == d.Set {
					name += " on " + set.Label()
				}
			}
			difference, interval := "", ""
			if e != evaluations[0] {
				difference = inPoints(d.Value - d.Baseline)
				if d.Interval != nil {
					interval = fmt.Sprintf("[%s, %s]", inPoints(d.Interval[0]), inPoints(d.Interval[1]))
				}
			}
			t.Add(e.Run.Name, name, fmt.Sprintf("%.1f", 100*d.Value), difference, interval)
		}
	}
	return t, nil
}

// inPoints formats a difference of fractions in percentage points, 0.0 without a sign.
func inPoints(d float64) string {
	text := fmt.Sprintf("%+.1f", 100*d)
	if text == "-0.0" || text == "+0.0" {
		return "0.0"
	}
	return text
}

// pairedResamples gives intervals of two digits within seconds.
const pairedResamples = 500
