package cli

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/spf13/cobra"

	"ffslab/ffs/checkpoint"
	"ffslab/ffs/config"
	"ffslab/ffs/detector"
	"ffslab/ffs/nn"
	"ffslab/ffs/optim"
	"ffslab/ffs/pretrained"
	"ffslab/ffs/run"
	"ffslab/viz/escape"
)

func newImport() *cobra.Command {
	var (
		name, dir string
		settings  []string
		resume    bool
	)
	cmd := &cobra.Command{
		Use:   "import CHECKPOINT|FILE.zip --config NAME|FILE --run DIR",
		Short: "Make a run from a detector's or a pretrained backbone's weights, or from an exported run",
		Long: `Make a run from a checkpoint with detectron2's parameter names: PyTorch's .pth (zip
or legacy), detectron2's .pkl, or .safetensors. It can be a finished detector (FFS,
VOS or vanilla) or only a backbone; other missing parameters, and those of another
shape (the number of classes), are initialised from the seed. A file without the
whole backbone of --config is an error. The weights may be under a key (model, state_dict, model_state_dict,
ema_state_dict, teacher, ...), or their names may have a common prefix (module.,
model.), which is reported. Nothing in the file is executed: other content
(arguments, schedulers) is read as data, and a file that calls other code is an
error.

RegNetX, RegNetY and ResNet-50, 101 and 152 may also have the names of timm
(regnetx_040, resnet50), torchvision (regnet_y_8gf, resnet50) or pycls. The file
then sets model.backbone (except freeze_at), input.pixel_mean and input.pixel_std,
unless --set does. The detector's images stay BGR: the input channels of an RGB
network's first convolution are reversed.

Or unpack a .zip file of "ffs export", a run with its own configuration.

The run can be evaluated at once, and trained with "ffs train --run DIR --resume":
from step 0 with these weights, or, with --continue, from the step where the file's
training ended, with its momentum.`,
		Example: `  ffs import regnetx_detectron2.pth --config voc --run runs/voc
  ffs import timm/regnety_040.pycls_in1k/model.safetensors --config voc --run runs/voc-y
  ffs import model_final.pth --config my-detector.yaml --run runs/mine
  ffs import model_0011999.pth --config voc --run runs/voc --continue
  ffs import digits.zip --run runs/theirs`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if filepath.Ext(args[0]) == ".zip" {
				var given []string
				for _, flag := range []string{"config", "set", "continue"} {
					if cmd.Flags().Changed(flag) {
						given = append(given, "--"+flag)
					}
				}
				if len(given) > 0 {
					return fmt.Errorf("%s: not possible with %s, an exported run, which keeps its own configuration: leave out what is not --run", strings.Join(given, ", "), args[0])
				}
				return unpack(args[0], dir)
			}
			c, err := config.Load(name, settings...)
			if err != nil {
				return err
			}
			file, err := checkpoint.Open(args[0])
			if err != nil {
				return err
			}
			weights, err := pretrained.Recognise(file)
			if err != nil {
				return err
			}
			if weights != nil {
				if c, err = configure(weights, c, settings); err != nil {
					return err
				}
			}
			c.Origin = origin()
			if err := comparePixels(file, c.Input); err != nil {
				return err
			}
			other, err := run.CompareExport(file, c)
			if err != nil {
				return err
			}
			printWarnings(other)
			backend, err := openBackend(cmd)
			if err != nil {
				return err
			}
			det, err := detector.New(c)
			if err != nil {
				return err
			}
			store := model.NewStore()
			nn.SetSeed(store, c.Train.Seed)
			if err := det.Create(backend, store); err != nil {
				return err
			}
			report, err := load(store, file, weights)
			if err != nil {
				return err
			}
			step, where, err := startingPoint(file, store, c, resume)
			if err != nil {
				return fmt.Errorf("%s: %w", file.Path, err)
			}
			r, err := run.Import(dir, c, store, step)
			if err != nil {
				return fmt.Errorf("%s: not imported, nothing is left behind: %w", args[0], err)
			}
			escape.Fprintf(os.Stdout, "%s: %s; %s\n", dir, report.String(), where)
			return r.Close()
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&name, "config", config.DefaultPreset, "preset, or path of a YAML file, that describes the detector, for example voc")
	flags.StringVar(&dir, "run", "", "folder of the run, new or empty, for example runs/voc")
	flags.StringArrayVar(&settings, "set", nil, "a setting, as in a configuration file, for example model.outlier.method=none; may be repeated")
	flags.BoolVar(&resume, "continue", false, "continue at the step of the file's training, with its momentum, instead of starting at step 0")
	cobra.CheckErr(cmd.MarkFlagRequired("run"))
	return cmd
}

// load sets the parameters in the store from the file, or from the classifier in it, and returns an
// error unless the file has the whole backbone.
func load(store *model.Store, file *checkpoint.File, weights *pretrained.Weights) (checkpoint.Report, error) {
	if weights != nil {
		return weights.Load(store)
	}
	report, err := checkpoint.LoadInto(store, file)
	if err != nil {
		return report, err
	}
	if err := report.WholeBackbone(); err != nil {
		return report, fmt.Errorf("%s: %w: give --config the configuration of the file's training, or --set model.backbone", file.Path, err)
	}
	return report, nil
}

// configure returns the configuration for pretrained weights, with the user's settings applied
// last, and prints what it changed.
func configure(weights *pretrained.Weights, c config.Config, settings []string) (config.Config, error) {
	before := c
	c, err := weights.Configure(c)
	if err != nil {
		return c, err
	}
	for _, setting := range settings {
		if err := c.Set(setting); err != nil {
			return c, err
		}
	}
	if err := c.Validate(); err != nil {
		return c, err
	}
	escape.Fprintf(os.Stderr, "%s\n", weights)
	changed := func(key string, from, to any) {
		if !reflect.DeepEqual(from, to) {
			text, err := yaml.MarshalWithOptions(to, yaml.Flow(true))
			cobra.CheckErr(err)
			escape.Fprintf(os.Stderr, "%s is now %s", key, text)
		}
	}
	changed("model.backbone", before.Model.Backbone, c.Model.Backbone)
	changed("input.pixel_mean", before.Input.PixelMean, c.Input.PixelMean)
	changed("input.pixel_std", before.Input.PixelStd, c.Input.PixelStd)
	return c, nil
}

// startingPoint returns the step at which the training of the imported run starts, and says whether
// it continues the file's training.
func startingPoint(file *checkpoint.File, store *model.Store, c config.Config, resume bool) (step int, where string, err error) {
	steps, trained := file.Iteration()
	switch {
	case !resume && trained:
		return 0, fmt.Sprintf("starts at step 0: the file's step %d and its optimizer are not taken (--continue takes them)", steps), nil
	case !resume:
		return 0, "starts at step 0", nil
	case !trained:
		return 0, "", errors.New("--continue: the file does not say at which iteration its training ended: leave the flag out to start at step 0")
	case steps > c.Train.MaxIter:
		return 0, "", fmt.Errorf("--continue: the file's training has done %d steps, train.max_iter is %d: set a larger one", steps, c.Train.MaxIter)
	case c.Train.Optimizer != "sgd":
		return 0, "", fmt.Errorf("--continue: the file's optimizer is SGD, the configuration's %s: set train.optimizer=sgd, or leave the flag out", c.Train.Optimizer)
	}
	momenta, err := checkpoint.LoadMomenta(store, file, optim.MomentumScope)
	if err != nil {
		return 0, "", fmt.Errorf("--continue: %w", err)
	}
	return steps, fmt.Sprintf("continues at step %d with %d momenta", steps, momenta), nil
}

// comparePixels returns an error if the file normalises images differently from the configuration,
// since its weights would see other inputs.
func comparePixels(file *checkpoint.File, in config.Input) error {
	for _, statistic := range []struct {
		name   string
		values []float64
	}{{"pixel_mean", in.PixelMean}, {"pixel_std", in.PixelStd}} {
		tensor, ok := file.Tensor(statistic.name)
		if !ok {
			continue
		}
		values, err := tensor.Float32()
		if err != nil {
			return fmt.Errorf("%s: %s: %w", file.Path, statistic.name, err)
		}
		for i, v := range values {
			if i >= len(statistic.values) || v != float32(statistic.values[i]) {
				return fmt.Errorf("%s: its %s is %v, the configuration's input.%s %v: set that to the file's", file.Path, statistic.name, values, statistic.name, statistic.values)
			}
		}
	}
	return nil
}

func newExport() *cobra.Command {
	var dir, out string
	cmd := &cobra.Command{
		Use:   "export --run DIR --out FILE.safetensors|FILE.zip",
		Short: "Write a run's parameters for PyTorch, or the run as one small file",
		Long: `Write a run's newest parameters to a .safetensors file, under detectron2's names
and in PyTorch's layout. Or write the whole run to a .zip file: configuration,
metrics, parameters in half precision, and its evaluation, if it is of these
parameters. "ffs import FILE.zip" makes a run of it.

Half precision changes the last digits of results. To pack a run with an evaluation
of the packed parameters, import the file, evaluate that run, and export it again.`,
		Example: `  ffs export --run runs/digits --out digits.safetensors
  ffs export --run runs/digits --out digits.zip`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			kind := filepath.Ext(out)
			if kind != ".zip" && kind != ".safetensors" {
				return fmt.Errorf("--out %s: give a file that ends in .safetensors, for the parameters, or in .zip, for the whole run", out)
			}
			r, err := run.Open(dir)
			if err != nil {
				return err
			}
			if err := os.MkdirAll(filepath.Dir(out), 0o755); err != nil {
				return err
			}
			if kind == ".zip" {
				return pack(r, out)
			}
			weights, err := r.Export(out)
			if err != nil {
				return err
			}
			printWarnings(weights.Notes)
			escape.Fprintf(os.Stdout, "%s: the parameters after %d steps\n", out, weights.Step)
			return nil
		},
	}
	runFlag(cmd.Flags(), &dir)
	cmd.Flags().StringVar(&out, "out", "", "file to write, for example digits.safetensors or digits.zip")
	cobra.CheckErr(errors.Join(cmd.MarkFlagRequired("run"), cmd.MarkFlagRequired("out")))
	return cmd
}

// pack writes the run to one file and says what the file includes.
func pack(r *run.Run, out string) error {
	weights, evaluated, err := r.Pack(out)
	if err != nil {
		return err
	}
	printWarnings(weights.Notes)
	what := "without an evaluation: there is none of these parameters in half precision"
	if evaluated {
		what = "with its evaluation"
	}
	escape.Fprintf(os.Stdout, "%s: the run after %d steps, %s\n", out, weights.Step, what)
	return nil
}

// unpack creates the run in the folder dir from a file of "ffs export".
func unpack(file, dir string) error {
	if err := run.Unpack(file, dir); err != nil {
		return err
	}
	escape.Fprintf(os.Stdout, "%s: the run of %s; parameters in half precision\n", dir, file)
	return nil
}
