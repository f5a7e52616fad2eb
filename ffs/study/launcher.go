package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/gomlx/compute"

	"ffslab/ffs/internal/jsonfile"
	"ffslab/ffs/protocol"
	"ffslab/ffs/run"
)

// Launcher computes the cells of a study in other processes: [Processes] on this machine, [Slurm]
// on a cluster. (Run computes them in the calling process, one after the other.)
type Launcher interface {
	// Launch starts the computation of the job's cells. over says that all of it has ended; the
	// error then names the cells that failed, if any. If over is false without an error, the cells
	// are in a queue that no longer needs this process, followed by their tables.
	Launch(ctx context.Context, job Job) (over bool, err error)
}

// Job is what a launcher computes.
type Job struct {
	// Dir is the folder of the study, an absolute path.
	Dir string
	// Cells are the names of the cells to compute, at least one.
	Cells []string
	// Program is the file of the program that computes a cell and Args are its arguments, to which
	// CellFlag and the name of the cell, or TablesFlag, are added.
	Program string
	Args    []string
	// Data is the folder of named data sets, for readers of a script.
	Data string
}

// The flags with which a launcher starts a Job's program.
const (
	CellFlag   = "--cell"
	TablesFlag = "--tables"
)

// Cells returns the names of the cells in the order of Run.
func (o Options) Cells() []string {
	var names []string
	for _, c := range o.grid() {
		names = append(names, c.name())
	}
	return names
}

// RunCell trains and measures the cell with the given name unless that is done. When ctx ends, it
// saves a checkpoint and returns the error of ctx.
func RunCell(ctx context.Context, o Options, name string) error {
	s, err := open(o)
	if err != nil {
		return err
	}
	cells := s.grid()
	n := slices.IndexFunc(cells, func(c cell) bool { return c.name() == name })
	if n < 0 {
		return fmt.Errorf("cell %q: the study has no such cell: choose one of %v", name, o.Cells())
	}
	_, err = s.finish(ctx, cells[n], func(doing string) { s.Progress.Cell(n+1, len(cells), name, doing) })
	return err
}

// Tables compares the finished cells and writes the tables, as Run does, without computing
// anything.
func Tables(ctx context.Context, o Options) (*Result, error) {
	s, err := open(o)
	if err != nil {
		return nil, err
	}
	cells := s.grid()
	for n, c := range cells {
		if c.method == s.Baseline {
			s.baseline = nil // of the previous seed
		}
		e, err := s.finished(ctx, c)
		if err == nil && e != nil {
			err = s.record(c, e, func(doing string) { s.Progress.Cell(n+1, len(cells), c.name(), doing) })
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", c.name(), err)
		}
	}
	s.result.summarise()
	if err := s.result.save(o.Out); err != nil {
		return nil, err
	}
	if len(s.result.Cells) < len(cells) {
		return s.result, nil
	}
	return s.result, s.draw()
}

// errUnfinished is returned instead of a backend for a cell that is not finished.
var errUnfinished = errors.New("the cell is not finished")

// finished returns the evaluation of a finished cell, and nil for any other. Other processes may be
// working on it.
func (s *study) finished(ctx context.Context, c cell) (*protocol.Evaluation, error) {
	if _, err := os.Stat(s.dir(c)); errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	r, err := run.Open(s.dir(c))
	if err != nil {
		return nil, err
	}
	if steps, err := r.Checkpoints(); err != nil || !slices.Contains(steps, r.Config.Train.MaxIter) {
		return nil, err
	}
	if newest, err := r.Newest(); err != nil || newest.Step < r.Config.Train.MaxIter {
		return nil, err
	}
	s.runs[c] = run.Named{Name: c.name(), Run: r, Group: c.method}
	o := s.evaluation(c)
	o.Backend = func() (compute.Backend, error) { return nil, errUnfinished }
	e, err := s.evaluateRun(ctx, o)
	if errors.Is(err, errUnfinished) {
		return nil, nil
	}
	return e, err
}

// plan is the content of cells/study.json, which lists the cells for Status.
type plan struct {
	Command string   `json:"command"`
	Steps   int      `json:"steps"`
	Cells   []string `json:"cells"`
}

func planPath(dir string) string { return filepath.Join(dir, cellsDir, "study.json") }

func (o Options) savePlan() error {
	if err := os.MkdirAll(filepath.Join(o.Out, cellsDir), 0o755); err != nil {
		return err
	}
	return jsonfile.Write(planPath(o.Out), plan{o.Config.Origin.Command, o.Config.Train.MaxIter, o.Cells()})
}

// NewJob checks the options and every existing run, as Run does, and returns the job of computing
// the unfinished cells by the program with the given arguments.
func NewJob(ctx context.Context, o Options, program string, args []string) (Job, error) {
	s, err := open(o)
	if err != nil {
		return Job{}, err
	}
	job := Job{Program: program, Args: args, Data: o.Config.Data.DatasetDir}
	if job.Dir, err = filepath.Abs(o.Out); err != nil {
		return Job{}, err
	}
	for _, c := range s.grid() {
		e, err := s.finished(ctx, c)
		if err != nil {
			return Job{}, fmt.Errorf("%s: %w", c.name(), err)
		}
		if e == nil {
			job.Cells = append(job.Cells, c.name())
		}
	}
	return job, nil
}

// Launch passes the job to the launcher unless nothing is left to compute. If the launcher waits
// for the cells, Launch then writes the tables of the finished ones; failed cells are an error.
// Otherwise the launcher also arranges for the tables, and the result is nil.
func Launch(ctx context.Context, o Options, job Job, l Launcher) (*Result, error) {
	if err := o.savePlan(); err != nil {
		return nil, err
	}
	var failure error
	if len(job.Cells) > 0 {
		var over bool
		if over, failure = l.Launch(ctx, job); !over || ctx.Err() != nil {
			return nil, failure
		}
	}
	result, err := Tables(ctx, o)
	return result, errors.Join(failure, err)
}
