package cli

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ffslab/ffs/study"
)

// launchFlags say which processes compute the cells of a study.
type launchFlags struct {
	parallel int
	slurm    bool
	sbatch   string
	dryRun   bool
	cell     string
	tables   bool
}

// launchNames are flags that are not passed to the processes of a study.
var launchNames = []string{"parallel", "slurm", "sbatch", "dry-run", "cell", "tables", "json"}

func (f *launchFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.IntVar(&f.parallel, "parallel", 0, "number of runs at a time, each in its own process that sees one GPU, if any; with --slurm the limit of the array; 0: one after the other, with --slurm no limit")
	flags.BoolVar(&f.slurm, "slurm", false, "submit the runs to Slurm and return")
	flags.StringVar(&f.sbatch, "sbatch", "", `options of sbatch for the runs and the tables, for example "--partition=gpu --gres=gpu:1 --time=12:00:00"`)
	flags.BoolVar(&f.dryRun, "dry-run", false, "with --slurm: only print the script that would be submitted")
	flags.StringVar(&f.cell, strings.TrimPrefix(study.CellFlag, "--"), "", "compute only this run and no tables, for example flow-seed0; used by --parallel and --slurm")
	flags.BoolVar(&f.tables, strings.TrimPrefix(study.TablesFlag, "--"), false, "write the tables of the finished runs and compute nothing")
	cmd.MarkFlagsMutuallyExclusive("cell", "tables", "slurm")
	cmd.MarkFlagsMutuallyExclusive("cell", "tables", "parallel")
}

// check returns an error that names a flag without meaning.
func (f *launchFlags) check(cmd *cobra.Command) error {
	switch {
	case f.parallel < 0:
		return fmt.Errorf("--parallel %d: must not be negative: give 0 for one after the other", f.parallel)
	case !f.slurm && (f.sbatch != "" || f.dryRun):
		return fmt.Errorf("--sbatch and --dry-run need --slurm: give it too")
	}
	return nil
}

// run runs the study as the flags say. The result is nil if there is none yet.
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
	if !f.slurm {
		return study.Launch(cmd.Context(), o, job, study.Processes{Parallel: f.parallel, Note: printNote})
	}
	slurm := study.Slurm{Options: f.sbatch, Parallel: f.parallel, Note: printNote}
	if f.dryRun {
		if len(job.Cells) == 0 {
			printNote("every run is finished: nothing would be submitted")
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

// studyArgs returns the given flags that say what to study.
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
