// Package evalcmd holds the commands that measure files of detections and scores.
package evalcmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/data/lenient"
	"ffslab/ffs/eval"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/viz/escape"
)

// cocoReport is what coco-eval prints with --json. A threshold that no class has is null.
type cocoReport struct {
	Stats         eval.Stats                  `json:"stats"`
	VOC           *eval.VOC                   `json:"voc"`
	CI95          *eval.StatsIntervals        `json:"ci95,omitempty"`
	PerClass      map[data.ID]eval.ClassStats `json:"per_class"`
	PerSize       []eval.SizeStats            `json:"per_size"`
	Calibration   *eval.Calibration           `json:"calibration,omitempty"`
	NotCalibrated string                      `json:"calibration_not_measured,omitempty"`
	// ScoreThreshold is that of [eval.Original].
	ScoreThreshold          *float64 `json:"score_threshold"`
	ScoreThresholdAnnotated *float64 `json:"score_threshold_annotated"`
	ScoreThresholdSound     *float64 `json:"score_threshold_sound"`
	WithoutObjects          []string `json:"classes_without_objects,omitempty"`
}

// CocoEval returns the command that compares a COCO results file with its annotations.
func CocoEval() *cobra.Command {
	var truth, results string
	var asJSON, strict bool
	var bootstrap eval.Bootstrap
	command := &cobra.Command{
		Use:   "coco-eval --gt GT.json --dt DT.json",
		Short: "COCO box AP of a results file, per class, and the F1 score threshold",
		Long: `Compare a COCO results file with its annotations. Print the twelve numbers of
pycocotools, those of every class and size, PASCAL VOC's AP (crowd regions count
as difficult objects), calibration errors at IoU 0.5 if the scores are
probabilities from 0 to 1, and the score threshold that maximises F1, by three
conventions: that of the original code, which counts a class without objects as
-1; the same without such classes; and a sound one, which also leaves out points
without an F1. --bootstrap adds 95 % intervals of AP and AP50 by resampling
images.

Files are read as leniently as by pycocotools: values of other types are
converted, repeated images read once, and annotations and detections of unlisted
images or categories left out. A note counts each kind of mending. --strict makes
it an error. A note also says if boxes look like corners or fractions of the image.

-1 in the JSON and - in the table mean that nothing was annotated.`,
		Example: `  go run ./ffs coco-eval --gt val.json --dt detections.json
  go run ./ffs coco-eval --gt val.json --dt detections.json --json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			if err := bootstrap.Check(); err != nil {
				return fmt.Errorf("--bootstrap: %w", err)
			}
			annotations, detections, err := readBoth(truth, results, strict)
			if err != nil {
				return err
			}
			coco, err := eval.EvaluateCOCO(annotations, detections)
			if err != nil {
				return fmt.Errorf("%s: %w; is %s its annotation file?", results, err, truth)
			}
			report := cocoReport{Stats: coco.Stats(), PerClass: coco.PerClass(), PerSize: coco.PerSize()}
			if report.VOC, err = eval.EvaluateVOC(annotations, detections); err != nil {
				return err
			}
			switch report.Calibration, err = eval.MeasureCalibration(annotations, detections); {
			case errors.Is(err, eval.ErrNotProbabilities):
				report.NotCalibrated = err.Error()
			case err != nil:
				return err
			}
			if report.CI95, err = eval.BootstrapCOCO(annotations, detections, bootstrap); err != nil {
				return err
			}
			for convention, to := range map[eval.Convention]**float64{
				eval.Original: &report.ScoreThreshold, eval.Annotated: &report.ScoreThresholdAnnotated, eval.Sound: &report.ScoreThresholdSound,
			} {
				if t, ok := coco.ScoreThreshold(convention); ok {
					*to = &t
				}
			}
			report.WithoutObjects = coco.WithoutObjects()
			tell(&eval.Report{NotCalibrated: report.NotCalibrated})
			if asJSON {
				return jsonfile.Print(command.OutOrStdout(), report)
			}
			return report.writeText(command.OutOrStdout(), coco.Categories)
		},
	}
	flags := command.Flags()
	flags.StringVar(&truth, "gt", "", "COCO annotation file, for example val.json (required)")
	flags.StringVar(&results, "dt", "", "COCO results file, for example detections.json (required)")
	flags.IntVar(&bootstrap.Resamples, "bootstrap", 0, "resamples for 95 % intervals of AP and AP50, for example 1000; 0: no intervals")
	flags.Uint64Var(&bootstrap.Seed, "bootstrap-seed", 0, "seed of the resamples")
	flags.BoolVar(&asJSON, "json", false, "print JSON, fractions instead of percent")
	flags.BoolVar(&strict, "strict", false, "fail on files that would need mending")
	cobra.CheckErr(errors.Join(command.MarkFlagRequired("gt"), command.MarkFlagRequired("dt")))
	return command
}

// readBoth reads the annotations and the results, and writes notes about mending to stderr.
func readBoth(truth, results string, strict bool) (*eval.Annotations, []eval.Detection, error) {
	found := lenient.New(strict)
	annotations, err := eval.ReadAnnotations(truth, found)
	if err != nil {
		return nil, nil, err
	}
	detections, err := eval.ReadDetections(results, found)
	if err != nil {
		return nil, nil, err
	}
	detections, err = annotations.Listed(detections, found)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: %w; is %s its annotation file?", results, err, truth)
	}
	for _, note := range found.Notes() {
		escape.Fprintf(os.Stderr, "note: %s\n", note)
	}
	tellPattern(truth, annotations.BoxPattern())
	tellPattern(results, eval.Results{Annotations: annotations, Detections: detections}.BoxPattern())
	return annotations, detections, nil
}

// tellPattern writes a note to stderr that the boxes of a file look like another form.
func tellPattern(path string, pattern error) {
	if pattern != nil {
		escape.Fprintf(os.Stderr, "note: %s: %s\n", path, pattern.Error())
	}
}

// tell writes the notes of a report to stderr.
func tell(report *eval.Report) {
	for _, note := range report.Notes(escape.Line) {
		fmt.Fprintf(os.Stderr, "note: %s\n", note)
	}
}

func (r *cocoReport) writeText(w io.Writer, categories []eval.Category) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(name string, cells ...string) { fmt.Fprintln(table, name+"\t"+strings.Join(cells, "\t")+"\t") }
	percents := func(fractions ...float64) (cells []string) {
		for _, fraction := range fractions {
			cells = append(cells, eval.Percent(fraction))
		}
		return cells
	}
	s := r.Stats
	row("", "all", "IoU 0.50", "IoU 0.75", "small", "medium", "large")
	row("AP", percents(s.AP, s.AP50, s.AP75, s.APSmall, s.APMedium, s.APLarge)...)
	row("AR", eval.Percent(s.AR100), "", "", eval.Percent(s.ARSmall), eval.Percent(s.ARMedium), eval.Percent(s.ARLarge))
	row("AR, at most 1", eval.Percent(s.AR1))
	row("AR, at most 10", eval.Percent(s.AR10))
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(w, "\nPASCAL VOC's AP at IoU 0.50: %s (all points), %s (11 points)\n\n", eval.Percent(r.VOC.AP), eval.Percent(r.VOC.AP11))
	if r.CI95 != nil {
		fmt.Fprintf(w, "95 %% intervals: AP %s, AP50 %s\n\n", interval(r.CI95.AP), interval(r.CI95.AP50))
	}
	row("class", "id", "AP", "AP50", "AP75", "small", "medium", "large", "AR", "objects")
	for _, c := range categories {
		k := r.PerClass[c.ID]
		cells := percents(k.AP, k.AP50, k.AP75, k.APSmall, k.APMedium, k.APLarge, k.AR100)
		row(escape.Line(c.Name), slices.Concat([]string{fmt.Sprint(c.ID)}, cells, []string{fmt.Sprint(k.Objects)})...)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintln(w)
	if c := r.Calibration; c != nil {
		fmt.Fprintf(w, "ECE %s", eval.Percent(c.ECE))
		if c.DECEBox != nil {
			fmt.Fprintf(w, ", D-ECE by position %s, size %s, both %s", eval.Percent(*c.DECEPosition), eval.Percent(*c.DECESize), eval.Percent(*c.DECEBox))
		}
		fmt.Fprintf(w, " (%d detections, IoU 0.5)\n", c.Detections)
	}

	_, err := fmt.Fprintf(w, "F1 score threshold: %s (the original's convention), %s (the same, of classes with objects), %s (sound)\n",
		threshold(r.ScoreThreshold), threshold(r.ScoreThresholdAnnotated), threshold(r.ScoreThresholdSound))
	return err
}

func interval(i eval.Interval) string { return eval.Percent(i[0]) + " to " + eval.Percent(i[1]) }

func threshold(t *float64) string {
	if t == nil {
		return "none"
	}
	return fmt.Sprintf("%.4f", *t)
}
