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

// ownScores means the scores that the model computes itself, without others.
const ownScores = "own"

// scoreFlags say which post-hoc scores a command measures, and what they are fitted on.
type scoreFlags struct {
	asked   []string
	train   string
	objects int
	on      string
}

// What scores are fitted on.
const (
	fitObjects    = "objects"
	fitDetections = "detections"
)

func addScoreFlags(cmd *cobra.Command) *scoreFlags {
	f := &scoreFlags{}
	flags := cmd.Flags()
	flags.StringSliceVar(&f.asked, "scores", []string{"all"}, `post-hoc scores, for example energy,knn; "all", or "own" for only those of the model`)
	flags.StringVar(&f.train, "train", "", "set to fit scores on, for example digits:train; empty: the run's data.train")
	flags.IntVar(&f.objects, "fit-objects", protocol.FitLimit, "approximate number of annotated objects of that set to fit scores on")
	flags.StringVar(&f.on, "fit-on", fitObjects, `boxes of that set to fit scores on: "objects", as annotated, or "detections", those that the model finds with probability 0.5 or more`)
	return f
}

// names returns the scores besides those of the model, which are always there.
func (f *scoreFlags) names() []string { return scoreNames(f.asked) }

func scoreNames(asked []string) []string {
	others := slices.DeleteFunc(slices.Clone(asked), func(name string) bool { return name == ownScores })
	if len(others) == 0 {
		return nil
	}
	return others
}

// check returns an error for an unknown score, before anything is loaded.
func (f *scoreFlags) check() error {
	if f.objects < 1 {
		return fmt.Errorf("--fit-objects %d: must be positive", f.objects)
	}
	if f.on != fitObjects && f.on != fitDetections {
		return fmt.Errorf("--fit-on %q: want %s or %s", f.on, fitObjects, fitDetections)
	}
	_, err := posthoc.Resolve(f.names())
	return err
}

// trainingSet opens the set that scores are fitted on, with the model's classes, and without images
// that cannot be used if the run in dir started without such. If the set that the run names is
// missing, it returns nil and warns.
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
		escape.Fprintf(os.Stderr, "warning: scores that need inliers are left out: %v: give the training set by --train\n", err)
		return nil, nil
	}
	return set, err
}
