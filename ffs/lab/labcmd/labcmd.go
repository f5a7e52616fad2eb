// Package labcmd holds the commands around the notebooks: notebooks, lab and doctor.
package labcmd

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ffslab/ffs/device"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/ffs/lab"
)

// Backend returns the options of a command's backend.
type Backend func(*cobra.Command) device.Options

// Notebooks returns the command that runs the notebooks without a browser.
func Notebooks(backend Backend) *cobra.Command {
	var options lab.RunOptions
	var asJSON bool
	command := &cobra.Command{
		Use:   "notebooks",
		Short: "Run all notebooks and write them with their figures (the main job)",
		Long: `Run the notebooks without a browser, two at a time where they do not need each
other, and write the executed notebooks, their figures and runs to --out. Install
what is missing first (XLA plugin, Jupyter, Go kernel, Plotly.js), once, into the
user's cache folder. A failing cell ends the command with an error that names
notebook, cell and cause; its notebook is written as well.

Without --run the notebooks explore detectors of the embedded digits that come with
the program (ffs zoo ls); training is only shown. With --train they train these
detectors first, shortened to 20 minutes on two CPU cores. With --run they explore
your run and your data.`,
		Example: `  go run ./ffs notebooks
  go run ./ffs notebooks --quick --out results
  go run ./ffs notebooks --only 03,05
  go run ./ffs notebooks --html
  go run ./ffs notebooks --train
  go run ./ffs notebooks --run runs/voc --id voc_custom_val@/data/VOC --ood coco_ood_val@/data/COCO`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			options.Log = command.ErrOrStderr()
			options.Device = backend(command)
			if err := checkCells(options.Cells); err != nil {
				return err
			}
			begin := time.Now()
			results, err := lab.Run(command.Context(), options)
			var failed *lab.CellError
			if errors.As(err, &failed) {
				fmt.Fprintf(options.Log, "\n%s\n\n", failed.Message)
			}
			if err != nil {
				return err
			}
			if asJSON {
				return jsonfile.Print(command.OutOrStdout(), results)
			}
			return errors.Join(
				writeResults(command.OutOrStdout(), options, results),
				writeSummary(command.OutOrStdout(), filepath.Join(options.Out, "summary.md"), begin))
		},
	}
	flags := command.Flags()
	flags.StringSliceVar(&options.Only, "only", nil, "run only the notebooks whose names begin so, for example 03 or 01,02 (default all)")
	addCells(command, &options.Cells)
	flags.DurationVar(&options.Timeout, "cell-timeout", time.Hour, "time after which a cell fails, for example 20m")
	flags.BoolVar(&options.HTML, "html", false, "also write the notebooks as pages with embedded images, OUT/html/index.html first")
	flags.BoolVar(&asJSON, "json", false, "print the list of executed notebooks as JSON")
	return command
}

// Lab returns the command that opens the notebooks in JupyterLab.
func Lab(backend Backend) *cobra.Command {
	var options lab.ServeOptions
	command := &cobra.Command{
		Use:   "lab",
		Short: "Open the notebooks in JupyterLab",
		Long: `Copy the notebooks to OUT/lab and open them in JupyterLab with the kernel
"Go (ffslab)". Existing copies are kept with your changes and results. Install what
is missing first, as "ffs notebooks" does. Stop JupyterLab by Ctrl-C.

Without --run the notebooks explore detectors of the embedded digits that come with
the program (ffs zoo ls); training is only shown. With --run they explore your run
and your data.`,
		Example: `  go run ./ffs lab
  go run ./ffs lab --run zoo:digits-none
  go run ./ffs lab --run runs/voc --id voc_custom_val@/data/VOC --ood coco_ood_val@/data/COCO
  go run ./ffs lab --no-browser --port 9999`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			options.Log = command.ErrOrStderr()
			options.Device = backend(command)
			if err := checkCells(options.Cells); err != nil {
				return err
			}
			return lab.Serve(command.Context(), options)
		},
	}
	flags := command.Flags()
	addCells(command, &options.Cells)
	flags.IntVar(&options.Port, "port", 0, "port of JupyterLab, for example 9999 (default 8888 or the next free one)")
	flags.BoolVar(&options.NoBrowser, "no-browser", false, "print the address instead of opening a browser")
	return command
}

// addCells adds the flags for the settings of cells.
func addCells(command *cobra.Command, cells *lab.Cells) {
	flags := command.Flags()
	flags.StringVar(&cells.Out, "out", "out", "folder for notebooks, figures and runs, for example results")
	flags.BoolVar(&cells.Quick, "quick", false, "fewer images and training steps")
	flags.StringVar(&cells.RunDir, "run", "", "explore this run folder or detector of the zoo, for example runs/voc or zoo:digits-none")
	flags.BoolVar(&cells.Train, "train", false, "train the runs that the notebooks explore instead of taking the zoo's")
	command.MarkFlagsMutuallyExclusive("train", "run")
	flags.StringVar(&cells.ID, "id", "", "inlier data set of --run, for example coco:val.json,images (default the run's own)")
	flags.StringArrayVar(&cells.OOD, "ood", nil, "outlier data set of --run, for example coco:ood.json,images; may be repeated (default the run's own)")
	flags.StringArrayVar(&cells.Studies, "study", nil, "folder of a study (ffs study) for notebook 06; may be repeated (default the results in the repository)")
}

// checkCells returns an error for data sets without a run.
func checkCells(cells lab.Cells) error {
	if (cells.ID != "" || len(cells.OOD) > 0) && cells.RunDir == "" {
		return errors.New("--id and --ood belong to a run: name its folder with --run")
	}
	return nil
}

// Doctor returns the command that checks the requirements.
func Doctor(backend Backend) *cobra.Command {
	var asJSON bool
	command := &cobra.Command{
		Use:   "doctor",
		Short: "Check what is needed, and name the remedy for what is missing",
		Long: `Check Go, the C compiler, Python, the XLA plugin and its results, the Go kernel,
Jupyter, the data and the disk. Install nothing. A failure gives exit status 1; a
warning is for what is slow or will be installed at first use.`,
		Example: `  go run ./ffs doctor
  go run ./ffs doctor --json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			checks := lab.Doctor(command.Context(), backend(command))
			write := writeChecks
			if asJSON {
				write = func(w io.Writer, checks []lab.Check) error { return jsonfile.Print(w, checks) }
			}
			if err := write(command.OutOrStdout(), checks); err != nil {
				return err
			}
			failures := 0
			for _, check := range checks {
				if check.Status == lab.Failure {
					failures++
				}
			}
			if failures > 0 {
				return fmt.Errorf("%d of %d checks failed", failures, len(checks))
			}
			return nil
		},
	}
	command.Flags().BoolVar(&asJSON, "json", false, "print the checks as JSON")
	return command
}

func writeResults(w io.Writer, options lab.RunOptions, results []lab.Result) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "notebook\tcode cells\ttime")
	for _, result := range results {
		seconds := time.Duration(result.Seconds * float64(time.Second)).Round(100 * time.Millisecond)
		fmt.Fprintf(table, "%s\t%d\t%s\n", filepath.Join(options.Out, "notebooks", filepath.Base(result.Notebook)), result.Cells, seconds)
	}
	if err := table.Flush(); err != nil || !options.HTML {
		return err
	}
	_, err := fmt.Fprintf(w, "pages: %s\n", filepath.Join(options.Out, "html", "index.html"))
	return err
}

// writeSummary writes the summary of results if a notebook has written it since the given time.
func writeSummary(w io.Writer, path string, since time.Time) error {
	text, err := lab.ReadSince(path, since)
	if err != nil || text == nil {
		return err
	}
	_, err = fmt.Fprintf(w, "\n%s", text)
	return err
}

func writeChecks(w io.Writer, checks []lab.Check) error {
	for _, check := range checks {
		if _, err := fmt.Fprintf(w, "%-4s  %-18s %s\n", check.Status, check.Name, check.Detail); err != nil {
			return err
		}
		if check.Remedy != "" {
			fmt.Fprintf(w, "      %-18s -> %s\n", "", check.Remedy)
		}
	}
	return nil
}
