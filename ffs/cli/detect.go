package cli

import (
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/renameio/v2"
	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/data/corrupt"
	"ffslab/ffs/eval"
	"ffslab/ffs/infer"
	"ffslab/ffs/internal/check"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/ffs/nn"
	"ffslab/ffs/protocol"
	"ffslab/ffs/protocol/pictures"
	"ffslab/viz/escape"
)

// found is an entry of detect's detections.json: that of a COCO results file, with its picture.
type found struct {
	eval.Record
	FileName   string `json:"file_name"`
	Category   string `json:"category"`
	Unknown    *bool  `json:"unknown"`
	Corruption string `json:"corruption,omitempty"` // of the picture: "fog-3"
}

func newDetect() *cobra.Command {
	var (
		dir, out, by  string
		energy, score float64
		corruption    func() (corrupt.Choice, error)
		skipBad       bool
		precision     nn.Precision
	)
	cmd := &cobra.Command{
		Use:   "detect --run DIR IMAGE|FOLDER...",
		Short: "Find objects in images and draw them, with unknown objects marked",
		Long: `Find objects in images (JPEG, PNG, WebP, BMP, TIFF, GIF) and in all images of
folders. Write OUT/detections.json, a COCO results file with logits, energy and
whether the object is unknown, and each image as OUT/NAME.png, at most 4096 pixels
wide and high, with the detections that reach the score threshold.

An object is unknown if its outlier score is below a threshold: that of the run's
last "ffs eval" on clean images, which keeps 95 % of inlier detections, or
--unknown-threshold. The score is the one that this evaluation recommends, or
--score; energy, msp, weighted_energy and logistic are at its temperature. An
evaluation of other weights, for example from before the run was trained further,
is not used, and "unknown" is null.

With --corruption-level or --corruption, the images are corrupted first, in the
given order. The drawn images show the corruption, and detections.json names it.`,
		Example: `  ffs detect --run runs/fish photo.jpg --out found
  ffs detect --run runs/fish photos --out found --unknown-threshold 3.2
  ffs detect --run runs/fish photo.jpg --out found --score knn
  ffs detect --run runs/fish photo.jpg --out foggy --corruption fog --corruption-level 4`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, images []string) error {
			damage, err := corruption()
			if err != nil {
				return err
			}
			if err := checkScore(by); err != nil {
				return err
			}
			if !(score >= 0 && score <= 1) || math.IsNaN(energy) {
				return fmt.Errorf("--score-threshold %g, --unknown-threshold %g: the first is a probability, from 0 to 1, the second a number", score, energy)
			}
			if err := check.First(precision.Rule("--precision")); err != nil {
				return err
			}
			model, err := openModel(cmd, dir)
			if err != nil {
				return err
			}
			defer model.Close()
			model.UsePrecision(precision)
			if precision == nn.BFloat16 && model.OnCPU() {
				fmt.Fprintln(os.Stderr, "warning: --precision bf16 gains nothing on a CPU, where XLA multiplies in float32 all the same")
			}
			thresholds, lack, addScore, err := chosenScore(dir, by, model)
			if err != nil {
				return err
			}
			if cmd.Flags().Changed("unknown-threshold") {
				thresholds.Energy = &energy
			}
			if cmd.Flags().Changed("score-threshold") {
				thresholds.Score = score
			}
			if thresholds.Energy == nil && lack == "" && by != "" {
				return fmt.Errorf("%s has no threshold for the score %s: run \"ffs eval --scores %s\" first, or give --unknown-threshold", filepath.Join(dir, "eval"), by, by)
			}
			if thresholds.Energy == nil && lack == "" {
				lack = "warning: the last evaluation has no threshold for unknown objects: give --unknown-threshold"
			}
			if lack != "" {
				fmt.Fprintln(os.Stderr, escape.Lines(lack))
			}
			if err := apartFrom(out, images); err != nil {
				return err
			}
			images, err = data.ImageFiles(images)
			if err != nil {
				return err
			}
			set, err := imageFiles(images, skipBad)
			if err != nil {
				return err
			}
			outputs := []string{filepath.Join(out, "detections.json")}
			for _, path := range images {
				outputs = append(outputs, filepath.Join(out, pictureName(path)))
			}
			if err := spareInputs(outputs, set); err != nil {
				return err
			}
			if set, err = damage.Dataset(set); err != nil {
				return err
			}
			if err := os.MkdirAll(out, 0o755); err != nil {
				return err
			}
			entries := make([][]found, len(images))
			progress := &setProgress{w: os.Stderr}
			done := 0
			names := map[data.ID]string{}
			for i, id := range protocol.ClassIDs(model) {
				names[id] = model.Config.Model.Classes[i]
			}
			layer, err := model.EnergyLayer()
			if err != nil {
				return err
			}
			err = model.Detect(cmd.Context(), set, nil, func(d infer.ImageDetections) error {
				img := set.Images[d.Index]
				if err := addScore(img.File, d); err != nil {
					return err
				}
				detections, err := eval.AtTemperature(d.Detections, thresholds.Temperature, layer)
				if err != nil {
					return fmt.Errorf("%s: %w", img.File, err)
				}
				for i := range detections {
					if value, ok := detections[i].OutlierScore(thresholds.By); ok {
						detections[i].Scores[thresholds.By] = value // msp is computed from the logits
					}
					detections[i].Logits = d.Detections[i].Logits // the file has those of the network, whatever the temperature
				}
				if entries[d.Index], err = describe(img, detections, names, thresholds.Thresholds); err != nil {
					return err
				}
				for i := range entries[d.Index] {
					entries[d.Index][i].Corruption = damage.At(d.Index)
				}
				done++
				progress.update("detect", done, len(images))
				return drawDetections(out, img, detections, names, thresholds.Thresholds)
			})
			if err != nil {
				return err
			}
			return jsonfile.Write(filepath.Join(out, "detections.json"), append([]found{}, slices.Concat(entries...)...))
		},
	}
	flags := cmd.Flags()
	runFlag(flags, &dir)
	flags.StringVar(&out, "out", "", "folder for detections.json and the drawn images, for example found")
	flags.Float64Var(&energy, "unknown-threshold", 0, "score below which an object is unknown, for example 3.2; by default that of the run's last eval")
	flags.StringVar(&by, "score", "", "outlier score, for example knn; empty: the one that the run's last eval recommends, or else energy")
	flags.Float64Var(&score, "score-threshold", 0.5, "least probability of a detection to draw; unless given, that of the run's last eval, or else 0.5")
	flags.BoolVar(&skipBad, "skip-bad", false, "leave out images that cannot be read")
	flags.StringVar((*string)(&precision), "precision", string(nn.Float32), "format of the factors of convolutions and products: float32, or bf16 for GPUs")
	corruption = corruptionFlags(cmd)
	cobra.CheckErr(errors.Join(cmd.MarkFlagRequired("run"), cmd.MarkFlagRequired("out")))
	return cmd
}

// apartFrom returns an error if out is one of the folders of pictures to detect in: its drawings
// would replace them, or be taken for pictures the next time.
func apartFrom(out string, images []string) error {
	folder, err := os.Stat(out)
	if err != nil {
		return nil // it is made anew
	}
	for _, path := range images {
		if info, err := os.Stat(path); err == nil && os.SameFile(info, folder) {
			return fmt.Errorf("--out %s is the folder of the pictures: choose another one for the drawings", out)
		}
	}
	return nil
}

func imageFiles(paths []string, skipBad bool) (*data.Dataset, error) {
	names := map[string]string{}
	for _, path := range paths {
		if other, taken := names[pictureName(path)]; taken {
			return nil, fmt.Errorf("%s and %s would both be drawn as %s: run the command for each of them", other, path, pictureName(path))
		}
		names[pictureName(path)] = path
	}
	set, err := data.PictureSet("images", paths, data.Options{SkipBad: skipBad})
	if err != nil {
		return nil, withSkipBad(err)
	}
	for _, bad := range set.Skipped {
		escape.Fprintf(os.Stderr, "warning: left out: %s\n", bad)
	}
	printNotes(set)
	return set, nil
}

func pictureName(path string) string {
	base := filepath.Base(path)
	return strings.TrimSuffix(base, filepath.Ext(base)) + ".png"
}

// describe returns the detections of an image as entries of detections.json.
func describe(img data.Image, detections []eval.Detection, names map[data.ID]string, t protocol.Thresholds) ([]found, error) {
	entries := make([]found, len(detections))
	for i, d := range detections {
		record, err := d.Record()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", img.File, err)
		}
		entries[i] = found{Record: record, FileName: img.File, Category: names[d.CategoryID]}
		if t.Energy != nil {
			entries[i].Unknown = new(t.Unknown(d))
		}
	}
	return entries, nil
}

// maxDrawn is the longer side, in pixels, to which larger images are shrunk before drawing, which
// takes several copies.
const maxDrawn = 4096

func drawDetections(out string, img data.Image, detections []eval.Detection, names map[data.ID]string, t protocol.Thresholds) error {
	view, err := img.View(maxDrawn)
	if err != nil {
		return err
	}
	figure, err := pictures.Draw(view, detections, names, t)
	if err != nil {
		return err
	}
	png, err := figure.PNG()
	if err != nil {
		return err
	}
	return renameio.WriteFile(filepath.Join(out, pictureName(img.File)), png, 0o644) // whole or not at all, also on a full disk
}
