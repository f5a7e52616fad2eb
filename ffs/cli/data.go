package cli

import (
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/viz/escape"
)

func newData() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "data",
		Short: "List, inspect, convert and split data sets",
		Long: `List, inspect, convert and split data sets. A data set is named by a SPEC:

  ` + strings.Join(data.Syntaxes(), "\n  ") + `

NAME is listed by "ffs data ls"; its root is --dataset-dir, or ROOT after an @.
yolo: is ultralytics' layout, voc: also a folder of XML files beside their images
(split: all), images: a folder of images without annotations. Text files may be
compressed by gzip.

Files are read as leniently as by pycocotools, detectron2 or ultralytics: faults
are mended in memory, and a note counts each kind of mending and shows the first
record. --strict makes each an error. The headers of all images are read and
compared with the annotations; --check decodes the images, and --skip-bad leaves
out those that are missing, damaged or of another size.`,
	}
	cmd.AddCommand(newDataList(), newDataStats(), newDataShow(), newDataConvert(), newDataSplit())
	return cmd
}

func datasetDirFlag(cmd *cobra.Command, opt *data.Options) {
	cmd.Flags().StringVar(&opt.DatasetDir, "dataset-dir", "", "root of data sets given by NAME alone, for example /data/COCO")
}

func newDataList() *cobra.Command {
	var opt data.Options
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "ls",
		Short: "List the data sets known by name, and which files of them exist",
		Long: `List the data sets known by name. With --dataset-dir, also show what would be
read under that root: the prepared COCO file, or the published files.`,
		Example: `  ffs data ls
  ffs data ls --dataset-dir /data/COCO`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			type entry struct {
				Name    string   `json:"name"`
				About   string   `json:"about"`
				Sources []string `json:"sources"`
				Images  string   `json:"images"`
				Found   string   `json:"found"`
			}
			var entries []entry
			for _, set := range data.Named() {
				e := entry{Name: set.Name, About: set.About, Sources: set.Sources(), Images: set.Images}
				if opt.DatasetDir != "" {
					e.Found = set.Source(opt.DatasetDir)
				}
				entries = append(entries, e)
			}
			if asJSON {
				return jsonfile.Print(os.Stdout, entries)
			}
			w := newTabs(os.Stdout)
			for _, e := range entries {
				found := "looks for " + strings.Join(e.Sources, ", or ")
				if e.Found != "" {
					found = "found: " + e.Found
				}
				escape.Fprintf(w, "%s\t%s\t%s\n", e.Name, e.About, found)
			}
			return w.Flush()
		},
	}
	datasetDirFlag(cmd, &opt)
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// printNotes prints what the reader of a set left out or changed.
func printNotes(set *data.Dataset) {
	for _, note := range set.Notes {
		escape.Fprintf(os.Stderr, "note: %s: %s\n", set.Name, note)
	}
}

func newTabs(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }
