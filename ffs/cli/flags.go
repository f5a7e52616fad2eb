package cli

import (
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"ffslab/ffs/config"
	"ffslab/ffs/eval"
	"ffslab/ffs/study"
)

// studyFlags say what a study compares, by which data, and where it is kept. Their values before
// add are the defaults.
type studyFlags struct {
	dataFlags
	out, baseline     string
	methods, variants []string
	settings, scores  []string
	seeds             []int64
	bootstrap         eval.Bootstrap
}

// dataFlags name other data than the configuration does.
type dataFlags struct {
	datasetDir, train, id string
	ood                   []string
}

func (f *dataFlags) apply(c *config.Config) {
	override(&c.Data.DatasetDir, f.datasetDir)
	override(&c.Data.Train, f.train)
	override(&c.Data.Val, f.id)
	if len(f.ood) > 0 {
		c.Data.OOD = f.ood
	}
}

func (f *studyFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringSliceVar(&f.methods, "methods", f.methods, "methods to compare, separated by commas")
	flags.StringArrayVar(&f.variants, "variant", nil, `a further row: its name and settings, separated by spaces, for example "select20 model.outlier.select=20"; the method is flow unless they set model.outlier.method; may be repeated`)
	flags.StringVar(&f.baseline, "baseline", "none", "method with which the others are compared")
	flags.Int64SliceVar(&f.seeds, "seeds", f.seeds, "seeds, separated by commas")
	flags.StringVar(&f.out, "out", "", "folder of the study, new or to continue, for example studies/digits")
	flags.StringArrayVar(&f.settings, "set", nil, "a setting, as in a configuration file, for example train.max_iter=1000; may be repeated")
	flags.StringVar(&f.datasetDir, "dataset-dir", "", "folder of named data sets, for example /data; empty: the configuration's")
	flags.StringVar(&f.train, "train", "", "training set, for example coco:ANN.json,IMAGES_DIR; empty: the configuration's data.train")
	flags.StringVar(&f.id, "id", "", `inlier set, for example "digits:val?n=1500"; empty: the configuration's data.val`)
	flags.StringArrayVar(&f.ood, "ood", nil, `outlier set, for example "digits:ood-near?n=1500"; may be repeated; empty: the configuration's data.ood`)
	flags.IntVar(&f.bootstrap.Resamples, "bootstrap", f.bootstrap.Resamples, "resamples for the intervals; 0: no intervals")
	flags.StringSliceVar(&f.scores, "scores", f.scores, `post-hoc scores, for example energy,knn; "all", or "own" for only those of the model`)
	cobra.CheckErr(cmd.MarkFlagRequired("out"))
}

// rows returns the variants, or an error for flags that no study can use.
func (f *studyFlags) rows() ([]study.Variant, error) {
	if err := f.bootstrap.Check(); err != nil {
		return nil, fmt.Errorf("--bootstrap: %w", err)
	}
	rows := make([]study.Variant, len(f.variants))
	for i, text := range f.variants {
		var err error
		if rows[i], err = study.ParseVariant(text); err != nil {
			return nil, fmt.Errorf("--variant: %w", err)
		}
	}
	return rows, nil
}

// tensorboardFlag adds the flag --tensorboard of a command that writes event files to the folder.
func tensorboardFlag(flags *pflag.FlagSet, on *bool, folder string) {
	flags.BoolVar(on, "tensorboard", false, fmt.Sprintf("also write event files for TensorBoard and Weights & Biases to %s", folder))
}
