package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/data/corrupt"
	"ffslab/ffs/config"
	"ffslab/ffs/eval"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/ffs/outlier"
	"ffslab/ffs/study"
	"ffslab/viz/escape"
)

func newStudy() *cobra.Command {
	of := studyFlags{
		methods: []string{"none", "gaussian", "flow", "flow-langevin"}, seeds: []int64{0, 1, 2}, scores: []string{ownScores},
		bootstrap: eval.Bootstrap{Resamples: eval.DefaultResamples},
	}
	var name string
	var asJSON, events bool
	var launch launchFlags
	cmd := &cobra.Command{
		Use:   "study --out DIR",
		Short: "Compare methods of outlier synthesis over several seeds",
		Long: `Train the same configuration with every method and every seed, measure each run on
the inlier and the outlier sets, and compare. Report mean and deviation over the
seeds, and for every difference from the baseline the paired-bootstrap interval of
each seed and the spread between seeds. --scores all adds a table of every
post-hoc score for every method.

Write OUT/study.md, study.csv, study.tex and study.json after every run, a run
folder OUT/runs/METHOD-seedN for each, and OUT/figures. The same command continues
an interrupted study without repeating finished work. Methods, variants and seeds
can be added; another configuration needs another folder.

With --parallel N, compute N runs at a time, each in its own process. With
--slurm, submit an array job that computes the runs, and a job after it that
writes the tables. This program is copied into OUT/bin, so nodes need neither Go
nor its source, but they must see OUT, the data and the cache folder under the
same paths. A task near the end of its time saves a checkpoint and queues again.
The same command submits runs again that were cancelled or failed, but not those
that are finished. "ffs study status --out OUT" shows the state of every run.

Methods: ` + strings.Join(outlier.Names(), ", ") + `.`,
		Example: `  ffs study --config digits --methods none,gaussian,flow,flow-langevin --seeds 0,1,2 --out studies/digits
  ffs study --methods none,flow --seeds 0,1 --set train.max_iter=1000 --set model.outlier.start_iter=500 --id "digits:val?n=1500" --out studies/short
  ffs study --methods none,flow --variant "strong model.loss.energy=0.3" --variant "early model.outlier.start_iter=500" --out studies/ablation
  ffs study --config voc --methods none,flow --seeds 0,1,2 --out studies/voc --slurm --sbatch "--partition=gpu --gres=gpu:1 --time=12:00:00" --parallel 4
  ffs study --config aquarium --methods none,flow --train coco:train.json,images --id coco:val.json,images --ood coco:ood.json,images --out studies/fish`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := launch.check(cmd); err != nil {
				return err
			}
			rows, err := of.rows()
			if err != nil {
				return err
			}
			c, training, err := trainingConfig(name, of.settings, data.Options{}, func(c *config.Config) {
				of.apply(c)
				c.Origin = origin()
				if launch.cell != "" || launch.tables {
					c.Origin.Command = strings.Join(append([]string{"ffs", "study"}, studyArgs(cmd)...), " ")
				}
			})
			if err != nil {
				return err
			}
			printNotes(training)
			measured, err := openMeasured(c, corrupt.Choice{}, data.Options{})
			if err != nil {
				return err
			}
			progress := &studyProgress{trainBar: newTrainBar(os.Stderr), sets: setProgress{w: os.Stderr}}
			result, err := launch.run(cmd, study.Options{
				Config: c, Methods: of.methods, Variants: rows, Baseline: of.baseline, Seeds: of.seeds, Training: training, Inlier: measured[0], Outliers: measured[1:],
				Scores: scoreNames(of.scores), Bootstrap: of.bootstrap, Out: of.out, Progress: progress, TensorBoard: events,
				Backend: sync.OnceValues(func() (compute.Backend, error) { return openBackend(cmd) }),
			})
			progress.close()
			if result == nil { // not yet
				return err
			}
			if asJSON {
				return errors.Join(err, jsonfile.Print(os.Stdout, result))
			}
			escape.Fprintf(os.Stderr, "written: %s\n", filepath.Join(of.out, "study.md"))
			fmt.Print(result.Markdown())
			return err
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&name, "config", config.DefaultPreset, "preset, or path of a YAML file")
	of.add(cmd)
	tensorboardFlag(flags, &events, "OUT/runs/METHOD-seedN/tensorboard, for every run that is trained or measured")
	flags.BoolVar(&asJSON, "json", false, "print study.json instead of tables")
	launch.add(cmd)
	cmd.AddCommand(newStudyStatus(), newStudyHeads())
	return cmd
}

// studyProgress shows the current cell, and the bars of its training and measurement.
type studyProgress struct {
	*trainBar
	sets  setProgress
	begin time.Time
}

// Cell says what starts.
func (p *studyProgress) Cell(n, total int, name, doing string) {
	p.close()
	*p.trainBar = *newTrainBar(p.w) // the next training has its own bar
	p.sets = setProgress{w: p.sets.w}
	if p.begin.IsZero() {
		p.begin = time.Now()
	}
	escape.Fprintf(p.w, "run %d of %d, %s: %s (%v since the start)\n", n, total, name, doing, time.Since(p.begin).Round(time.Second))
}

// Note prints a message that deserves attention.
func (p *studyProgress) Note(message string) { escape.Fprintf(p.w, "%s\n", message) }

// Images shows the progress of the measurement.
func (p *studyProgress) Images(set string, done, total int) { p.sets.update(set, done, total) }
