package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ffslab/ffs/study"
	"ffslab/viz/escape"
)

// launchFlags say by which processes the cells of a study are computed.
type launchFlags struct {
	parallel int
	slurm    bool
	sbatch   string
	dryRun   bool
	cell     string
	tables   bool
}

// launchNames are the flags that the processes of a study are not started with.
var launchNames = []string{"parallel", "slurm", "sbatch", "dry-run", "cell", "tables", "json"}

func (f *launchFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&f.parallel, "parallel", 0, "runs at the same time, each in a process of its own that sees one GPU if there are any; with --slurm the limit of the array; 0: one after the other, with --slurm no limit")
	flags.BoolVar(&f.slurm, "slurm", false, "submit the runs to Slurm and return")
	flags.StringVar(&f.sbatch, "sbatch", "", `options for sbatch, of the runs and of the tables, for example "--partition=gpu --gres=gpu:1 --time=12:00:00"`)
	flags.BoolVar(&f.dryRun, "dry-run", false, "with --slurm: print the script that would be submitted, and do nothing")
	flags.StringVar(&f.cell, strings.TrimPrefix(study.CellFlag, "--"), "", "compute this run alone and make no tables, for example flow-seed0: what --parallel and --slurm start")
	flags.BoolVar(&f.tables, strings.TrimPrefix(study.TablesFlag, "--"), false, "make the tables of the runs that are finished and compute nothing")
	cmd.MarkFlagsMutuallyExclusive("cell", "tables", "slurm")
	cmd.MarkFlagsMutuallyExclusive("cell", "tables", "parallel")
}

// check returns an error that names the flag that means nothing.
func (f *launchFlags) check(cmd *cobra.Command) error {
	switch {
	case f.parallel < 0:
		return fmt.Errorf("--parallel %d: a number of runs is not negative: give 0 for one after the other", f.parallel)
	case !f.slurm && (f.sbatch != "" || f.dryRun):
		return fmt.Errorf("--sbatch and --dry-run say how to submit: give --slurm, too")
	}
	return nil
}

// run runs the study, or what the flags ask of it. The result is nil where there is none yet.
func (f *launchFlags) run(cmd *cobra.Command, o study.Options) (*study.Result, error) {
	switch {
	case f.cell != "":
		return nil, study.RunCell(cmd.Context(), o, f.cell)
	case f.tables:
		return study.Tables(cmd.Context(), o)
	case f.parallel == 0 && !f.slurm:
		return study.Run(cmd.Context(), o)
	}
	program, err := os.Executable()
	if err != nil {
		return nil, err
	}
	job, err := study.NewJob(cmd.Context(), o, program, append([]string{"study"}, studyArgs(cmd)...))
	if err != nil {
		return nil, err
	}
	note := func(message string) { escape.Fprintf(os.Stderr, "%s\n", message) }
	if !f.slurm {
		return study.Launch(cmd.Context(), o, job, study.Processes{Parallel: f.parallel, Note: note})
	}
	slurm := study.Slurm{Options: f.sbatch, Parallel: f.parallel, Note: note}
	if f.dryRun {
		if len(job.Cells) == 0 {
			note("every run is finished: nothing would be submitted")
			return nil, nil
		}
		script, err := slurm.Script(job)
		if err == nil {
			fmt.Fprint(cmd.OutOrStdout(), script)
		}
		return nil, err
	}
	return study.Launch(cmd.Context(), o, job, slurm)
}

// studyArgs are the flags that were given and that say what to study.
func studyArgs(cmd *cobra.Command) []string {
	var args []string
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		if slices.Contains(launchNames, flag.Name) {
			return
		}
		values := []string{flag.Value.String()}
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			values = list.GetSlice()
			if !strings.HasSuffix(flag.Value.Type(), "Array") {
				values = []string{strings.Join(values, ",")}
			}
		}
		for _, value := range values {
			args = append(args, "--"+flag.Name+"="+value)
		}
	})
	return args
}

// studyCommand is what to call to get the study, in whatever way its cells are computed.
func studyCommand(cmd *cobra.Command) string {
	return strings.Join(append([]string{"ffs", "study"}, studyArgs(cmd)...), " ")
}
