// Package heads compares many settings of outlier synthesis behind one detector, which is trained
// and stays fixed. A head is one hidden layer with the class layer and, if the method has one, the
// flow. It is trained on box features that are extracted once, so that a setting and seed takes
// seconds. A study lives in a folder:
//
//	features/   box features of the proposals of training images
//	eval/       detections that count, with features, unless the run's own evaluation has them
//	cells/      for each setting and seed the scores of these detections
//	heads.json  the outcome, written anew after every setting; also heads.csv and heads.md
//
// A study that was interrupted goes on when it is run again: what is extracted or trained is kept.
package heads

import (
	"context"
	"fmt"
	"os"
	"slices"

	"github.com/gomlx/compute"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/eval"
	"ffslab/ffs/eval/posthoc"
	"ffslab/ffs/run"
	"ffslab/ffs/study"
)

// Options say what to study.
type Options struct {
	// Run is the detector, Config the configuration of the heads (see Configure) but for method and
	// seed.
	Run    run.Named
	Config config.Config
	// Methods are names of synthesisers, Variants further settings; Baseline is the method that all
	// are compared with.
	Methods  []string
	Variants []study.Variant
	Baseline string
	Seeds    []int64
	// Training is the training set, of which Images, spread evenly, give the features; Sets are the
	// inlier set and the outlier sets.
	Training *data.Dataset
	Images   int
	Sets     []*data.Dataset
	// Scores are the post-hoc scores to fit on the heads' features; energy is measured in any case.
	Scores    []string
	Bootstrap eval.Bootstrap
	// Out is the study's folder.
	Out     string
	Backend func() (compute.Backend, error)
	// Progress is told what is being done.
	Progress func(doing string)
}

// Configure returns the configuration of heads behind a detector of the configuration c: its model
// and losses, trained by AdamW for 1500 steps of 256 proposals, a quarter foreground, the second
// half of them with outliers. Settings are applied on top.
func Configure(c config.Config, settings ...string) (config.Config, error) {
	for _, setting := range append([]string{
		"train.optimizer=adamw", "train.base_lr=0.001", "train.decay=cosine", "train.max_iter=1500", "train.warmup_iters=50",
		"train.images_per_step=1", "model.roi.batch_per_image=256", "model.roi.positive_fraction=0.25", "model.roi.reduce_dim=0",
		"model.outlier.start_iter=750",
	}, settings...) {
		if err := c.Set(setting); err != nil {
			return c, err
		}
	}
	return c, nil
}

const energy = "energy"

// Run extracts, trains and measures what is missing, and returns the whole. When ctx ends it
// returns the context's error.
func Run(ctx context.Context, o Options) (*Result, error) {
	settings, err := o.settings()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(o.Out, 0o755); err != nil {
		return nil, err
	}
	f, err := o.extract(ctx)
	if err != nil {
		return nil, err
	}
	return o.compare(ctx, f, settings)
}

// compare trains and measures the heads of the settings, the baseline's first.
func (o Options) compare(ctx context.Context, f *extracted, settings []study.Setting) (*Result, error) {
	result, err := o.newResult(f)
	if err != nil {
		return nil, err
	}
	for i, s := range settings {
		cells, err := o.cells(ctx, f, s, func(seed int, doing string) {
			n, total := i*len(o.Seeds)+seed+1, len(settings)*len(o.Seeds)
			o.Progress(fmt.Sprintf("%d of %d, %s, seed %d: %s", n, total, s.Name, o.Seeds[seed], doing))
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		if err := result.add(s.Name, cells, f); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Name, err)
		}
		if err := result.save(o.Out); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// settings returns the rows, the baseline first. The error names what is impossible.
func (o Options) settings() ([]study.Setting, error) {
	grid := study.Options{Config: o.Config, Methods: o.Methods, Variants: o.Variants, Baseline: o.Baseline, Seeds: o.Seeds}
	rows, err := grid.Settings()
	if err != nil {
		return nil, err
	}
	_, err = posthoc.Resolve(o.Scores)
	return rows, err
}

func (o Options) scores() []string {
	names, _ := posthoc.Resolve(o.Scores) // settings has seen the error
	if !slices.Contains(names, energy) {
		names = append([]string{energy}, names...)
	}
	return names
}
