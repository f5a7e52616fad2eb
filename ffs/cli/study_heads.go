package cli

import (
	"cmp"
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
	"ffslab/ffs/study"
	"ffslab/ffs/study/heads"
	"ffslab/viz/escape"
)

func newStudyHeads() *cobra.Command {
	var (
		dir, out, datasetDir, trainSpec, id, baseline string
		methods, variants, ood, settings, scores      []string
		seeds                                         []int64
		images                                        int
		bootstrap                                     eval.Bootstrap
	)
	cmd := &cobra.Command{
		Use:   "heads --run DIR --out DIR",
		Short: "Compare many settings of outlier synthesis by small heads on the features of one detector",
		Long: `Extract the box features of a trained detector once, train small heads on them (one hidden layer, class layer, flow) with synthetic outliers, and compare how
well their energy, and post-hoc scores fitted on their features, tell the detections on the inlier set from those on the outlier sets: mean and deviation over the
seeds, and the paired difference from the baseline with its intervals. A setting and seed takes seconds, so that ten seeds of twenty settings are affordable.

The detector stays as it is; its own training decides what its features hold. Heads have the run's model.flow, model.outlier and model.loss, AdamW, 1500 steps of 256
proposals, and outliers from step 750; --set and --variant change that by the same keys as training (model.roi.reduce_dim is of the head).

Writes OUT/heads.md, heads.csv and heads.json after every setting. An interrupted study continues when the same command is given again.`,
		Example: `  ffs study heads --run zoo:digits-none --methods none,gaussian,flow --seeds 0,1,2 --out studies/heads
  ffs study heads --run runs/digits --variant "select5 model.outlier.select=5" --variant "strong model.loss.energy=1" --out studies/heads`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			r, err := run.Open(dir)
			if err != nil {
				return err
			}
			c, err := heads.Configure(r.Config, settings...)
			if err != nil {
				return err
			}
			rows := make([]study.Variant, len(variants))
			for i, text := range variants {
				if rows[i], err = study.ParseVariant(text); err != nil {
					return fmt.Errorf("--variant: %w", err)
				}
			}
			override(&c.Data.DatasetDir, datasetDir)
			override(&c.Data.Train, trainSpec)
			override(&c.Data.Val, id)
			if len(ood) > 0 {
				c.Data.OOD = ood
			}
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
				Run: run.Named{Name: filepath.Base(dir), Run: r}, Config: c, Methods: methods, Variants: rows, Baseline: baseline, Seeds: seeds,
				Training: training, Images: images, Sets: measured, Scores: scores, Bootstrap: bootstrap, Out: out,
				Backend: sync.OnceValues(func() (compute.Backend, error) { return openBackend(cmd) }),
				Progress: func(doing string) {
					escape.Fprintf(os.Stderr, "%s (%v since the start)\n", doing, time.Since(begin).Round(time.Second))
				},
			})
			if err != nil {
				return err
			}
			escape.Fprintf(os.Stderr, "written: %s\n", filepath.Join(out, "heads.md"))
			fmt.Print(result.Markdown())
			return nil
		},
	}
	flags := cmd.Flags()
	runFlag(flags, &dir)
	flags.StringSliceVar(&methods, "methods", []string{"none", "gaussian", "flow"}, "methods to compare, separated by commas")
	flags.StringArrayVar(&variants, "variant", nil, `a further row: its name, then settings of flow, separated by spaces ("select20 model.outlier.select=20"); may be repeated`)
	flags.StringVar(&baseline, "baseline", "none", "the method that the others are compared with")
	flags.Int64SliceVar(&seeds, "seeds", []int64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, "seeds of the heads, separated by commas")
	flags.IntVar(&images, "images", 1000, "training images whose proposals heads are trained on, spread evenly over the set; 0: all")
	flags.StringSliceVar(&scores, "scores", []string{"energy", "msp", "knn", "react", "vmf", "vim", "relative_mahalanobis"}, `post-hoc scores; "all" for every one`)
	flags.IntVar(&bootstrap.Resamples, "bootstrap", 300, "resamples of the images behind the intervals; 0: none")
	flags.StringArrayVar(&settings, "set", nil, "one setting of all heads (train.max_iter=3000); may be repeated")
	flags.StringVar(&datasetDir, "dataset-dir", "", "folder under which named data sets lie; default: the run's (/data)")
	flags.StringVar(&trainSpec, "train", "", "training set; default: the run's (coco:ANN.json,IMAGES_DIR)")
	flags.StringVar(&id, "id", "", `inlier set; default: the run's data.val ("digits:val?n=1500")`)
	flags.StringArrayVar(&ood, "ood", nil, `outlier set; may be repeated; default: the run's data.ood ("digits:ood-near?n=1500")`)
	flags.StringVar(&out, "out", "", "folder of the study, new or to be continued (studies/heads)")
	cobra.CheckErr(cmp.Or(cmd.MarkFlagRequired("run"), cmd.MarkFlagRequired("out")))
	return cmd
}
