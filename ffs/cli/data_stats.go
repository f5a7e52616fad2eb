package cli

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/viz/escape"
)

func newDataStats() *cobra.Command {
	var opt data.Options
	var asJSON, noDuplicates bool
	cmd := &cobra.Command{
		Use:   "stats SPEC...",
		Short: "Count images, objects and classes, and find pictures that occur twice",
		Long: `Count the images, objects and classes of data sets, show what their readers left
out, and find pictures that occur twice, within a set or between sets: a picture
of the training set in the validation set makes every measurement too good. Sizes
are COCO's: small objects are below 32x32 pixels, large ones 96x96 or more.`,
		Example: `  ffs data stats coco:train.json,images coco:val.json,images
  ffs data stats voc:VOCdevkit/VOC2007,test --json
  ffs data stats coco_ood_val@/data/COCO`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, specs []string) error {
			var report struct {
				Sets       []data.Stats     `json:"sets"`
				Duplicates []data.Duplicate `json:"duplicates"`
			}
			var sets []*data.Dataset
			for _, spec := range specs {
				set, err := openSet(spec, opt)
				if err != nil {
					return err
				}
				sets = append(sets, set)
				report.Sets = append(report.Sets, set.Stats())
			}
			if !noDuplicates {
				var err error
				if report.Duplicates, err = data.Duplicates(sets...); err != nil {
					return err
				}
			}
			if asJSON {
				return jsonfile.Print(os.Stdout, report)
			}
			for _, s := range report.Sets {
				if err := printStats(os.Stdout, s); err != nil {
					return err
				}
			}
			printDuplicates(os.Stdout, report.Duplicates)
			return nil
		},
	}
	datasetDirFlag(cmd, &opt)
	readingFlags(cmd, &opt)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	cmd.Flags().BoolVar(&noDuplicates, "no-duplicates", false, "do not compare the picture files")
	return cmd
}

func printStats(to io.Writer, s data.Stats) error {
	escape.Fprintf(to, "%s\n", s.Set)
	if s.Annotations != "" {
		escape.Fprintf(to, "  read from %s, pictures in %s\n", s.Annotations, s.ImagesDir)
	}
	escape.Fprintf(to, "  %d images, %d of them without objects; width %d to %d, median %d; height %d to %d, median %d\n",
		s.Images, s.Empty, s.Width.Min, s.Width.Max, s.Width.Median, s.Height.Min, s.Height.Max, s.Height.Median)
	escape.Fprintf(to, "  %d objects (%d small, %d medium, %d large) and %d crowd regions\n", s.Objects, s.Small, s.Medium, s.Large, s.Crowd)
	if s.Unlabelled {
		fmt.Fprintln(to, "  not annotated: an outlier set for AUROC, AUPR and FPR95; open-set measures need boxes")
	}
	for _, note := range s.Notes {
		escape.Fprintf(to, "  note: %s\n", note)
	}
	w := newTabs(to)
	fmt.Fprintln(w, "  id\tclass\timages\tobjects\tcrowd")
	unused := 0
	for _, c := range s.Classes {
		if c.Images == 0 {
			unused++
			continue
		}
		escape.Fprintf(w, "  %v\t%s\t%d\t%d\t%d\n", c.ID, c.Name, c.Images, c.Objects, c.Crowd)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if unused > 0 {
		escape.Fprintf(to, "  %d classes have no object\n", unused)
	}
	return nil
}

// printDuplicates lists the first pictures that occur more than once.
func printDuplicates(to io.Writer, duplicates []data.Duplicate) {
	const shown, shownPlaces = 10, 3 // groups, and pictures of each
	if len(duplicates) == 0 {
		return
	}
	escape.Fprintf(to, "warning: %d pictures occur more than once:\n", len(duplicates))
	for _, d := range duplicates[:min(shown, len(duplicates))] {
		var places []string
		for _, p := range d.Places[:min(shownPlaces, len(d.Places))] {
			places = append(places, fmt.Sprintf("%s (id %v of %s)", p.File, p.ID, p.Set))
		}
		if more := len(d.Places) - shownPlaces; more > 0 {
			places = append(places, fmt.Sprintf("%d more", more))
		}
		escape.Fprintf(to, "  %s\n", strings.Join(places, " = "))
	}
	if len(duplicates) > shown {
		escape.Fprintf(to, "  and %d more: --json lists all\n", len(duplicates)-shown)
	}
}
