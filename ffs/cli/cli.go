// Package cli holds every command of the program. Your own program can offer all of them, together
// with the parts that it registers:
//
//	package main
//
//	import (
//		_ "example.com/mine" // calls outlier.Register, backbone.Register, loss.Register, ...
//		"ffslab/ffs/cli"
//	)
//
//	func main() { cli.Main() }
package cli

import (
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"runtime/debug"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"ffslab/data"
	_ "ffslab/data/digits" // makes "digits:..." a data set
	"ffslab/ffs/device"
	"ffslab/ffs/eval/evalcmd"
	"ffslab/ffs/infer"
	"ffslab/ffs/lab/labcmd"
	"ffslab/viz/escape"
)

// Main runs the command line of the process and exits with its status: 0, 1 after an error, 130
// after an interruption.
func Main() {
	device.Start(device.FromEnvironment())
	os.Exit(execute())
}

// execute runs the command line and returns the exit status: 0, 1 after an error, 130 after an
// interruption.
func execute() (status int) {
	ctx, stop := interruptible(os.Stderr, os.Exit)
	defer stop()
	defer func() {
		// A panic here is a bug in this program: report it in one line, with a trace on request.
		if fault := recover(); fault != nil {
			escape.Fprintf(os.Stderr, "error: internal: %s (set FFSLAB_TRACE=1 for the trace, and please report it)\n", fmt.Sprint(fault))
			if os.Getenv("FFSLAB_TRACE") != "" {
				fmt.Fprintf(os.Stderr, "%s\n", debug.Stack())
			}
			status = 1
		}
	}()
	err := newRoot().ExecuteContext(ctx)
	switch {
	case err == nil:
		return 0
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(os.Stderr, "interrupted")
		return interrupted
	}
	escape.Fprintf(os.Stderr, "error: %v\n", err)
	return 1
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:           "ffs",
		Short:         "Outlier-aware object detection with flow-based feature synthesis",
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.PersistentFlags().String("backend", "", `backend to compute on, "xla:cpu" or "xla:cuda"; empty: $GOMLX_BACKEND, or else the best available`)
	memory := root.PersistentFlags().Int64("picture-memory", data.DefaultPictureMemory>>20, "limit in MiB for pictures while they are read, of all workers together")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := checkRequired(cmd); err != nil {
			return err
		}
		if *memory < 1 || *memory > math.MaxInt64>>20 {
			return fmt.Errorf("--picture-memory %d: give a number of MiB from 1 on", *memory)
		}
		data.SetPictureMemory(*memory << 20)
		return nil
	}
	root.AddCommand(
		labcmd.Notebooks(deviceOptions), labcmd.Lab(deviceOptions), newDoctor(),
		newTrain(), newEval(), newStudy(), newDetect(), newSample(), newFeatures(), newImport(), newExport(), newZoo(), newConfig(),
		evalcmd.CocoEval(), evalcmd.OodEval(), newData(), newBench(), newVersion(),
	)
	explainUse(root)
	return root
}

// deviceOptions returns the options of the environment, with the backend of --backend.
func deviceOptions(cmd *cobra.Command) device.Options {
	options := device.FromEnvironment()
	if flag := cmd.Flags().Lookup("backend"); flag != nil && flag.Value.String() != "" {
		options.Backend = flag.Value.String()
	}
	options.Context = cmd.Context()
	return options
}

// openBackend opens the backend of --backend for a detector.
func openBackend(cmd *cobra.Command) (compute.Backend, error) {
	return device.OpenForDetectors(deviceOptions(cmd))
}

// openModel loads the newest checkpoint of the run in dir on the backend of --backend.
func openModel(cmd *cobra.Command, dir string) (*infer.Model, error) {
	backend, err := openBackend(cmd)
	if err != nil {
		return nil, err
	}
	m, err := infer.Open(backend, dir)
	if err != nil {
		return nil, err
	}
	printWarnings(m.Checkpoint.Notes)
	return m, nil
}

// printNote prints a message that deserves attention.
func printNote(message string) { escape.Fprintf(os.Stderr, "%s\n", message) }

// printWarnings prints notes that deserve attention.
func printWarnings(notes []string) {
	for _, note := range notes {
		escape.Fprintf(os.Stderr, "warning: %s\n", note)
	}
}
