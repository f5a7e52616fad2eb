package cli

import (
	"errors"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"
	"golang.org/x/image/draw"

	"ffslab/data"
	"ffslab/data/box"
	"ffslab/ffs/eval"
	"ffslab/ffs/features"
	"ffslab/ffs/protocol"
	"ffslab/viz/escape"
)

func newFeatures() *cobra.Command {
	var (
		dir, datasetDir, out, projector string
		specs                           []string
		detections, objects             bool
		limit                           int
		least                           float64
		reading                         data.Options
	)
	cmd := &cobra.Command{
		Use:   "features --run DIR --data SPEC",
		Short: "Write box features, logits and the class layer of objects or detections as .npz",
		Long: `Write what a trained detector computes for boxes of data sets, for your own scores
and tools: features, logits, classes, boxes, image ids, the scores of the model,
and the class layer W, b. numpy.load reads it; "go doc ffslab/ffs/features"
describes the layout, with five lines of Python.

With --objects, the default, the boxes are annotated ones, and the set's
categories must be classes of the model. With --detections they are those that
the model finds, and OUT/SET.json is their COCO results file, with entries in the
order of the rows.

Write OUT/SET.npz for each set. With --projector DIR, also write files for
TensorBoard's Embedding Projector to DIR/SET: tensors.tsv, metadata.tsv,
sprite.png and projector_config.pbtxt, with at most 10000 boxes.`,
		Example: `  ffs features --run runs/digits --data digits:train --limit 5000 --out features
  ffs features --run runs/digits --data digits:val --data digits:ood-near --detections --out features
  ffs features --run runs/fish --data coco:val.json,images --out features --projector logs`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if objects && detections {
				return errors.New("--objects and --detections are both given: choose one")
			}
			if limit < 0 || !(least >= 0 && least <= 1) {
				return fmt.Errorf("--limit %d, --min-score %g: the limit must not be negative, the score from 0 to 1", limit, least)
			}
			if cmd.Flags().Changed("min-score") && !detections {
				return errors.New("--min-score is for detections: give --detections, too")
			}
			model, err := openModel(cmd, dir)
			if err != nil {
				return err
			}
			defer model.Close()
			c := model.Config
			override(&c.Data.DatasetDir, datasetDir)
			reading.DatasetDir = c.Data.DatasetDir
			if err := os.MkdirAll(out, 0o755); err != nil {
				return err
			}
			written := map[string]string{}
			for _, spec := range specs {
				set, err := openSet(spec, reading)
				if err != nil {
					return err
				}
				printNotes(set)
				path := filepath.Join(out, protocol.FolderName(set.Label()))
				if other, twice := written[path]; twice {
					return fmt.Errorf("%s and %s would both be written to %s.npz: write one of them to another folder", other, spec, path)
				}
				written[path] = spec
				if err := spareInputs([]string{path + ".json", path + ".npz"}, set); err != nil {
					return err
				}
				var table *features.Table
				if detections {
					var found []eval.Detection
					progress := &setProgress{w: os.Stderr}
					table, found, err = protocol.DetectedTable(cmd.Context(), model, set, least, progress.update)
					if err == nil {
						err = eval.WriteDetections(path+".json", found)
					}
				} else {
					if set, err = set.WithClasses(c.Model.Classes); err != nil {
						return err
					}
					table, err = protocol.ObjectTable(cmd.Context(), model, set, limit)
				}
				if err != nil {
					return err
				}
				if err := table.Write(path + ".npz"); err != nil {
					return err
				}
				escape.Fprintf(os.Stdout, "%s: %d rows of %d features: %s.npz\n", spec, table.Len(), table.Features.Columns, path)
				if projector != "" {
					if err := project(table, set, c.Model.Classes, filepath.Join(projector, filepath.Base(path))); err != nil {
						return err
					}
				}
			}
			return nil
		},
	}
	flags := cmd.Flags()
	runFlag(flags, &dir)
	flags.StringArrayVar(&specs, "data", nil, "data set, for example digits:train; may be repeated")
	flags.StringVar(&datasetDir, "dataset-dir", "", "folder of named data sets, for example /data; empty: the run's")
	flags.BoolVar(&objects, "objects", false, "features of annotated objects (the default)")
	flags.BoolVar(&detections, "detections", false, "features of detections")
	flags.IntVar(&limit, "limit", 0, "approximate number of annotated objects to write, from images spread evenly over the set; 0: all")
	flags.Float64Var(&least, "min-score", 0, "least probability of a detection to write")
	flags.StringVar(&out, "out", "", "folder for the files, for example features")
	flags.StringVar(&projector, "projector", "", "folder for the files of TensorBoard's Embedding Projector, for example logs; empty: none")
	readingFlags(cmd, &reading)
	cobra.CheckErr(errors.Join(cmd.MarkFlagRequired("run"), cmd.MarkFlagRequired("data"), cmd.MarkFlagRequired("out")))
	return cmd
}

// project writes a table for the Embedding Projector, with class, image, probability and picture of
// each box.
func project(table *features.Table, set *data.Dataset, classes []string, dir string) error {
	if table.ImageIDs == nil {
		return fmt.Errorf("%s: its image ids are not integers: pictures for the Projector cannot be found", set.Name)
	}
	index := set.Indices()
	names, columns := []string{"class", "image"}, make([][]string, 2)
	for i, class := range table.Classes {
		columns[0] = append(columns[0], classes[class])
		columns[1] = append(columns[1], filepath.Base(set.Images[index[data.ID(table.ImageIDs[i])]].File))
	}
	if table.Scores != nil {
		var scores []string
		for _, s := range table.Scores {
			scores = append(scores, strconv.FormatFloat(s, 'f', 4, 64))
		}
		names, columns = append(names, "probability"), append(columns, scores)
	}
	last := -1
	var view data.View
	return table.WriteProjector(dir, names, columns, func(row int) (image.Image, error) {
		if i := index[data.ID(table.ImageIDs[row])]; i != last { // rows of an image follow each other
			var err error
			if view, err = set.Images[i].View(maxDrawn); err != nil {
				return nil, err
			}
			last = i
		}
		var b box.COCO
		for i, v := range table.Boxes.Row(row) {
			b[i] = float64(v) * view.Scale
		}
		return crop(view.RGBA, b.Corners()), nil
	})
}

// crop returns the content of a box, at least a pixel, of a picture.
func crop(img image.Image, b box.Corners) image.Image {
	r := image.Rect(int(b[0]), int(b[1]), int(b[2])+1, int(b[3])+1).Intersect(img.Bounds())
	if r.Empty() {
		return nil
	}
	part := image.NewRGBA(image.Rectangle{Max: r.Size()})
	draw.Copy(part, image.Point{}, img, r, draw.Src, nil)
	return part
}
