package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"ffslab/ffs/internal/jsonfile"
	"ffslab/ffs/lab/labcmd"
	"ffslab/ffs/run"
	"ffslab/viz/escape"
)

// newDoctor returns labcmd's doctor, which checks a run instead with --run.
func newDoctor() *cobra.Command {
	cmd := labcmd.Doctor(deviceOptions)
	var dir string
	cmd.Flags().StringVar(&dir, "run", "", "check the files and checksums of this run instead, for example runs/digits")
	cmd.Example += "\n  go run ./ffs doctor --run runs/digits"
	environment := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if dir == "" {
			return environment(cmd, args)
		}
		return inspectRun(cmd, dir)
	}
	return cmd
}

func inspectRun(cmd *cobra.Command, dir string) error {
	found, err := run.Inspect(dir)
	if err != nil {
		return err
	}
	asJSON, err := cmd.Flags().GetBool("json")
	if err != nil {
		return err
	}
	damaged := 0
	for _, f := range found {
		if !f.Whole {
			damaged++
		}
	}
	if asJSON {
		if err := jsonfile.Print(cmd.OutOrStdout(), found); err != nil {
			return err
		}
	} else {
		table := newTabs(cmd.OutOrStdout())
		for _, f := range found {
			mark := "ok"
			if !f.Whole {
				mark = "FAIL"
			}
			escape.Fprintf(table, "%s\t%s\t%s\n", mark, f.File, f.Text)
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	if damaged > 0 {
		return fmt.Errorf("%s: %d of %d checks failed", dir, damaged, len(found))
	}
	return nil
}
