package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/viz/escape"
)

// readingFlags adds the flags that say how a command reads data sets.
func readingFlags(cmd *cobra.Command, opt *data.Options) {
	flags := cmd.Flags()
	flags.BoolVar(&opt.Strict, "strict", false, "fail on annotation files that would need mending")
	flags.BoolVar(&opt.SkipBad, "skip-bad", false, "leave out images whose picture is missing, cannot be read or does not have the annotated size")
	flags.BoolVar(&opt.Check, "check", false, "decode all pictures first, instead of only reading their headers")
}

// openSet opens a data set and shows progress while it reads many headers.
func openSet(spec string, opt data.Options) (*data.Dataset, error) {
	const many = 2000 // pictures
	progress := &setProgress{w: os.Stderr}
	opt.Progress = func(done, total int) {
		if total >= many {
			progress.update("reading headers of pictures", done, total)
		}
	}
	set, err := data.Open(spec, opt)
	return set, withSkipBad(err)
}

// withSkipBad adds the flag that skips images that cannot be used to the error about them, if there
// are others.
func withSkipBad(err error) error {
	if bad := (*data.BadImages)(nil); errors.As(err, &bad) && len(bad.Images) < bad.Total {
		return fmt.Errorf("%w: --skip-bad continues without them", err)
	}
	return err
}

// skippedFile lists the images that --skip-bad has left out, in the folder of a run or an
// evaluation.
const skippedFile = "skipped-images.json"

// keepSkipped writes the images that were left out into a folder, by the spec of their set, if
// there are any.
func keepSkipped(dir string, sets ...*data.Dataset) error {
	skipped := map[string][]data.BadImage{}
	for _, set := range sets {
		if len(set.Skipped) > 0 {
			skipped[set.Name] = set.Skipped
		}
	}
	if len(skipped) == 0 {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return jsonfile.Write(filepath.Join(dir, skippedFile), skipped)
}

// readSkipped returns the list that keepSkipped wrote into a folder, empty if there is none.
func readSkipped(dir string) (map[string][]data.BadImage, error) {
	var skipped map[string][]data.BadImage
	err := jsonfile.Read(filepath.Join(dir, skippedFile), &skipped)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return skipped, err
}

// openTrainingSetAgain opens the training set of the run in dir to continue it, without the images
// that it started without, since others would change its numbers.
func openTrainingSetAgain(dir string, c config.Config, reading data.Options) (*data.Dataset, error) {
	if c.Data.Train == "" {
		return nil, fmt.Errorf("%s: it names no training set (data.train): restore it from a backup, or name the set by --set data.train=SPEC", filepath.Join(dir, "config.yaml"))
	}
	skipped, err := readSkipped(dir)
	if err != nil {
		return nil, err
	}
	reading.SkipBad = len(skipped) > 0
	set, err := openTrainingSet(c, reading)
	if err != nil {
		return nil, err
	}
	same := func(a, b data.BadImage) bool { return a.ID == b.ID }
	if before := skipped[set.Name]; !slices.EqualFunc(before, set.Skipped, same) {
		return nil, fmt.Errorf("%s: the run started without %d images that could not be used, now there are %d, or others: restore the images, or start a new run", set.Name, len(before), len(set.Skipped))
	}
	return set, nil
}

// checkObjects warns of classes without an object in a training set; if strict, they are an error.
func checkObjects(set *data.Dataset, strict bool) error {
	empty := set.WithoutObjects()
	switch {
	case len(empty) == 0:
		return nil
	case len(empty) == len(set.Categories):
		return fmt.Errorf("%s: the training set has no object of the classes %q of model.classes: a detector learns from boxes; its file may name others (ffs data stats %s): --set model.classes='[...]'", set.Name, empty, quoted(set.Spec))
	case strict:
		return fmt.Errorf("%s: the training set has no object of the classes %q of model.classes: leave them out, or train without --strict", set.Name, empty)
	}
	escape.Fprintf(os.Stderr, "warning: %s: the training set has no object of the classes %q of model.classes: they cannot be learned\n", set.Name, empty)
	return nil
}
