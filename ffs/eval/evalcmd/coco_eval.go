// Package evalcmd holds the commands that measure files.
package evalcmd

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"ffslab/ffs/eval"
)

// cocoReport is what coco-eval prints with --json. A threshold that no class
// settles is null.
type cocoReport struct {
	Stats               eval.Stats                `json:"stats"`
	PerClass            map[int64]eval.ClassStats `json:"per_class"`
	ScoreThreshold      *float64                  `json:"score_threshold"`
	ScoreThresholdSound *float64                  `json:"score_threshold_sound"`
}

// CocoEval returns the command that compares a COCO results file with its
// annotations.
func CocoEval() *cobra.Command {
	var truth, results string
	var asJSON bool
	command := &cobra.Command{
		Use:   "coco-eval --gt GT.json --dt DT.json",
		Short: "COCO box AP of a results file, per class, and the F1 score threshold",
		Long: `Compares a COCO results file with its annotations: the twelve numbers of
pycocotools, AP of every class, and the score threshold that maximises F1, by
the convention of the original code and by a sound one (classes without ground
truth, and points that have no F1, left out).

-1 in the JSON, - in the table: nothing was annotated.`,
		Example: `  go run ./ffs coco-eval --gt val.json --dt detections.json
  go run ./ffs coco-eval --gt val.json --dt detections.json --json`,
		Args: cobra.NoArgs,
		RunE: func(command *cobra.Command, _ []string) error {
			annotations, err := eval.ReadAnnotations(truth)
			if err != nil {
				return err
			}
			detections, err := eval.ReadDetections(results)
			if err != nil {
				return err
			}
			coco, err := eval.EvaluateCOCO(annotations, detections)
			if err != nil {
				return fmt.Errorf("%s: %w; is %s its annotation file?", results, err, truth)
			}
			report := cocoReport{Stats: coco.Stats(), PerClass: coco.PerClass()}
			if t, ok := coco.ScoreThreshold(eval.Original); ok {
				report.ScoreThreshold = &t
			}
			if t, ok := coco.ScoreThreshold(eval.Sound); ok {
				report.ScoreThresholdSound = &t
			}
			if asJSON {
				return writeJSON(command.OutOrStdout(), report)
			}
			return report.writeText(command.OutOrStdout(), coco.Categories)
		},
	}
	flags := command.Flags()
	flags.StringVar(&truth, "gt", "", "COCO annotation file, for example val.json (required)")
	flags.StringVar(&results, "dt", "", "COCO results file, for example detections.json (required)")
	flags.BoolVar(&asJSON, "json", false, "print JSON, fractions instead of percent")
	command.MarkFlagRequired("gt")
	command.MarkFlagRequired("dt")
	return command
}

func (r *cocoReport) writeText(w io.Writer, categories []eval.Category) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...string) { fmt.Fprintln(table, strings.Join(cells, "\t")+"\t") }
	s := r.Stats
	row("", "all", "IoU 0.50", "IoU 0.75", "small", "medium", "large")
	row("AP", percent(s.AP), percent(s.AP50), percent(s.AP75), percent(s.APSmall), percent(s.APMedium), percent(s.APLarge))
	row("AR", percent(s.AR100), "", "", percent(s.ARSmall), percent(s.ARMedium), percent(s.ARLarge))
	row("AR, at most 1", percent(s.AR1))
	row("AR, at most 10", percent(s.AR10))
	table.Flush()
	fmt.Fprintln(w)

	row("class", "id", "AP", "AP50")
	for _, c := range categories {
		row(c.Name, fmt.Sprint(c.ID), percent(r.PerClass[c.ID].AP), percent(r.PerClass[c.ID].AP50))
	}
	table.Flush()
	fmt.Fprintln(w)

	_, err := fmt.Fprintf(w, "F1 score threshold: %s (the original's convention), %s (sound)\n",
		threshold(r.ScoreThreshold), threshold(r.ScoreThresholdSound))
	return err
}

// percent writes a fraction; negative ones stand for what was not annotated.
func percent(fraction float64) string {
	if fraction < 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", 100*fraction)
}

func threshold(t *float64) string {
	if t == nil {
		return "none"
	}
	return fmt.Sprintf("%.4f", *t)
}

func writeJSON(w io.Writer, v any) error {
	encoder := json.NewEncoder(w)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}
