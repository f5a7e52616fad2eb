package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/explore"
	"ffslab/ffs/protocol"
	"ffslab/ffs/run"
)

func newEval() *cobra.Command {
	var (
		dir, id, datasetDir, out string
		ood                      []string
		asJSON                   bool
		visualize                int
	)
	cmd := &cobra.Command{
		Use:   "eval --run DIR",
		Short: "Measure a trained detector on inlier and outlier sets",
		Long: `Measure a trained detector: mAP and the score threshold on the inlier set; then, on that and every outlier set, the detections that reach the
threshold, and how well each score tells inliers from outliers (AUROC, AUPR, FPR95).

Writes OUT/metrics.json, OUT/metrics.md, and for each set OUT/SET/detections.json (COCO results with logits, energy and likelihood) and, with
--visualize N, OUT/SET/most-certain.png and least-certain.png: the N detections of the highest and of the lowest energy, each in its picture.`,
		Example: `  ffs eval --run runs/digits
  ffs eval --run runs/fish --id coco:val.json,images --ood coco:ood.json,images
  ffs eval --run runs/digits --visualize 12
  ffs eval --run runs/digits --json | jq .map.AP50`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if visualize < 0 || visualize > maxShown {
				return fmt.Errorf("--visualize %d is not possible: give a number from 0 to %d", visualize, maxShown)
			}
			model, err := openModel(cmd, dir)
			if err != nil {
				return err
			}
			defer model.Close()
			c := model.Config
			override(&c.Data.Val, id)
			override(&c.Data.DatasetDir, datasetDir)
			if len(ood) > 0 {
				c.Data.OOD = ood
			}
			sets, err := openMeasured(c)
			if err != nil {
				return err
			}
			if out == "" {
				out = filepath.Join(dir, "eval")
			}
			progress := &setProgress{w: os.Stderr}
			report, err := protocol.Run(cmd.Context(), protocol.Options{
				Model: model, Inlier: sets[0], Outliers: sets[1:], Out: out, Progress: progress.update,
			})
			if err != nil {
				return err
			}
			if visualize > 0 {
				if err := drawCertain(dir, sets, out, visualize); err != nil {
					return err
				}
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
	flags.StringVar(&out, "out", "", "folder for the results; default: RUN/eval")
	flags.IntVar(&visualize, "visualize", 0, "draw that many of the most and of the least certain detections of each set, at most 200; 0: none (12)")
	flags.BoolVar(&asJSON, "json", false, "print metrics.json instead of tables")
	cobra.CheckErr(cmd.MarkFlagRequired("run"))
	return cmd
}

// openMeasured opens the sets that a configuration is measured on: the inlier set, with the model's classes, and then the outlier sets.
func openMeasured(c config.Config) ([]*data.Dataset, error) {
	if c.Data.Val == "" {
		return nil, fmt.Errorf("no inlier set: give --id SPEC (the configuration names none)")
	}
	var sets []*data.Dataset
	for _, spec := range append([]string{c.Data.Val}, c.Data.OOD...) {
		set, err := data.Open(spec, data.Options{DatasetDir: c.Data.DatasetDir})
		if err != nil {
			return nil, err
		}
		printNotes(set)
		sets = append(sets, set)
	}
	var err error
	sets[0], err = sets[0].WithClasses(c.Model.Classes)
	return sets, err
}

// drawCertain draws the n most and least certain detections of every set from the results in out.
func drawCertain(dir string, sets []*data.Dataset, out string, n int) error {
	r, err := run.Open(dir)
	if err != nil {
		return err
	}
	measured, err := explore.ReadEvaluation(explore.Run{Name: filepath.Base(r.Dir), Run: r}, sets, out)
	if err != nil {
		return err
	}
	drawn, err := measured.SaveCertain(out, n)
	for _, sheet := range drawn {
		fmt.Fprintf(os.Stderr, "drawn: %s.png\n", sheet)
	}
	return err
}
