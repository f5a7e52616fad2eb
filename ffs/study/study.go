// Package study compares methods of outlier synthesis fairly. It trains the same configuration with
// every method and every seed and measures each run by the same protocol on the same images. For
// every difference from a baseline it says how much the choice of the images and of the seed can
// explain. A study lives in a folder and continues where it was interrupted:
//
//	runs/METHOD-seedN/  a run folder for each cell of the grid (or VARIANT-seedN), with eval/
//	study.json          all numbers, with command, commit, configuration's digest, seeds, sets
//	study.csv           a row for each method and measure
//	study.md, study.tex the tables to read and to print
//	cells/              how far each cell is and what computed it (see Status), and its log
//	figures/            differences, fit of the flow and training energies (SVG, PNG, CSV)
//
// The tables are written after every cell, so that an unfinished study shows its results so far.
// Run computes the cells one after the other in the calling process. A [Launcher] computes them in
// other processes, on this machine or on a cluster, and then writes the tables.
package study

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"github.com/gomlx/compute"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
	"ffslab/ffs/run"
	"ffslab/ffs/run/curves"
	"ffslab/ffs/train"
	"ffslab/viz"
)

// Options say what to study.
type Options struct {
	// Config is the configuration of every cell, except for method (model.outlier.method) and seed
	// (train.seed). Its origin goes into the results.
	Config config.Config
	// Methods are the names of the synthesisers, in the order of the tables. Baseline is the one
	// with which the others are compared.
	Methods  []string
	Baseline string
	Seeds    []int64
	// Variants are further rows, after the methods.
	Variants []Variant
	// Training is the training set; runs are measured on Inlier and Outliers. The categories of
	// Training and Inlier are the classes of the configuration (see data.Dataset.WithClasses).
	Training, Inlier *data.Dataset
	Outliers         []*data.Dataset
	// Scores are post-hoc scores to measure every run by in addition to its own, fitted on its
	// training set (see protocol.Options); nil means none.
	Scores []string
	// Bootstrap says how the intervals of differences are estimated.
	Bootstrap eval.Bootstrap
	// Out is the folder of the study.
	Out string
	// TensorBoard asks for event files in the folders of the runs (see package tensorboard).
	TensorBoard bool
	// Backend is called if anything has to be computed.
	Backend func() (compute.Backend, error)
	// Progress follows the study; it may be nil.
	Progress Progress

	// trainRun and evaluateRun are replaced in tests.
	trainRun    func(context.Context, train.Options) error
	evaluateRun func(context.Context, protocol.EvaluationOptions) (*protocol.Evaluation, error)
}

// Progress follows a study and the training of each cell.
type Progress interface {
	train.Progress
	// Cell is called before a step of the n-th cell of total, counted from 1: "training",
	// "measuring", "comparing".
	Cell(n, total int, name, doing string)
	// Images is called when images of a set have been measured.
	Images(set string, done, total int)
	// Note is called with messages that deserve attention when a run is measured.
	Note(message string)
}

// Run trains, measures and compares what is missing, and returns the whole result. When ctx ends,
// it returns the error of ctx; the next call continues. A run in the folder that was trained with
// another configuration is an error that names the key; it is returned before anything is computed.
func Run(ctx context.Context, o Options) (*Result, error) {
	s, err := open(o)
	if err != nil {
		return nil, err
	}
	if err := o.savePlan(); err != nil {
		return nil, err
	}
	cells := s.grid()
	for n, c := range cells {
		at := func(doing string) { s.Progress.Cell(n+1, len(cells), c.name(), doing) }
		measured, err := s.finish(ctx, c, at)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name(), err)
		}
		if err := s.record(c, measured, at); err != nil {
			return nil, fmt.Errorf("%s: %w", c.name(), err)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := s.result.save(o.Out); err != nil {
			return nil, err
		}
	}
	return s.result, s.draw()
}

type study struct {
	Options
	result *Result
	sets   []*data.Dataset
	// baseline is the evaluation of the baseline for the current seed.
	baseline *protocol.Evaluation
	runs     map[cell]run.Named
}

// open checks the options and every existing run.
func open(o Options) (*study, error) {
	settings, err := o.Settings()
	if err != nil {
		return nil, err
	}
	if o.Progress == nil {
		o.Progress = silent{}
	}
	if o.trainRun == nil {
		o.trainRun = train.Train
	}
	if o.evaluateRun == nil {
		o.evaluateRun = protocol.EvaluateRun
	}
	s := &study{Options: o, sets: append([]*data.Dataset{o.Inlier}, o.Outliers...), runs: map[cell]run.Named{}}
	for _, row := range settings {
		for _, row.Config.Train.Seed = range o.Seeds {
			if _, err := run.Check(s.dir(cell{row.Name, row.Config.Train.Seed}), row.Config); err != nil {
				return nil, err
			}
		}
	}
	s.result, err = newResult(o, s.sets)
	return s, err
}

// validate returns an error that names the fault of the grid.
func (o Options) validate() error {
	switch {
	case len(o.Methods) == 0 || len(o.Seeds) == 0:
		return errors.New("no methods or no seeds: a study needs at least one of each")
	case repeated(o.rows()) && !repeated(o.Methods):
		return fmt.Errorf("duplicate row name in %v: rename the variant", o.rows())
	case repeated(o.Methods):
		return fmt.Errorf("methods %v: one is given twice: leave it out", o.Methods)
	case repeated(o.Seeds):
		return fmt.Errorf("seeds %v: one is given twice: leave it out", o.Seeds)
	case slices.ContainsFunc(o.Variants, func(v Variant) bool { return !variantName.MatchString(v.Name) }):
		return fmt.Errorf("a variant's name is also a folder name: use small letters, digits, dots, dashes and underscores")
	case !slices.Contains(o.Methods, o.Baseline):
		return fmt.Errorf("baseline %q is not one of the methods %v: name one of them", o.Baseline, o.Methods)
	}
	return nil
}

func repeated[T comparable](values []T) bool {
	for i, v := range values {
		if slices.Contains(values[:i], v) {
			return true
		}
	}
	return false
}

// dir returns the run folder of a cell.
func (s *study) dir(c cell) string { return filepath.Join(s.Out, runsDir, c.name()) }

const runsDir = "runs"

func (s *study) draw() error {
	var runs []run.Named
	for _, row := range s.rows() {
		for _, seed := range s.Seeds {
			runs = append(runs, s.runs[cell{row, seed}])
		}
	}
	differences := func([]run.Named) (*viz.Figure, error) { return s.result.Figure() }
	for _, figure := range []figure{{"differences", differences}, {"flow-fit", curves.FlowFit}, {"training-energies", curves.TrainingEnergies}} {
		drawn, err := figure.draw(runs)
		if errors.Is(err, viz.ErrNothing) {
			continue
		}
		if err == nil {
			err = drawn.Save(filepath.Join(s.Out, "figures"), figure.name)
		}
		if err != nil {
			return fmt.Errorf("figure %s: %w", figure.name, err)
		}
	}
	return nil
}
