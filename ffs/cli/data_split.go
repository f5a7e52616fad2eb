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

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/internal/escape"
)

func newDataSplit() *cobra.Command {
	var (
		opt                            data.Options
		split                          data.SplitOptions
		inliers, notInliers, near, far []string
		out, words                     string
		asJSON                         bool
		parts                          = []string{"id", "ood", "ood-near", "ood-far"}
	)
	cmd := &cobra.Command{
		Use:   "split SPEC --inlier CLASSES --out DIR",
		Short: "Separate a data set into images of known and of unknown objects",
		Long: `Separate a data set by what is known to a detector, as COCO files in the folder --out:

  id.json         images with objects of inlier classes alone, with the detector's classes
  ood.json        images in which no object is of an inlier class
  ood-near.json   those of ood.json with an object of a near class: one like an inlier class
  ood-far.json    those of ood.json with objects of far classes alone
  split.json      the report: every class that was taken for an inlier class and removed from ood.json, and why

Images with objects of both kinds are in none. A part without objects is not written. CLASSES are "voc", "bdd100k", "youtube-vis", a file with one name a line, or names
separated by commas. Names of one data set are found under the words of another: VOC's "sofa" is COCO's "couch", a "taxi" is a "car", and
any "Vehicle" may be a car. The report shows what was removed; --not-inlier takes a class out of it. A class that is neither named by
--near or --far nor in the word list is far, and the report says so.`,
		Example: `  ffs data split coco_2017_val_custom@/data/COCO --inlier voc --out splits/coco
  ffs data split coco_2017_train_custom@/data/COCO --inlier youtube-vis --not-inlier mouse --out splits/vis
  ffs data split coco:all.json,images --inlier fish,shark --near whale --far boat --out splits/sea`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, list := range []struct {
				values []string
				names  *[]string
			}{{inliers, &split.Inliers}, {notInliers, &split.NotInliers}, {near, &split.Near}, {far, &split.Far}} {
				for _, value := range list.values {
					names, err := classNames(value)
					if err != nil {
						return err
					}
					*list.names = append(*list.names, names...)
				}
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
			set, err := openSet(args[0], opt)
			if err != nil {
				return err
			}
			result, err := data.MakeSplit(set, split)
			if err != nil {
				return err
			}
			var report bytes.Buffer
			if err := printJSON(&report, result.Report); err != nil {
				return err
			}
			if !asJSON {
				if err := printSplit(os.Stdout, result.Report); err != nil {
					return err
				}
			}
			for i, part := range []*data.Dataset{result.ID, result.OOD, result.Near, result.Far} {
				path := filepath.Join(out, parts[i]+".json")
				if s := part.Stats(); s.Objects+s.Crowd == 0 {
					escape.Fprintf(os.Stderr, "no object is left for %s: not written\n", path)
					// A file of an earlier split would pass for one of this.
					if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
						return err
					}
					continue
				}
				if err := os.MkdirAll(out, 0o755); err != nil {
					return err
				}
				if err := data.WriteCOCO(path, part); err != nil {
					return err
				}
				escape.Fprintf(os.Stderr, "written: coco:%s,%s\n", path, part.ImagesDir)
			}
			if err := os.MkdirAll(out, 0o755); err != nil {
				return err
			}
			if asJSON {
				if _, err := os.Stdout.Write(report.Bytes()); err != nil {
					return err
				}
			}
			return renameio.WriteFile(filepath.Join(out, "split.json"), report.Bytes(), 0o644)
		},
	}
	datasetDirFlag(cmd, &opt)
	readingFlags(cmd, &opt)
	flags := cmd.Flags()
	flags.StringArrayVar(&inliers, "inlier", nil, "the detector's classes, in its order: voc, bdd100k, youtube-vis, a file, or names (cat,dog); may be repeated")
	flags.StringArrayVar(&notInliers, "not-inlier", nil, "classes of the set that are no inliers, whatever their names say (mouse); may be repeated")
	flags.StringArrayVar(&near, "near", nil, "classes of the set that are near outliers (zebra,giraffe); may be repeated; default: the word list decides")
	flags.StringArrayVar(&far, "far", nil, "classes of the set that are far outliers (pizza); may be repeated; default: the word list decides")
	flags.StringVar(&words, "words", "", "word list instead of the built-in one: lines \"same WORD: ...\", \"kind WORD: ...\", \"group NAME: ...\" (words.txt)")
	flags.BoolVar(&split.SkipEmpty, "skip-empty", false, "leave images without any object out of ood.json")
	flags.StringVar(&out, "out", "", "folder for the files (splits/coco)")
	flags.BoolVar(&asJSON, "json", false, "print the report as JSON")
	cobra.CheckErr(errors.Join(cmd.MarkFlagRequired("inlier"), cmd.MarkFlagRequired("out")))
	return cmd
}

// classNames reads the value of a flag that names classes.
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
	escape.Fprintf(to, "%s: %d images: %d with inlier objects alone, %d with inlier and other objects (in no part), %d without inlier objects (%d near, %d far), %d without any object",
		r.Set, r.Images, r.ID, r.Mixed, r.OOD, r.Near, r.Far, r.Empty)
	switch {
	case r.Skipped > 0:
		fmt.Fprint(to, " (left out)")
	case r.Empty > 0:
		fmt.Fprint(to, " (in ood.json; --skip-empty leaves them out)")
	}
	fmt.Fprintln(to)
	w := newTabs(to)
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
		escape.Fprintf(to, "\nwarning: not in the word list, so counted as far: %s (--near, --far or --words tell better)\n", strings.Join(unknown, ", "))
	}
	if len(r.Absent) > 0 {
		escape.Fprintf(to, "\nno class of the set is one of the inlier classes %s\n", strings.Join(r.Absent, ", "))
	}
	return nil
}
