package cli

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ffslab/ffs/eval"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/ffs/run"
	"ffslab/ffs/zoo"
)

// runFlag adds the flag --run of a command that reads a run.
func runFlag(flags *pflag.FlagSet, dir *string) {
	flags.Var((*readRun)(dir), "run", "folder of the run, or a detector of the zoo (runs/digits, zoo:digits-flow)")
}

// readRun is a run folder; a name of the zoo becomes the folder that it is unpacked to.
type readRun string

func (r *readRun) String() string { return string(*r) }

func (r *readRun) Type() string { return "string" }

func (r *readRun) Set(name string) error {
	dir, err := zoo.Folder(name)
	*r = readRun(dir)
	return err
}

// inRun is the default place of what a command makes of a run: a name in its folder, or for a
// detector of the zoo, which stays as it came, in ./out.
func inRun(dir, name string) string {
	if zoo.Unpacked(dir) {
		return filepath.Join("out", name+"-"+filepath.Base(dir))
	}
	return filepath.Join(dir, name)
}

func newZoo() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "zoo",
		Short: "List the trained detectors that come with the program",
		Long: `The zoo holds detectors that were trained in full on the embedded digits.
"--run zoo:NAME" works wherever a run folder is read: eval, detect, sample,
features, export, notebooks and lab.`,
		Example: `  ffs zoo ls
  ffs detect --run zoo:digits-flow --out found photo.png
  ffs eval --run zoo:digits-flow`,
	}
	cmd.AddCommand(newZooList())
	return cmd
}

// zooEntry is a line of "ffs zoo ls".
type zooEntry struct {
	Name    string `json:"name"`
	Method  string `json:"method"`
	Steps   int    `json:"steps"`
	Seed    int64  `json:"seed"`
	Commit  string `json:"commit"`
	Command string `json:"command"`
	// AP50 is that of the inlier set, with its 95 % interval, nil if none was computed, and AUROC that
	// of the energy on each outlier set where it was measured, as fractions.
	AP50         float64            `json:"ap50"`
	AP50Interval *eval.Interval     `json:"ap50_ci95"`
	AUROC        map[string]float64 `json:"energy_auroc"`
}

func newZooList() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the detectors with their method, training and measures",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			var all []zooEntry
			for _, name := range zoo.Names() {
				entry, err := describeDetector(zoo.Prefix + name)
				if err != nil {
					return err
				}
				all = append(all, entry)
			}
			if asJSON {
				return jsonfile.Print(os.Stdout, all)
			}
			table := newTabs(os.Stdout)
			fmt.Fprintln(table, "detector\toutliers by\tsteps\tseed\tcommit\tAP50\tAUROC by energy")
			for _, e := range all {
				var sets []string
				for _, set := range slices.Sorted(maps.Keys(e.AUROC)) {
					sets = append(sets, fmt.Sprintf("%s %.1f", set, 100*e.AUROC[set]))
				}
				fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%s\t%s\t%s\n", e.Name, e.Method, e.Steps, e.Seed, e.Commit, e.ap50(), strings.Join(sets, ", "))
			}
			return table.Flush()
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the list as JSON, with the command of each training")
	return cmd
}

// describeDetector reads what is known of a detector of the zoo.
func describeDetector(name string) (zooEntry, error) {
	r, err := run.Open(name)
	if err != nil {
		return zooEntry{}, err
	}
	report, err := eval.ReadReport(r.Path("eval", "metrics.json"))
	if err != nil {
		return zooEntry{}, err
	}
	c := r.Config
	e := zooEntry{
		Name: name, Method: c.Model.Outlier.Method, Steps: c.Train.MaxIter, Seed: c.Train.Seed, Commit: c.Origin.Commit,
		Command: c.Origin.Command,
	}
	e.take(report)
	return e, nil
}

// take takes the numbers of the report that it has.
func (e *zooEntry) take(report *eval.Report) {
	e.AP50, e.AUROC = report.MAP.AP50, map[string]float64{}
	if i := report.MAPIntervals; i != nil {
		e.AP50Interval = &i.AP50
	}
	for set, outcome := range report.Outliers {
		if energy, ok := outcome.Scores["energy"]; ok {
			e.AUROC[set] = energy.AUROC
		}
	}
}

// ap50 returns AP50 in percent with its interval if there is one, "-" if nothing was annotated.
func (e *zooEntry) ap50() string {
	switch {
	case e.AP50 < 0:
		return "-"
	case e.AP50Interval == nil:
		return fmt.Sprintf("%.1f", 100*e.AP50)
	}
	return fmt.Sprintf("%.1f [%.1f, %.1f]", 100*e.AP50, 100*e.AP50Interval[0], 100*e.AP50Interval[1])
}
