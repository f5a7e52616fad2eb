package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/data/corrupt"
	"ffslab/ffs/eval"
	"ffslab/ffs/explore"
	"ffslab/ffs/infer"
)

// found is one entry of detect's detections.json.
type found struct {
	ImageID    int64      `json:"image_id"`
	FileName   string     `json:"file_name"`
	CategoryID int64      `json:"category_id"`
	Category   string     `json:"category"`
	Box        [4]float64 `json:"bbox"` // x, y, width, height
	Score      float64    `json:"score"`
	Logits     []float32  `json:"logits"`
	Energy     float64    `json:"energy"`
	Unknown    *bool      `json:"unknown"`
	Corruption string     `json:"corruption,omitempty"` // of the picture: "fog-3"
}

func newDetect() *cobra.Command {
	var (
		dir, out      string
		energy, score float64
		corruption    func() (corrupt.Choice, error)
	)
	cmd := &cobra.Command{
		Use:   "detect --run DIR IMAGE...",
		Short: "Find objects in images and draw them, unknown objects marked",
		Long: `Find objects in JPEG or PNG images. Writes OUT/detections.json (a COCO results file with logits, energy and whether the object is unknown), and each
picture as OUT/NAME.png, at most 4096 pixels wide and high, with the detections that reach the score threshold.

An object is unknown if its energy is under the threshold at which 95 % of inlier detections are kept: the one that the run's last
"ffs eval" of clean pictures has saved, or --unknown-threshold. The energy is at the temperature of that evaluation.

With --corruption-level or --corruption the images are damaged first, in the order given; the pictures show the damage, and detections.json names it.`,
		Example: `  ffs detect --run runs/fish photo.jpg --out found
  ffs detect --run runs/fish *.jpg --out found --unknown-threshold 3.2
  ffs detect --run runs/fish photo.jpg --out foggy --corruption fog --corruption-level 4`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, images []string) error {
			damage, err := corruption()
			if err != nil {
				return err
			}
			thresholds, temperature, err := savedThresholds(dir)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("unknown-threshold") {
				thresholds.Energy = &energy
			}
			if cmd.Flags().Changed("score-threshold") {
				thresholds.Score = score
			}
			if thresholds.Energy == nil {
				fmt.Fprintln(os.Stderr, `warning: no threshold for unknown objects: run "ffs eval" first, or give --unknown-threshold`)
			}
			set, err := imageFiles(images)
			if err != nil {
				return err
			}
			if set, err = damage.Dataset(set); err != nil {
				return err
			}
			model, err := openModel(cmd, dir)
			if err != nil {
				return err
			}
			defer model.Close()
			if err := os.MkdirAll(out, 0o755); err != nil {
				return err
			}
			entries := make([][]found, len(images))
			progress := &setProgress{w: os.Stderr}
			done := 0
			err = model.Detect(cmd.Context(), set, func(d infer.ImageDetections) error {
				for i := range d.Detections {
					d.Detections[i].Energy = d.Detections[i].EnergyAt(temperature)
				}
				entries[d.Index] = describe(set.Images[d.Index], d.Detections, model.Config.Model.Classes, thresholds)
				for i := range entries[d.Index] {
					entries[d.Index][i].Corruption = damage.At(d.Index)
				}
				done++
				progress.update("detect", done, len(images))
				return drawDetections(out, set.Images[d.Index], d.Detections, model.Config.Model.Classes, thresholds)
			})
			if err != nil {
				return err
			}
			return writeFound(filepath.Join(out, "detections.json"), entries)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "run", "", "folder of the run (runs/digits)")
	flags.StringVar(&out, "out", "", "folder for detections.json and the pictures (found)")
	flags.Float64Var(&energy, "unknown-threshold", 0, "energy under which an object is unknown; default: saved by the run's last eval (3.2)")
	flags.Float64Var(&score, "score-threshold", 0.5, "probability from which a detection is drawn; default: saved by the run's last eval, else 0.5")
	corruption = corruptionFlags(cmd)
	cobra.CheckErr(errors.Join(cmd.MarkFlagRequired("run"), cmd.MarkFlagRequired("out")))
	return cmd
}

// savedThresholds are those of the run's last evaluation, as far as there was one, and the temperature of the energy that they belong to.
func savedThresholds(dir string) (t explore.Thresholds, temperature float64, err error) {
	t, temperature = explore.Thresholds{Score: 0.5}, 1
	report, err := eval.ReadReport(filepath.Join(dir, "eval", "metrics.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return t, temperature, nil
	}
	if err != nil {
		return t, temperature, err
	}
	if report.ScoreThreshold != nil {
		t.Score = *report.ScoreThreshold
	}
	if report.Temperature > 0 { // 0: written before there were temperatures
		temperature = report.Temperature
	}
	for _, outcome := range report.Outliers {
		// The threshold belongs to the inlier set: it is the same for every outlier set, and in unknown_thresholds since that exists.
		if energy, ok := outcome.Scores["energy"]; ok {
			t.Energy = &energy.ThresholdTPR95
		}
	}
	if energy, ok := report.UnknownThresholds["energy"]; ok {
		t.Energy = &energy
	}
	return t, temperature, nil
}

// imageFiles makes a data set of image files, whose sizes it reads.
func imageFiles(paths []string) (*data.Dataset, error) {
	set := &data.Dataset{Name: "images"}
	names := map[string]string{}
	for i, path := range paths {
		if other, taken := names[pictureName(path)]; taken {
			return nil, fmt.Errorf("%s and %s would both be drawn as %s: run them apart", other, path, pictureName(path))
		}
		names[pictureName(path)] = path
		height, width, err := data.ReadSize(path)
		if err != nil {
			return nil, err
		}
		set.Images = append(set.Images, data.Image{ID: int64(i + 1), File: path, Width: width, Height: height})
	}
	return set, nil
}

func pictureName(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base)) + ".png"
}

// describe lists an image's detections for detections.json.
func describe(img data.Image, detections []infer.Detection, classes []string, t explore.Thresholds) []found {
	entries := make([]found, len(detections))
	for i, d := range detections {
		entries[i] = found{
			ImageID: img.ID, FileName: img.File, CategoryID: int64(d.Class + 1), Category: classes[d.Class],
			Box:   [4]float64{d.Box[0], d.Box[1], d.Box[2] - d.Box[0], d.Box[3] - d.Box[1]},
			Score: d.Score, Logits: d.Logits, Energy: d.Energy,
		}
		if t.Energy != nil {
			unknown := t.Unknown(d)
			entries[i].Unknown = &unknown
		}
	}
	return entries
}

// maxDrawn is the longer side of the largest picture that is drawn, in pixels. Larger ones are shrunk to it: drawing takes several copies.
const maxDrawn = 4096

func drawDetections(out string, img data.Image, detections []infer.Detection, classes []string, t explore.Thresholds) error {
	view, err := img.View(maxDrawn)
	if err != nil {
		return err
	}
	figure, err := explore.Picture(view, detections, classes, t)
	if err != nil {
		return err
	}
	png, err := figure.PNG()
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(out, pictureName(img.File)), png, 0o644) // whole or not at all, also on a full disk
}

func writeFound(path string, perImage [][]found) error {
	all := []found{}
	for _, entries := range perImage {
		all = append(all, entries...)
	}
	text, err := json.MarshalIndent(all, "", " ")
	if err != nil {
		return err
	}
	return renameio.WriteFile(path, append(text, '\n'), 0o644)
}
