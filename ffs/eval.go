package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/data/corrupt"
	"ffslab/ffs/protocol"
)

func newEval() *cobra.Command {
	var (
		dir, id, datasetDir, out string
		ood                      []string
		asJSON                   bool
		corruption               func() (corrupt.Choice, error)
	)
	cmd := &cobra.Command{
		Use:   "eval --run DIR",
		Short: "Measure a trained detector on inlier and outlier sets",
		Long: `Measure a trained detector: mAP and the score threshold on the inlier set; then, on that and every outlier set, the detections that reach the
threshold, and how well each score tells inliers from outliers (AUROC, AUPR, FPR95).

Writes OUT/metrics.json, OUT/metrics.md, and for each set OUT/SET/detections.json (COCO results with logits, energy and likelihood).

With --corruption-level or --corruption the pictures of all sets are damaged before they are resized, by the corruptions of Hendrycks and
Dietterich (ICLR 2019), the same way in every run. Such results go to RUN/eval-CORRUPTION-LEVEL, apart from those of clean pictures, and metrics.json
says what was done; the thresholds that "ffs detect" uses stay those of RUN/eval.`,
		Example: `  ffs eval --run runs/digits
  ffs eval --run runs/fish --id coco:val.json,images --ood coco:ood.json,images
  ffs eval --run runs/digits --json | jq .map.AP50
  ffs eval --run runs/digits --corruption-level 3
  ffs eval --run runs/digits --corruption fog --corruption-level 5`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			damage, err := corruption()
			if err != nil {
				return err
			}
			model, err := openModel(cmd, dir)
			if err != nil {
				return err
			}
			defer model.Close()
			c := model.Config.Data
			override(&c.Val, id)
			override(&c.DatasetDir, datasetDir)
			if len(ood) > 0 {
				c.OOD = ood
			}
			if c.Val == "" {
				return fmt.Errorf("no inlier set: give --id SPEC (the run's configuration names none)")
			}
			open := data.Options{DatasetDir: c.DatasetDir}
			inlier, err := data.Open(c.Val, open)
			if err != nil {
				return err
			}
			printNotes(inlier)
			if inlier, err = damage.Dataset(inlier); err != nil {
				return err
			}
			if inlier, err = inlier.WithClasses(model.Config.Model.Classes); err != nil {
				return err
			}
			var outliers []*data.Dataset
			for _, spec := range c.OOD {
				set, err := data.Open(spec, open)
				if err != nil {
					return err
				}
				printNotes(set)
				if set, err = damage.Dataset(set); err != nil {
					return err
				}
				outliers = append(outliers, set)
			}
			if out == "" {
				out = filepath.Join(dir, "eval")
				if name := damage.String(); name != "" {
					out += "-" + name
				}
			}
			progress := &setProgress{w: os.Stderr}
			report, err := protocol.Run(cmd.Context(), protocol.Options{
				Model: model, Inlier: inlier, Outliers: outliers, Out: out, Corruption: damage.String(), Progress: progress.update,
			})
			if err != nil {
				return err
			}
			if asJSON {
				return report.WriteJSON(os.Stdout)
			}
			fmt.Fprintf(os.Stderr, "written: %s\n", filepath.Join(out, "metrics.json"))
			return report.WriteMarkdown(os.Stdout)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "run", "", "folder of the run (runs/digits)")
	flags.StringVar(&id, "id", "", "inlier set; default: the run's data.val (digits:val)")
	flags.StringArrayVar(&ood, "ood", nil, "outlier set; may be repeated; default: the run's data.ood (digits:ood-near)")
	flags.StringVar(&datasetDir, "dataset-dir", "", "folder under which named data sets lie; default: the run's (/data)")
	flags.StringVar(&out, "out", "", "folder for the results; default: RUN/eval, and RUN/eval-fog-3 or RUN/eval-mixed-3 for corrupted pictures")
	flags.BoolVar(&asJSON, "json", false, "print metrics.json instead of tables")
	corruption = corruptionFlags(cmd)
	cobra.CheckErr(cmd.MarkFlagRequired("run"))
	return cmd
}
