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
	"ffslab/viz/escape"
)

func newEval() *cobra.Command {
	var (
		dir, id, datasetDir, out string
		shard                    string
		ood                      []string
		asJSON                   bool
		visualize                int
		byImage                  bool
		temperature              float64
		bootstrap                eval.Bootstrap
		corruption               func() (corrupt.Choice, error)
		reading                  data.Options
		scores                   *scoreFlags
	)
	cmd := &cobra.Command{
		Use:   "eval --run DIR",
		Short: "Measure a trained detector on inlier and outlier sets",
		Long: `Measure a trained detector: mAP and the score threshold on the inlier set; then, on that and every outlier set, the detections that reach the
threshold, and how well each score tells inliers from outliers (AUROC, AUPR, FPR95, detection error), with 95 % intervals by resampling images;
open-set measures, what unknown objects are taken for, numbers by class and size, and calibration. An outlier set that holds both near and far
outliers, by the word list of "ffs data split", is also measured in these parts. One that holds objects of inlier classes, too, is measured object by
object: detections on its known objects against those on its unknown ones, false alarms apart.

The scores are those of the model and, with --scores, the post-hoc scores of the field ("all": energy, KNN, ViM, ReAct and some twenty others), fitted on
annotated objects of the run's training set; the table "which score" ranks them, with the paired interval of each against the energy. Temperature is that
of energy, msp, weighted_energy and logistic alone. The features of the detections that count are kept in OUT/SET/features.npz, 1 GB at most, and those
that scores are fitted on in OUT/fit.npz, so that another evaluation with other scores costs seconds.

Writes RUN/report.html (one page with run, data, tables, figures, the most and the least certain detections and unknown objects taken for known ones; OUT/report.html
with --out or corrupted pictures), OUT/metrics.json, OUT/metrics.md (all tables), OUT/tables (each as CSV and LaTeX), OUT/figures (the reliability diagram, which score, and for each
outlier set what its objects are taken for: SVG, PNG and CSV), and for each set OUT/SET/detections.json (COCO results with logits and all scores) and, with --visualize N, OUT/SET/most-certain.png and least-certain.png: the N detections of the highest and of the lowest
energy, each in its picture. The screen shows the main tables. An evaluation that was interrupted or killed is continued by the same command.

--shard i/n detects on the i-th of n parts of the images alone, for several processes or machines that see the folder. The same command without it takes in what
the shards have found, detects what is missing, and ends with the bytes of an evaluation that was not divided.

With --corruption-level or --corruption the pictures of all sets are damaged before they are resized, by the corruptions of Hendrycks and
Dietterich (ICLR 2019), the same way in every run. Such results go to RUN/eval-CORRUPTION-LEVEL, apart from those of clean pictures, and metrics.json
says what was done; the thresholds that "ffs detect" uses stay those of RUN/eval.`,
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
			if !(temperature > 0) || bootstrap.Resamples < 0 {
				return fmt.Errorf("--temperature %g, --bootstrap %d: the one must be above 0, the other not negative", temperature, bootstrap.Resamples)
			}
			if visualize < 0 || visualize > maxShown {
				return fmt.Errorf("--visualize %d is not possible: give a number from 0 to %d", visualize, maxShown)
			}
			if err := scores.check(); err != nil {
				return err
			}
			part, err := parseShard(shard)
			if err != nil {
				return err
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
			override(&c.Data.Val, id)
			override(&c.Data.DatasetDir, datasetDir)
			if len(ood) > 0 {
				c.Data.OOD = ood
			}
			sets, err := openMeasured(c, damage, reading)
			if err != nil {
				return err
			}
			if out == "" {
				out = filepath.Join(dir, "eval")
				if name := damage.String(); name != "" {
					out += "-" + name
				}
			}
			if err := keepSkipped(out, sets...); err != nil {
				return err
			}
			if part.Count > 0 {
				return evalShard(cmd, part, protocol.Options{Model: model, Inlier: sets[0], Outliers: sets[1:], Scores: scores.names(), Out: out, Corruption: damage.String()})
			}
			train, err := scores.trainingSet(dir, c, reading)
			if err != nil {
				return err
			}
			progress := &setProgress{w: os.Stderr}
			measured, err := protocol.Run(cmd.Context(), protocol.Options{
				Model: model, RunName: filepath.Base(filepath.Clean(dir)), RunDir: dir, Inlier: sets[0], Outliers: sets[1:], ByImage: byImage, Out: out, Corruption: damage.String(), Progress: progress.update,
				Scores: scores.names(), Train: train, FitLimit: scores.objects,
				Temperature: temperature, Bootstrap: bootstrap, Note: func(message string) { escape.Fprintf(os.Stderr, "%s\n", message) },
			})
			if err != nil {
				return err
			}
			page, err := drawEvaluation(dir, sets, out, visualize)
			if err != nil {
				return err
			}
			if asJSON {
				return measured.WriteJSON(os.Stdout)
			}
			if err := measured.WriteSummary(os.Stdout); err != nil {
				return err
			}
			_, err = escape.Fprintf(os.Stderr, "one page to read or to send: %s; all tables, with confusion, classes, sizes and calibration: %s; each as CSV and LaTeX: %s; figures: %s; for machines: %s\n",
				page, filepath.Join(out, "metrics.md"), filepath.Join(out, "tables"), filepath.Join(out, "figures"), filepath.Join(out, "metrics.json"))
			return err
		},
	}
	flags := cmd.Flags()
	runFlag(flags, &dir)
	flags.StringVar(&id, "id", "", "inlier set; default: the run's data.val (digits:val)")
	flags.StringArrayVar(&ood, "ood", nil, "outlier set, SPEC or NAME=SPEC, under whose name tables and folders have it; may be repeated; default: the run's data.ood (digits:ood-near)")
	flags.StringVar(&datasetDir, "dataset-dir", "", "folder under which named data sets lie; default: the run's (/data)")
	flags.StringVar(&out, "out", "", "folder for the results; default: RUN/eval, and RUN/eval-fog-3 or RUN/eval-mixed-3 for corrupted pictures")
	flags.BoolVar(&byImage, "by-image", false, "count all detections on an outlier set as outliers, as the original does, even if the set holds known objects")
	flags.Float64Var(&temperature, "temperature", 1, "temperature of the outlier scores (the likelihood has none)")
	flags.IntVar(&bootstrap.Resamples, "bootstrap", eval.DefaultResamples, "resamples for the 95 % intervals; 0: no intervals")
	flags.Uint64Var(&bootstrap.Seed, "bootstrap-seed", 0, "seed of the resamples")
	flags.IntVar(&visualize, "visualize", 0, "draw that many of the most and of the least certain detections of each set, at most 200; 0: none (12)")
	flags.StringVar(&shard, "shard", "", "detect on this part of the images alone and measure nothing, for example 2/8")
	flags.BoolVar(&asJSON, "json", false, "print metrics.json instead of tables")
	corruption = corruptionFlags(cmd)
	readingFlags(cmd, &reading)
	scores = addScoreFlags(cmd)
	cobra.CheckErr(cmd.MarkFlagRequired("run"))
	return cmd
}

// openMeasured opens the sets that a configuration is measured on, their pictures damaged as was chosen: the inlier set, with the model's classes, and
// then the outlier sets.
func openMeasured(c config.Config, damage corrupt.Choice, reading data.Options) ([]*data.Dataset, error) {
	if c.Data.Val == "" {
		return nil, fmt.Errorf("no inlier set: give --id SPEC (the configuration names none)")
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

// drawEvaluation makes the page about the results in out, RUN/report.html for those in RUN/eval, and draws the n most and least certain detections of
// every set. It returns the page's path.
func drawEvaluation(dir string, sets []*data.Dataset, out string, n int) (page string, err error) {
	r, err := run.Open(dir)
	if err != nil {
		return "", err
	}
	measured, err := protocol.ReadEvaluation(run.Named{Name: filepath.Base(r.Dir), Run: r}, sets, out)
	if err != nil {
		return "", err
	}
	page = filepath.Join(out, "report.html")
	if filepath.Clean(out) == filepath.Join(dir, "eval") {
		page = filepath.Join(dir, "report.html")
	}
	if err := report.Save(measured, page, report.Explorers(dir)...); err != nil {
		return "", err
	}
	if n == 0 {
		return page, nil
	}
	drawn, err := pictures.SaveCertain(measured, out, n)
	for _, sheet := range drawn {
		escape.Fprintf(os.Stderr, "drawn: %s.png\n", sheet)
	}
	if err == nil && len(drawn) < 2*len(sets) {
		fmt.Fprintln(os.Stderr, "note: a set without a detection that reaches the score threshold has no sheets")
	}
	return page, err
}
