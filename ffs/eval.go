package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
)

func newEval() *cobra.Command {
	var (
		dir, id, datasetDir, out string
		ood                      []string
		asJSON                   bool
		temperature              float64
		bootstrap                eval.Bootstrap
	)
	cmd := &cobra.Command{
		Use:   "eval --run DIR",
		Short: "Measure a trained detector on inlier and outlier sets",
		Long: `Measure a trained detector: mAP and the score threshold on the inlier set; then, on that and every outlier set, the detections that reach the
threshold, and how well each score tells inliers from outliers (AUROC, AUPR, FPR95, detection error), with 95 % intervals by resampling images;
open-set measures, what unknown objects are taken for, numbers by class and size, and calibration. An outlier set that holds both near and far
outliers, by the word list of "ffs data split", is also measured in these parts.

Writes OUT/metrics.json, OUT/metrics.md (all tables), OUT/tables (each as CSV and LaTeX), and for each set OUT/SET/detections.json (COCO results with
logits, energy and likelihood). The screen shows the main tables. An evaluation that was interrupted or killed is continued by the same command.`,
		Example: `  ffs eval --run runs/digits
  ffs eval --run runs/fish --id coco:val.json,images --ood coco:ood.json,images
  ffs eval --run runs/digits --json | jq .map.AP50`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
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
			if !(temperature > 0) || bootstrap.Resamples < 0 {
				return fmt.Errorf("--temperature %g, --bootstrap %d: the one must be above 0, the other not negative", temperature, bootstrap.Resamples)
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
				outliers = append(outliers, set)
			}
			if out == "" {
				out = filepath.Join(dir, "eval")
			}
			progress := &setProgress{w: os.Stderr}
			report, err := protocol.Run(cmd.Context(), protocol.Options{
				Model: model, Inlier: inlier, Outliers: outliers, Out: out, Progress: progress.update,
				Temperature: temperature, Bootstrap: bootstrap, Note: func(message string) { fmt.Fprintln(os.Stderr, message) },
			})
			if err != nil {
				return err
			}
			if asJSON {
				return report.WriteJSON(os.Stdout)
			}
			if err := report.WriteSummary(os.Stdout); err != nil {
				return err
			}
			_, err = fmt.Fprintf(os.Stderr, "all tables, with confusion, classes, sizes and calibration: %s; each as CSV and LaTeX: %s; for machines: %s\n",
				filepath.Join(out, "metrics.md"), filepath.Join(out, "tables"), filepath.Join(out, "metrics.json"))
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&dir, "run", "", "folder of the run (runs/digits)")
	flags.StringVar(&id, "id", "", "inlier set; default: the run's data.val (digits:val)")
	flags.StringArrayVar(&ood, "ood", nil, "outlier set; may be repeated; default: the run's data.ood (digits:ood-near)")
	flags.StringVar(&datasetDir, "dataset-dir", "", "folder under which named data sets lie; default: the run's (/data)")
	flags.StringVar(&out, "out", "", "folder for the results; default: RUN/eval")
	flags.Float64Var(&temperature, "temperature", 1, "temperature of the outlier scores (the likelihood has none)")
	flags.IntVar(&bootstrap.Resamples, "bootstrap", eval.DefaultResamples, "resamples for the 95 % intervals; 0: no intervals")
	flags.Uint64Var(&bootstrap.Seed, "bootstrap-seed", 0, "seed of the resamples")
	flags.BoolVar(&asJSON, "json", false, "print metrics.json instead of tables")
	cobra.CheckErr(cmd.MarkFlagRequired("run"))
	return cmd
}
