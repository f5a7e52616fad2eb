package cli

import (
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/viz/escape"
)

func newDataConvert() *cobra.Command {
	var opt data.Options
	var out, images string
	cmd := &cobra.Command{
		Use:   "convert SPEC --out FILE.json",
		Short: "Write a data set as COCO JSON",
		Long: `Write a data set as a COCO annotation file, whole or not at all, and print its
spec. Pictures stay where they are; those of a generated set are written as PNG
files into the folder --images. All content of a COCO file is kept: info,
licenses, segmentations, ids, and other keys of records.`,
		Example: `  ffs data convert voc:VOCdevkit/VOC2007,test --out val_coco_format.json
  ffs data convert bdd100k:labels/box_track_20/val,images/track/val --out bdd_val.json
  ffs data convert "digits:val?n=100" --out digits.json --images digits`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			opt.Keep = true
			set, err := openSet(args[0], opt)
			if err != nil {
				return err
			}
			if err := spareInputs([]string{out}, set); err != nil {
				return err
			}
			if images != "" {
				progress := &setProgress{w: os.Stderr}
				set, err = data.SavePictures(set, images, func(done, total int) { progress.update("pictures", done, total) })
				if err != nil {
					return err
				}
			}
			printNotes(set)
			return writeSet(out, set)
		},
	}
	datasetDirFlag(cmd, &opt)
	readingFlags(cmd, &opt)
	cmd.Flags().StringVar(&out, "out", "", "COCO file to write, for example val.json")
	cmd.Flags().StringVar(&images, "images", "", "folder for the pictures of a generated set, for example pictures")
	cobra.CheckErr(cmd.MarkFlagRequired("out"))
	return cmd
}

// writeSet writes a set as COCO JSON, in a folder that it creates if needed, and prints its spec
// and size.
func writeSet(path string, set *data.Dataset) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := data.WriteCOCO(path, set); err != nil {
		return err
	}
	s := set.Stats()
	escape.Fprintf(os.Stdout, "coco:%s,%s: %d images, %d objects, %d crowd regions, %d classes\n", path, set.ImagesDir, s.Images, s.Objects, s.Crowd, len(s.Classes))
	return nil
}
