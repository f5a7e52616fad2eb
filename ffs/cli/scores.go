package cli

import (
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/eval/posthoc"
	"ffslab/ffs/protocol"
	"ffslab/viz/escape"
)

// ownScores stands for the scores that the model gives itself, without any other.
const ownScores = "own"

// scoreFlags say which post-hoc scores a command measures, and what they are fitted on.
type scoreFlags struct {
	asked   []string
	train   string
	objects int
}

func addScoreFlags(cmd *cobra.Command) *scoreFlags {
	f := &scoreFlags{}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.asked, "scores", []string{"all"}, `post-hoc scores, for example energy,knn; "all", or "own" for those of the model alone`)
	flags.StringVar(&f.train, "train", "", "set that scores are fitted on; default: the run's data.train (digits:train)")
	flags.IntVar(&f.objects, "fit-objects", protocol.FitLimit, "annotated objects of that set to fit scores on, about; 0: the default")
	return f
}

// names are nil for those of the model alone.
func (f *scoreFlags) names() []string { return scoreNames(f.asked) }

func scoreNames(asked []string) []string {
	if slices.Contains(asked, ownScores) {
		return nil
	}
	return asked
}

// check returns an error for a score that is not known, before anything is loaded.
func (f *scoreFlags) check() error {
	if f.objects < 0 {
		return fmt.Errorf("--fit-objects %d is not possible: give a number of objects", f.objects)
	}
	_, err := posthoc.Resolve(f.names())
	return err
}

// trainingSet opens the set that scores are fitted on, with the model's classes, without images that cannot be used if the run in dir began without such. One that
// the run names and that is not here is no error: what needs it is left out.
func (f *scoreFlags) trainingSet(dir string, c config.Config, reading data.Options) (*data.Dataset, error) {
	if f.names() == nil {
		return nil, nil
	}
	named := c.Data.Train
	override(&c.Data.Train, f.train)
	if c.Data.Train == "" {
		return nil, nil
	}
	skipped, err := readSkipped(dir)
	if err != nil {
		return nil, err
	}
	reading.DatasetDir, reading.SkipBad = c.Data.DatasetDir, reading.SkipBad || len(skipped) > 0
	set, err := openSet(c.Data.Train, reading)
	if err == nil {
		set, err = set.WithClasses(c.Model.Classes)
	}
	if err != nil && c.Data.Train == named && f.train == "" {
		escape.Fprintf(os.Stderr, "warning: no scores that need inliers: %v: give the training set by --train\n", err)
		return nil, nil
	}
	return set, err
}
