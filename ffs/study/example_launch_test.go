package study_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ffslab/data"
	_ "ffslab/data/digits" // makes "digits2:..." a data set
	"ffslab/ffs/config"
	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
	"ffslab/ffs/run"
	"ffslab/ffs/study"
)

// options compare two methods on generated digits, in a folder of their own.
func options() (study.Options, error) {
	c, err := config.Preset("digits")
	if err != nil {
		return study.Options{}, err
	}
	var sets []*data.Dataset
	for _, spec := range []string{"digits2:train?n=20", "digits2:val?n=4", "digits2:ood-far?n=4"} {
		set, err := data.Open(spec, data.Options{})
		if err != nil {
			return study.Options{}, err
		}
		sets = append(sets, set)
	}
	out, err := os.MkdirTemp("", "study")
	return study.Options{
		Config: c, Methods: []string{"none", "flow"}, Baseline: "none", Seeds: []int64{0},
		Training: sets[0], Inlier: sets[1], Outliers: sets[2:], Out: out,
	}, err
}

// queue is a launcher for a cluster of another kind. It prints the command of each cell, where the
// real one submits it.
type queue struct{}

var _ study.Launcher = queue{}

func (queue) Launch(_ context.Context, job study.Job) (over bool, err error) {
	for _, cell := range job.Cells {
		fmt.Println(job.Program, strings.Join(job.Args, " "), study.CellFlag, cell, ">", filepath.Base(study.LogPath(job.Dir, cell)))
	}
	return false, nil // the queue has them: nobody waits here
}

// Write a launcher of your own, and ask for the state of its cells.
func ExampleLaunch() {
	o, err := options()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(o.Out)
	ctx := context.Background()
	job, err := study.NewJob(ctx, o, "ffs", []string{"study", "--methods", "none,flow"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := study.Launch(ctx, o, job, queue{}); err != nil {
		fmt.Println(err)
		return
	}
	status, err := study.Status(o.Out)
	for _, cell := range status {
		fmt.Println(cell.Cell, "is", cell.State)
	}
	fmt.Println(err)
	// Output:
	// ffs study --methods none,flow --cell none-seed0 > none-seed0.log
	// ffs study --methods none,flow --cell flow-seed0 > flow-seed0.log
	// none-seed0 is waiting
	// flow-seed0 is waiting
	// <nil>
}

// The script for Slurm, to be looked at before it is submitted.
func ExampleSlurm_Script() {
	job := study.Job{
		Dir: "/studies/methods", Cells: []string{"none-seed0", "flow-seed0"},
		Program: "ffs", Args: []string{"study", "--out", "/studies/methods"},
	}
	script, err := study.Slurm{Options: "--partition=gpu --gres=gpu:1", Parallel: 4}.Script(job)
	for line := range strings.Lines(script) {
		if strings.HasPrefix(line, "#SBATCH --") && strings.Contains(line, "gpu") || strings.Contains(line, "-seed0") {
			fmt.Print(line)
		}
	}
	fmt.Println(err)
	// Output:
	// #SBATCH --partition=gpu --gres=gpu:1
	// 	none-seed0
	// 	flow-seed0
	// <nil>
}

// A run that was trained with other settings is never mixed in: Run says so before it computes
// anything.
func ExampleRun() {
	o, err := options()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(o.Out)
	settings, err := o.Settings()
	if err != nil {
		fmt.Println(err)
		return
	}
	other := settings[0].Config
	other.Train.BaseLR /= 2
	earlier, err := run.Create(filepath.Join(o.Out, "runs", "none-seed0"), other)
	if err != nil {
		fmt.Println(err)
		return
	}
	earlier.Close()
	_, err = study.Run(context.Background(), o)
	fmt.Println("train.base_lr is named:", strings.Contains(err.Error(), "train.base_lr"))
	// Output: train.base_lr is named: true
}

// What a launcher's process calls for its cell, here with a name that the study does not have.
func ExampleRunCell() {
	o, err := options()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(o.Out)
	fmt.Println(study.RunCell(context.Background(), o, "flow-seed7"))
	// Output: cell "flow-seed7": the study has no such cell: choose one of [none-seed0 flow-seed0]
}

// The tables of what is finished so far, at any time: nothing is computed but the comparison.
func ExampleTables() {
	o, err := options()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(o.Out)
	r, err := study.Tables(context.Background(), o)
	if err != nil {
		fmt.Println(err)
		return
	}
	tables, err := filepath.Glob(filepath.Join(o.Out, "study.*"))
	fmt.Println(len(r.Cells), "of", len(o.Cells()), "cells are finished;", len(tables), "files", err)
	// Output: 0 of 2 cells are finished; 4 files <nil>
}

// Two runs on the same images, measure by measure. With eval.Bootstrap{Resamples: 1000} every
// difference has an interval, for which the evaluations need their detections.
func ExampleCompare() {
	o, err := options()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(o.Out)
	evaluation := func(ap50, auroc float64) *protocol.Evaluation {
		return &protocol.Evaluation{
			Sets: append([]*data.Dataset{o.Inlier}, o.Outliers...),
			Report: &eval.Report{
				MAP:      eval.Stats{AP: ap50 / 2, AP50: ap50},
				Outliers: map[string]*eval.Outcome{o.Outliers[0].Name: {Scores: map[string]eval.Separation{"energy": {AUROC: auroc, FPR95: 0.5}}}},
			},
		}
	}
	all, err := study.Compare(evaluation(0.71, 0.85), evaluation(0.70, 0.75), eval.Bootstrap{})
	for _, c := range all {
		fmt.Println(c.Name, c.Set, fmt.Sprintf("%+.2f", c.Value-c.Baseline))
	}
	fmt.Println(err)
	// Output:
	// AP  +0.01
	// AP50  +0.01
	// AUROC digits2:ood-far?n=4 +0.10
	// FPR95 digits2:ood-far?n=4 +0.00
	// <nil>
}
