package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/data/corrupt"
	"ffslab/ffs/eval"
	"ffslab/ffs/run"
	"ffslab/ffs/study/heads"
	"ffslab/viz/escape"
)

func newStudyHeads() *cobra.Command {
	of := studyFlags{
		methods: []string{"none", "gaussian", "flow"}, seeds: []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, bootstrap: eval.Bootstrap{Resamples: 300},
		scores: []string{"energy", "msp", "knn", "react", "vmf", "vim", "relative_mahalanobis"},
	}
	var dir string
	var images int
	cmd := &cobra.Command{
		Use:   "heads --run DIR --out DIR",
		Short: "Compare many settings of outlier synthesis by small heads on the features of one detector",
		Long: `Extract the box features of a trained detector once. Train small heads on them
(one hidden layer, class layer, flow) with synthetic outliers. Compare how well
their energy, and post-hoc scores fitted on their features, tell the detections on
the inlier set from those on the outlier sets: mean and deviation over the seeds,
and the paired difference from the baseline with its intervals. A setting and seed
takes seconds, so that ten seeds of twenty settings are affordable.

The detector stays as it is; its own training decides what its features hold.
Heads have the run's model.flow, model.outlier and model.loss, AdamW, 1500 steps of
256 proposals, and outliers from step 750; --set and --variant change that by the
same keys as training (model.roi.reduce_dim is of the head).

OUT/heads.md, heads.csv and heads.json are written after every setting. The same
command continues an interrupted study.`,
		Example: `  ffs study heads --run zoo:digits-none --methods none,gaussian,flow --seeds 0,1,2 --out studies/heads
  ffs study heads --run runs/digits --variant "select5 model.outlier.select=5" --variant "strong model.loss.energy=1" --out studies/heads`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := run.Open(dir)
			if err != nil {
				return err
			}
			c, err := heads.Configure(r.Config, of.settings...)
			if err != nil {
				return err
			}
			rows, err := of.rows()
			if err != nil {
				return err
			}
			of.apply(&c)
			c.Origin = origin()
			training, err := openTrainingSet(c, data.Options{})
			if err != nil {
				return err
			}
			printNotes(training)
			measured, err := openMeasured(c, corrupt.Choice{}, data.Options{})
			if err != nil {
				return err
			}
			begin := time.Now()
			result, err := heads.Run(cmd.Context(), heads.Options{
				Run: run.Named{Name: filepath.Base(dir), Run: r}, Config: c, Methods: of.methods, Variants: rows, Baseline: of.baseline, Seeds: of.seeds,
				Training: training, Images: images, Sets: measured, Scores: scoreNames(of.scores), Bootstrap: of.bootstrap, Out: of.out,
				Backend: sync.OnceValues(func() (compute.Backend, error) { return openBackend(cmd) }),
				Progress: func(doing string) {
					escape.Fprintf(os.Stderr, "%s (%v since the start)\n", doing, time.Since(begin).Round(time.Second))
				},
			})
			if err != nil {
				return err
			}
			escape.Fprintf(os.Stderr, "written: %s\n", filepath.Join(of.out, "heads.md"))
			fmt.Print(result.Markdown())
			return nil
		},
	}
	of.add(cmd)
	runFlag(cmd.Flags(), &dir)
	cmd.Flags().IntVar(&images, "images", 1000, "training images whose proposals heads are trained on, spread evenly over the set; 0: all")
	cobra.CheckErr(cmd.MarkFlagRequired("run"))
	return cmd
}
