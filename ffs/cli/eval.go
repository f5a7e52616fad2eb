package cli

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/data/corrupt"
	"ffslab/ffs/config"
	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
	"ffslab/ffs/protocol/pictures"
	"ffslab/ffs/report"
	"ffslab/ffs/run"
	"ffslab/ffs/tensorboard"
	"ffslab/viz/escape"
)

func newEval() *cobra.Command {
	var (
		dir, out, shard         string
		of                      dataFlags
		asJSON, events, byImage bool
		skipEmpty               bool
		visualize               int
		temperature             float64
		bootstrap               eval.Bootstrap
		corruption              func() (corrupt.Choice, error)
		reading                 data.Options
		scores                  *scoreFlags
	)
	cmd := &cobra.Command{
		Use:   "eval --run DIR",
		Short: "Measure a trained detector on inlier and outlier sets",
		Long: `Measure a trained detector. Compute mAP and the score threshold on the inlier
set. On it and every outlier set, keep the detections that reach the threshold
and measure how well each score separates inliers from outliers (AUROC, AUPR,
FPR95, detection error), with 95 % intervals by resampling images. Also measure
open-set errors, what unknown objects are taken for, each class and size, and
calibration. An outlier set with both near and far outliers, by the word list of
"ffs data split", is also measured in these parts. One with objects of inlier
classes is measured object by object: detections on its known objects against
those on its unknown ones; false alarms are counted separately.

Scores are those of the model and, with --scores, post-hoc scores ("all": energy,
KNN, ViM, ReAct and about twenty others), fitted on annotated objects of the run's
training set. The table "which score" ranks them, with the paired interval of each
against the energy. The temperature applies only to energy, msp, weighted_energy
and logistic. Features of the detections that count are kept in
OUT/SET/features.npz, at most 1 GB, and those that scores are fitted on in
OUT/fit.npz, so that evaluating other scores takes seconds.

Write RUN/report.html, or OUT/report.html with --out or corrupted images: one page
with run, data, tables, figures, the most and the least certain detections, and
unknown objects taken for known ones. Write OUT/metrics.json, OUT/metrics.md (all
tables), OUT/tables (CSV and LaTeX), OUT/figures (reliability diagram, which
score, and for each outlier set what its objects are taken for: SVG, PNG and CSV),
and for each set OUT/SET/detections.json (COCO results with logits and all
scores). With --visualize N, also write OUT/SET/most-certain.png and
least-certain.png: the N detections of the highest and of the lowest energy, each
in its image. Print the main tables. The same command continues an evaluation that
was interrupted or killed.

--shard i/n detects only on the i-th of n parts of the images, for several
processes or machines that share the folder. The same command without it reads
the detections of the shards, detects what is missing, and writes the same bytes
as an undivided evaluation.

With --corruption-level or --corruption, the images of all sets are corrupted
before they are resized, as by Hendrycks and Dietterich (ICLR 2019), in the same
way in every run. These results go to RUN/eval-CORRUPTION-LEVEL, separate from
those of clean images, and metrics.json names the corruption. "ffs detect" uses
only the thresholds of RUN/eval.`,
		Example: `  ffs eval --run runs/digits
  ffs eval --run runs/fish --id coco:val.json,images --ood coco:ood.json,images
  ffs eval --run runs/digits --scores energy,knn,vim
  ffs eval --run runs/digits --visualize 12
  ffs eval --run runs/digits --json | jq .map.AP50
  ffs eval --run runs/voc --shard 2/8
  sbatch --array=1-8 --wrap 'ffs eval --run runs/voc --shard $SLURM_ARRAY_TASK_ID/8'     # then: ffs eval --run runs/voc
  ffs eval --run runs/digits --corruption-level 3
  ffs eval --run runs/digits --corruption fog --corruption-level 5`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !(temperature > 0) {
				return fmt.Errorf("--temperature %g: must be above 0", temperature)
			}
			if err := bootstrap.Check(); err != nil {
				return fmt.Errorf("--bootstrap: %w", err)
			}
			if visualize < 0 || visualize > maxShown {
				return fmt.Errorf("--visualize %d: give a number from 0 to %d", visualize, maxShown)
			}
			if err := scores.check(); err != nil {
				return err
			}
			var part protocol.Shard
			if shard != "" {
				var err error
				if part, err = protocol.ParseShard(shard); err != nil {
					return fmt.Errorf("--shard: %w", err)
				}
			}
			damage, err := corruption()
			if err != nil {
				return err
			}
			model, err := openModel(cmd, dir)
			if err != nil {
				return err
			}
			defer model.Close()
			c := model.Config
			of.apply(&c)
			sets, err := openMeasured(c, damage, reading)
			if err != nil {
				return err
			}
			if out == "" {
				out = inRun(dir, "eval")
				if name := damage.String(); name != "" {
					out += "-" + name
				}
			}
			if err := keepSkipped(out, sets...); err != nil {
				return err
			}
			o := protocol.Options{
				Model: model, Inlier: sets[0], Outliers: sets[1:], Scores: scores.names(), Out: out, Earlier: filepath.Join(dir, "eval"), Corruption: damage.String(),
				Progress: (&setProgress{w: os.Stderr}).update, Note: printNote,
			}
			if part.Count > 0 {
				if err := protocol.RunShard(cmd.Context(), o, part); err != nil {
					return err
				}
				_, err := escape.Fprintf(os.Stderr, "shard %d of %d is done in %s; after all shards, run the same command without --shard\n", part.Index, part.Count, out)
				return err
			}
			if o.Train, err = scores.trainingSet(dir, c, reading); err != nil {
				return err
			}
			o.RunName, o.RunDir, o.ByImage = filepath.Base(filepath.Clean(dir)), dir, byImage
			o.FitLimit, o.FitDetections = scores.objects, scores.on == fitDetections
			o.Temperature, o.Bootstrap = temperature, bootstrap
			if skipEmpty {
				o.Threshold = eval.Annotated
			}
			measured, err := protocol.Run(cmd.Context(), o)
			if err != nil {
				return err
			}
			page, err := drawEvaluation(dir, sets, out, visualize, events)
			if err != nil {
				return err
			}
			if asJSON {
				return measured.WriteJSON(os.Stdout)
			}
			if err := measured.WriteSummary(os.Stdout); err != nil {
				return err
			}
			_, err = escape.Fprintf(os.Stderr, "report: %s; all tables, with confusion, classes, sizes and calibration: %s; as CSV and LaTeX: %s; figures: %s; JSON: %s\n",
				page, filepath.Join(out, "metrics.md"), filepath.Join(out, "tables"), filepath.Join(out, "figures"), filepath.Join(out, "metrics.json"))
			return err
		},
	}
	flags := cmd.Flags()
	runFlag(flags, &dir)
	flags.StringVar(&of.id, "id", "", "inlier set, for example digits:val; empty: the run's data.val")
	flags.StringArrayVar(&of.ood, "ood", nil, "outlier set, SPEC or NAME=SPEC, which gives it a name in tables and folders, for example digits:ood-near; may be repeated; empty: the run's data.ood")
	flags.StringVar(&of.datasetDir, "dataset-dir", "", "folder of named data sets, for example /data; empty: the run's")
	flags.StringVar(&out, "out", "", "folder for the results; empty: RUN/eval, and RUN/eval-fog-3 or RUN/eval-mixed-3 for corrupted images; of a detector of the zoo out/eval-NAME")
	flags.BoolVar(&byImage, "by-image", false, "count all detections on an outlier set as outliers, as the original does, even if the set holds known objects")
	flags.BoolVar(&skipEmpty, "skip-empty-classes", false, "leave classes without objects out of the score threshold, in which the original counts each as -1")
	flags.Float64Var(&temperature, "temperature", 1, "temperature of the outlier scores (the likelihood has none)")
	flags.IntVar(&bootstrap.Resamples, "bootstrap", eval.DefaultResamples, "resamples for the 95 % intervals; 0: no intervals")
	flags.Uint64Var(&bootstrap.Seed, "bootstrap-seed", 0, "seed of the resamples")
	flags.IntVar(&visualize, "visualize", 0, "number of the most and of the least certain detections of each set to draw, at most 200; 0: none")
	tensorboardFlag(flags, &events, "RUN/tensorboard (with --out or corrupted pictures OUT/tensorboard): the numbers, histograms of the scores, and pictures")
	flags.StringVar(&shard, "shard", "", "detect only on this part of the images and measure nothing, for example 2/8")
	flags.BoolVar(&asJSON, "json", false, "print metrics.json instead of tables")
	corruption = corruptionFlags(cmd)
	readingFlags(cmd, &reading)
	scores = addScoreFlags(cmd)
	cobra.CheckErr(cmd.MarkFlagRequired("run"))
	return cmd
}

// openMeasured opens the sets that a configuration is measured on, with their images corrupted as
// chosen: the inlier set, with the model's classes, followed by the outlier sets.
func openMeasured(c config.Config, damage corrupt.Choice, reading data.Options) ([]*data.Dataset, error) {
	if c.Data.Val == "" {
		return nil, fmt.Errorf("no inlier set: give --id SPEC (the configuration has no data.val)")
	}
	reading.DatasetDir = c.Data.DatasetDir
	var sets []*data.Dataset
	for _, spec := range append([]string{c.Data.Val}, c.Data.OOD...) {
		set, err := openSet(spec, reading)
		if err != nil {
			return nil, err
		}
		printNotes(set)
		if set, err = damage.Dataset(set); err != nil {
			return nil, err
		}
		sets = append(sets, set)
	}
	var err error
	sets[0], err = sets[0].WithClasses(c.Model.Classes)
	return sets, err
}

// drawEvaluation writes the page about the results in out, draws the n most and least certain
// detections of every set and, if events is set, writes event files. Page and event files of the
// results in RUN/eval lie in RUN. It returns the path of the page.
func drawEvaluation(dir string, sets []*data.Dataset, out string, n int, events bool) (page string, err error) {
	r, err := run.Open(dir)
	if err != nil {
		return "", err
	}
	measured, err := protocol.ReadEvaluation(run.Named{Name: filepath.Base(r.Dir), Run: r}, sets, out)
	if err != nil {
		return "", err
	}
	folder := out
	if filepath.Clean(out) == filepath.Join(dir, "eval") {
		folder = dir
	}
	page = filepath.Join(folder, "report.html")
	if err := report.Save(measured, page, report.Explorers(dir)...); err != nil {
		return "", err
	}
	if events {
		note := func(message string) { escape.Fprintf(os.Stderr, "note: %s\n", message) }
		if err := tensorboard.SaveEvaluation(measured, tensorboard.Folder(folder), note); err != nil {
			return "", err
		}
	}
	if n == 0 {
		return page, nil
	}
	drawn, err := pictures.SaveCertain(measured, out, n)
	for _, path := range drawn {
		escape.Fprintf(os.Stderr, "drawn: %s.png\n", path)
	}
	if err == nil && len(drawn) < 2*len(sets) {
		fmt.Fprintln(os.Stderr, "note: sets without a detection that reaches the score threshold have no drawings")
	}
	return page, err
}
