package study

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/protocol"
	"ffslab/ffs/run"
	"ffslab/ffs/tensorboard"
	"ffslab/ffs/train"
	"ffslab/viz"
)

// cell is one run of the grid.
type cell struct {
	method string // or the name of the variant
	seed   int64
}

func (c cell) name() string { return fmt.Sprintf("%s-seed%d", c.method, c.seed) }

// grid returns the cells, seed by seed and the baseline first, so that an unfinished study already
// compares methods.
func (o Options) grid() []cell {
	var cells []cell
	for _, seed := range o.Seeds {
		for _, row := range o.ordered() {
			cells = append(cells, cell{row, seed})
		}
	}
	return cells
}

// configure returns the configuration of a cell. The error names the setting of a variant at fault.
func (o Options) configure(c cell) (config.Config, error) {
	result := o.Config
	result.Train.Seed = c.seed
	for _, v := range o.Variants {
		if v.Name == c.method {
			return v.Apply(result)
		}
	}
	result.Model.Outlier.Method = c.method
	return result, nil
}

// compute trains and measures a cell unless that is done.
func (s *study) compute(ctx context.Context, c cell, at func(doing string)) (*protocol.Evaluation, error) {
	if err := s.train(ctx, c, at); err != nil {
		return nil, err
	}
	r, err := run.Open(s.dir(c))
	if err != nil {
		return nil, err
	}
	s.runs[c] = run.Named{Name: c.name(), Run: r, Group: c.method}
	at(measuring)
	measured, err := s.evaluateRun(ctx, s.evaluation(c))
	if err == nil && s.TensorBoard && !tensorboard.Holds(tensorboard.Folder(r.Dir), r.Path("eval/metrics.json")) {
		err = tensorboard.SaveEvaluation(measured, tensorboard.Folder(r.Dir), s.Progress.Note)
	}
	return measured, err
}

// evaluation returns how the run of a cell is measured.
func (s *study) evaluation(c cell) protocol.EvaluationOptions {
	return protocol.EvaluationOptions{
		Run: s.runs[c], Sets: s.sets, Scores: s.Scores, Train: s.Training, Out: s.runs[c].Run.Path("eval"), Backend: s.Backend, Progress: s.Progress.Images, Note: s.Progress.Note,
	}
}

// train trains a cell to its last step, from its newest checkpoint.
func (s *study) train(ctx context.Context, c cell, at func(doing string)) (err error) {
	config, err := s.configure(c)
	if err != nil {
		return err
	}
	if _, err := os.Stat(s.dir(c)); errors.Is(err, fs.ErrNotExist) {
		if _, err := s.Backend(); err != nil { // before the folder is created: without a backend leave none behind
			return err
		}
	}
	r, err := run.Continue(s.dir(c), config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	steps, err := r.Checkpoints()
	if err != nil {
		return err
	}
	if len(steps) > 0 {
		newest, err := r.Newest() // undamaged one; train again from there
		if err != nil || newest.Step >= r.Config.Train.MaxIter {
			return err
		}
	}
	at(training)
	backend, err := s.Backend()
	if err != nil {
		return err
	}
	var progress train.Progress = s.Progress
	if s.TensorBoard {
		events := tensorboard.NewTraining(ctx, run.Named{Name: c.name(), Run: r}, backend, progress)
		defer events.Close()
		progress = events
	}
	return s.trainRun(ctx, train.Options{Backend: backend, Run: r, Data: s.Training, Progress: progress})
}

type figure struct {
	name string
	draw func([]run.Named) (*viz.Figure, error)
}

type silent struct{}

func (silent) Compiling(data.Canvas)         {}
func (silent) Compiled(int, time.Duration)   {}
func (silent) Step(run.Metrics, int)         {}
func (silent) Warn(string)                   {}
func (silent) Cell(int, int, string, string) {}
func (silent) Note(string)                   {}
func (silent) Images(string, int, int)       {}
