package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/viz/escape"
)

func newDataSplit() *cobra.Command {
	var (
		opt        data.Options
		split      data.SplitOptions
		out, words string
		asJSON     bool
		hold       holding
		parts      = []string{"id", "ood", "ood-near", "ood-far"}
	)
	cmd := &cobra.Command{
		Use:   "split SPEC --unknown|--known|--inlier CLASSES --out DIR",
		Short: "Separate a data set into images of known and of unknown objects",
		Long: `Separate a data set into images of known and of unknown objects, as COCO files in
the folder --out.

With --unknown or --known, divide one annotation file with all classes into the
sets for training and measuring an open-set detector:

  train.json    images with known objects; unknown objects in them remain, and
                "ffs train --unknown" says how to treat them
  val.json      a share --val-share of the images with only known objects
  mixed.json    a share --mixed-share of the images with objects of both kinds,
                to be measured object by object
  ood.json      all images with only unknown objects
  config.yaml   a configuration with these sets and classes:
                "ffs train --config DIR/config.yaml --run RUN", then
                "ffs eval --run RUN"
  split.json    the report: images and objects of each class in each set

Images without objects are divided between train.json and val.json. If no image
has only known objects, val.json has the images of mixed.json without their
unknown objects. The same --seed makes the same choice. ("ffs data stats" finds
pictures that are listed twice.)

With --inlier, compare the set with the classes of a detector that was trained on
another set:

  id.json         images with only objects of inlier classes, under the
                  detector's classes
  ood.json        images without objects of inlier classes
  ood-near.json   those of ood.json with an object of a near class, one similar
                  to an inlier class
  ood-far.json    those of ood.json with only objects of far classes
  split.json      the report: each class that counts as an inlier class and was
                  removed from ood.json, and why

Images with objects of both kinds are in none of these. A part without objects is
not written. CLASSES are "voc", "bdd100k", "youtube-vis", a file with one name a
line, or names separated by commas. Words of different data sets are matched:
VOC's "sofa" is COCO's "couch", a "taxi" is a "car", and any "Vehicle" may be a
car. The report shows what was removed; --not-inlier keeps a class. A class that
is neither given by --near or --far nor in the word list is far, and the report
says so.`,
		Example: `  ffs data split coco:all.json,images --unknown stop,yield --out split
  ffs data split yolo:data.yaml,train --known car,bus --val-share 0.3 --out split
  ffs data split coco_2017_val_custom@/data/COCO --inlier voc --out splits/coco
  ffs data split coco_2017_train_custom@/data/COCO --inlier youtube-vis --not-inlier mouse --out splits/vis
  ffs data split coco:all.json,images --inlier fish,shark --near whale --far boat --out splits/sea`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			opt.Keep = true
			if hold.given() {
				if err := refuseFlags(cmd, "--known and --unknown", "not-inlier", "near", "far", "words"); err != nil {
					return err
				}
				return hold.split(args[0], opt, out, asJSON)
			}
			if err := refuseFlags(cmd, "--inlier", "val-share", "mixed-share", "seed", "config"); err != nil {
				return err
			}
			if words != "" {
				list, err := os.ReadFile(words)
				if err != nil {
					return err
				}
				if split.Words, err = data.ParseWords(bytes.NewReader(list)); err != nil {
					return fmt.Errorf("%s: %w", words, err)
				}
			}
			split.SkipEmpty = hold.options.SkipEmpty
			set, err := openSet(args[0], opt)
			if err != nil {
				return err
			}
			result, err := data.MakeSplit(set, split)
			if err != nil {
				return err
			}
			if err := splitFolder(out, set, parts...); err != nil {
				return err
			}
			for i, part := range []*data.Dataset{result.ID, result.OOD, result.Near, result.Far} {
				if _, err := writePart(filepath.Join(out, parts[i]+".json"), part); err != nil {
					return err
				}
			}
			if err := jsonfile.Write(filepath.Join(out, splitReport), result.Report); err != nil {
				return err
			}
			if asJSON {
				return jsonfile.Print(os.Stdout, result.Report)
			}
			return printSplit(os.Stdout, result.Report)
		},
	}
	datasetDirFlag(cmd, &opt)
	readingFlags(cmd, &opt)
	flags := cmd.Flags()
	flags.Var((*classList)(&split.Inliers), "inlier", "classes of the detector, in its order: voc, bdd100k, youtube-vis, a file, or names such as cat,dog; may be repeated")
	flags.Var((*classList)(&split.NotInliers), "not-inlier", "classes of the set that are not inliers despite their names, for example mouse; may be repeated")
	flags.Var((*classList)(&split.Near), "near", "classes of the set that are near outliers, for example zebra,giraffe; may be repeated; empty: the word list decides")
	flags.Var((*classList)(&split.Far), "far", "classes of the set that are far outliers, for example pizza; may be repeated; empty: the word list decides")
	flags.StringVar(&words, "words", "", "word list to use instead of the built-in one, with lines \"same WORD: ...\", \"kind WORD: ...\", \"group NAME: ...\"")
	flags.StringVar(&out, "out", "", "folder for the files, for example splits/coco")
	flags.BoolVar(&asJSON, "json", false, "print the report as JSON")
	hold.flags(cmd)
	flags.BoolVar(&hold.options.SkipEmpty, "skip-empty", false, "leave out images without objects")
	cmd.MarkFlagsMutuallyExclusive("inlier", "known", "unknown")
	cmd.MarkFlagsOneRequired("inlier", "known", "unknown")
	cobra.CheckErr(cmd.MarkFlagRequired("out"))
	return cmd
}

const splitReport = "split.json"

// splitFolder makes the folder for the parts of a set. It is an error if it holds files of these
// names that are of no earlier split, or that the split is made from.
func splitFolder(out string, set *data.Dataset, parts ...string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	files := []string{filepath.Join(out, "config.yaml"), filepath.Join(out, splitReport)}
	for _, part := range parts {
		files = append(files, filepath.Join(out, part+".json"))
	}
	if err := spareInputs(files, set); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(out, splitReport)); err == nil {
		return nil
	}
	for _, path := range files {
		if _, err := os.Lstat(path); err == nil {
			return fmt.Errorf("%s is there and of no earlier split: choose another --out, or move it away", path)
		}
	}
	return nil
}

// writePart writes a part of a set and returns its spec. A part without objects is not written and
// has no spec.
func writePart(path string, part *data.Dataset) (spec string, err error) {
	if s := part.Stats(); s.Objects+s.Crowd == 0 {
		escape.Fprintf(os.Stderr, "no object is left for %s: not written\n", path)
		// A file of an earlier split must not be taken for one of this split.
		if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		return "", nil
	}
	if err := data.WriteCOCO(path, part); err != nil {
		return "", err
	}
	spec = fmt.Sprintf("coco:%s,%s", path, part.ImagesDir)
	escape.Fprintf(os.Stderr, "written: %s\n", spec)
	return spec, nil
}

// refuseFlags returns an error if a flag is given that has no meaning together with others.
func refuseFlags(cmd *cobra.Command, beside string, names ...string) error {
	for _, name := range names {
		if cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s has no meaning with %s: leave it out", name, beside)
		}
	}
	return nil
}

// classList is the value of a flag that names classes and may be repeated.
type classList []string

func (l *classList) String() string { return "" }

func (l *classList) Type() string { return "classes" }

func (l *classList) Set(value string) error {
	names, err := classNames(value)
	*l = append(*l, names...)
	return err
}

func classNames(value string) ([]string, error) {
	if classes, err := data.Classes(value); err == nil {
		return classes, nil
	}
	separator, text := ",", value
	if info, err := os.Stat(value); err == nil && info.Mode().IsRegular() {
		content, err := os.ReadFile(value)
		if err != nil {
			return nil, err
		}
		separator, text = "\n", string(content)
	}
	var names []string
	for name := range strings.SplitSeq(text, separator) {
		if name = strings.TrimSpace(name); name != "" {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%q names no class: give voc, bdd100k, youtube-vis, a file with one name a line, or names separated by commas", value)
	}
	return names, nil
}

func printSplit(to io.Writer, r data.SplitReport) error {
	escape.Fprintf(to, "%s: %d images\n", r.Set, r.Images)
	w := newTabs(to)
	empty := "in ood.json; --skip-empty leaves them out"
	if r.Skipped > 0 {
		empty = "left out"
	}
	for _, line := range []struct {
		images      int
		what, where string
	}{
		{r.ID, "with only inlier objects", "in id.json"},
		{r.Mixed, "with inlier and other objects", "in no part"},
		{r.Near, "with other objects, one of them near", "in ood.json and ood-near.json"},
		{r.Far, "with only far objects", "in ood.json and ood-far.json"},
		{r.Empty, "without objects", empty},
	} {
		fmt.Fprintf(w, "  %d\t%s\t%s\n", line.images, line.what, line.where)
	}
	fmt.Fprintln(w, "\nremoved from ood.json\tinlier class\twhy\timages\tobjects")
	for _, o := range r.Overlaps {
		escape.Fprintf(w, "%s\t%s\t%s\t%d\t%d\n", o.Class, o.Inlier, o.Why, o.Images, o.Objects)
	}
	if len(r.Overlaps) == 0 {
		fmt.Fprintln(w, "nothing: no class is an inlier class")
	}
	fmt.Fprintln(w, "\noutlier class\tgroup\twhy\timages kept\tof")
	var unknown []string
	for _, o := range r.Outliers {
		group := "far"
		if o.Near {
			group = "near"
		}
		if !o.Known {
			unknown = append(unknown, o.Class)
		}
		escape.Fprintf(w, "%s\t%s\t%s\t%d\t%d\n", o.Class, group, o.Why, o.Kept, o.Images)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if len(unknown) > 0 {
		escape.Fprintf(to, "\nwarning: not in the word list, so counted as far: %s (--near, --far or --words change that)\n", strings.Join(unknown, ", "))
	}
	if len(r.Absent) > 0 {
		escape.Fprintf(to, "\nno class of the set is one of the inlier classes %s\n", strings.Join(r.Absent, ", "))
	}
	return nil
}
