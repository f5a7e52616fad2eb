package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"ffslab/data"
	"ffslab/ffs/bench"
	"ffslab/ffs/config"
	"ffslab/ffs/device"
)

func newBench() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "bench",
		Short: "Measure speed and memory on this machine, and compare with other programs",
		Long: `Measure speed and memory on this machine. Every command prints one line of JSON
on standard output and its progress on standard error. Only the loader needs
data; none needs a run. ffs/bench/README.md explains the comparison with PyTorch.`,
	}
	cmd.AddCommand(
		newBenchPart("step", "Measure the training step, from batch to updated weights, with synthesis of outliers", bench.Step),
		newBenchPart("infer", "Measure detection, from images to boxes with scores, with post-processing", bench.Infer),
		newBenchPart("flow", "Measure the flow alone: a training step on features, and features from latents", bench.Flow),
		newBenchRoofline(), newBenchGrowth(), newBenchLoader(), newBenchCoco(), newBenchCompare(),
	)
	return cmd
}

type configFlags struct {
	name     string
	settings []string
}

func (f *configFlags) add(cmd *cobra.Command, preset string) {
	cmd.Flags().StringVar(&f.name, "config", preset, "preset, or path of a YAML file")
	cmd.Flags().StringArrayVar(&f.settings, "set", nil, `a setting, as in a configuration file, for example model.roi.fc_dim=512; may be repeated`)
}

// load returns the name and the configuration that the flags select.
func (f *configFlags) load() (string, config.Config, error) {
	c, err := config.Load(f.name, f.settings...)
	return f.name, c, err
}

func newBenchPart(name, short string, measure func(context.Context, bench.Options) (*bench.Report, error)) *cobra.Command {
	o := bench.Options{Batch: 1, Log: os.Stderr}
	var from configFlags
	size := " --height 320 --width 416"
	if name == "flow" {
		size = "" // its work does not depend on images
	}
	cmd := &cobra.Command{
		Use:   name,
		Short: short,
		Example: fmt.Sprintf(`  ffs bench %[1]s --config voc%[2]s
  ffs bench %[1]s --config voc --backend xla:cuda --steps 50 --warmup 10
  ffs bench %[1]s --config digits --set model.flow.hidden=512`, name, size),
		Args: cobra.NoArgs,
		RunE: measureWith(&o, &from, measure),
	}
	from.add(cmd, "voc")
	flags := cmd.Flags()
	if size != "" {
		imageFlags(cmd, &o)
	}
	if name == "step" {
		flags.IntVar(&o.Devices, "devices", 1, "number of devices that share the images, as in ffs train")
		flags.IntVar(&o.Accumulate, "accumulate", 1, "number of parts of a step that are computed one after the other, as in ffs train")
	}
	callFlags(cmd, &o)
	return cmd
}

// measureWith runs a measurement of the configuration on the selected backend and prints its
// report.
func measureWith[R any](o *bench.Options, from *configFlags, measure func(context.Context, bench.Options) (R, error)) func(*cobra.Command, []string) error {
	return func(cmd *cobra.Command, _ []string) error {
		var err error
		if o.Name, o.Config, err = from.load(); err != nil {
			return err
		}
		options := deviceOptions(cmd)
		if kept, _ := cmd.Flags().GetBool("kept"); !kept {
			options.KeepPrograms = false
		}
		if o.Backend, err = device.Open(options); err != nil {
			return err
		}
		return printReport(measure(cmd.Context(), *o))
	}
}

func imageFlags(cmd *cobra.Command, o *bench.Options) {
	cmd.Flags().IntVar(&o.Height, "height", 0, "pixels, a multiple of 32; 0: those of the configuration's first canvas")
	cmd.Flags().IntVar(&o.Width, "width", 0, "pixels, a multiple of 32; 0: those of the configuration's first canvas")
	cmd.Flags().IntVar(&o.Batch, "batch", 1, "images in a call")
}

func callFlags(cmd *cobra.Command, o *bench.Options) {
	cmd.Flags().IntVar(&o.Steps, "steps", 5, "measured calls")
	cmd.Flags().IntVar(&o.Warmup, "warmup", 1, "calls to run before, without measuring, after the one that compiles")
	cmd.Flags().Bool("kept", false, "use programs compiled by earlier processes, as all other commands do; compile_s is then the time to load them")
}

func newBenchRoofline() *cobra.Command {
	o := bench.Options{Log: os.Stderr}
	var from configFlags
	var side int
	cmd := &cobra.Command{
		Use:   "roofline",
		Short: "Measure how near step, detection and flow come to the machine's rate of products",
		Long: `Measure the rate of large matrix products, then the training step, detection and
the flow. share is the time that the convolutions and products of a part would
take at that rate, divided by the time that the part takes. stages are the parts
of detection, each with its wall time and its processor time.`,
		Example: `  ffs bench roofline --config voc --height 800 --width 1216
  ffs bench roofline --config voc --backend xla:cuda --side 8192 --set train.precision=bf16`,
		Args: cobra.NoArgs,
		RunE: measureWith(&o, &from, func(ctx context.Context, o bench.Options) (*bench.Roofline, error) { return bench.Roof(ctx, o, side) }),
	}
	from.add(cmd, "voc")
	imageFlags(cmd, &o)
	callFlags(cmd, &o)
	cmd.Flags().IntVar(&side, "side", 2048, "side of the matrices to measure the rate with")
	return cmd
}

func newBenchGrowth() *cobra.Command {
	o := bench.Options{Log: os.Stderr}
	var from configFlags
	cmd := &cobra.Command{
		Use:   "growth",
		Short: "Measure how the cost of a step grows with image, batch, proposals, classes and flow width",
		Long: `Measure the training step at several sizes of the image, the batch, the sampled
proposals and the classes, one after the other, and the flow alone at several
widths. Each size is compiled again, which takes more than 10 minutes in all on
two cores even for small images. After an interruption, print what was measured.
exponent is the slope of log time over log size.`,
		Example: `  ffs bench growth --config voc --height 320 --width 416
  ffs bench growth --config voc --backend xla:cuda --steps 30 --warmup 10`,
		Args: cobra.NoArgs,
		RunE: measureWith(&o, &from, func(ctx context.Context, o bench.Options) (*bench.Growth, error) {
			g, err := bench.Grow(ctx, o)
			if err != nil && g != nil && len(g.Sweeps) > 0 {
				return g, errors.Join(err, printReport(g, nil)) // print what was measured
			}
			return g, err
		}),
	}
	from.add(cmd, "voc")
	imageFlags(cmd, &o)
	callFlags(cmd, &o)
	return cmd
}

func newBenchLoader() *cobra.Command {
	o := bench.LoaderOptions{Log: os.Stderr}
	var from configFlags
	var spec string
	var open data.Options
	cmd := &cobra.Command{
		Use:   "loader --data SPEC",
		Short: "Measure how many images per second are decoded, resized and batched, on all cores and on one",
		Example: `  ffs bench loader --config digits --data digits:train
  ffs bench loader --config voc --data coco:train.json,images --images 500
  ffs bench loader --config voc --data voc_custom_train@/data/VOC --set train.images_per_step=4`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Name, o.Config, err = from.load(); err != nil {
				return err
			}
			if o.Data, err = data.Open(spec, open); err != nil {
				return err
			}
			printNotes(o.Data)
			return printReport(bench.Loader(cmd.Context(), o))
		},
	}
	from.add(cmd, config.DefaultPreset)
	datasetDirFlag(cmd, &open)
	cmd.Flags().StringVar(&spec, "data", "", "data set, for example coco:ANN.json,IMAGES_DIR")
	cmd.Flags().IntVar(&o.Images, "images", 200, "images to read each time")
	cobra.CheckErr(cmd.MarkFlagRequired("data"))
	return cmd
}

func newBenchCoco() *cobra.Command {
	o := bench.CocoOptions{Log: os.Stderr}
	cmd := &cobra.Command{
		Use:   "coco-eval",
		Short: "Measure COCO's box evaluation on a generated set, and compare with pycocotools",
		Long: `Evaluate a set of random objects and detections, also with pycocotools if Python
has it, and compare. Fail unless the twelve numbers agree to 1e-9.`,
		Example: `  ffs bench coco-eval
  ffs bench coco-eval --images 500 --rounds 3 --python venv/bin/python`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return printReport(bench.Coco(cmd.Context(), o)) },
	}
	flags := cmd.Flags()
	flags.IntVar(&o.Images, "images", 5000, "images of the set")
	flags.IntVar(&o.Classes, "classes", 80, "classes of the set")
	flags.IntVar(&o.Detections, "detections", 100, "detections of an image")
	flags.Uint64Var(&o.Seed, "seed", 0, "seed of the set")
	flags.IntVar(&o.Rounds, "rounds", 1, "number of times that each evaluates it, alternating")
	flags.StringVar(&o.Python, "python", "", "interpreter with pycocotools; empty: $FFSLAB_PYTHON, or else python3")
	flags.BoolVar(&o.NoPython, "no-python", false, "leave pycocotools out")
	return cmd
}

func newBenchCompare() *cobra.Command {
	o := bench.CompareOptions{Log: os.Stderr}
	var interpreter, part string
	var height, width, batch int
	cmd := &cobra.Command{
		Use:   "compare [-- OURS... -- OTHER... [-- OTHER...]]",
		Short: "Compare the step, the detection or the flow with PyTorch, or run other programs alternately",
		Long: `Run programs alternately and print the median ratio of the first program's time
to that of the fastest other. Without programs, compare a part of this one, with
the preset voc, with torch_step.py: the same work in PyTorch, in both memory
layouts. Each program must end its output with a line of JSON that has median_s,
as "ffs bench step" does.`,
		Example: `  ffs bench compare --part step --height 320 --width 416 --python venv/bin/python
  ffs bench compare --part flow --rounds 5 --python venv/bin/python
  ffs bench compare -- ./ffs.old bench infer --config digits -- ./ffs bench infer --config digits`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				for _, name := range []string{"part", "height", "width", "batch", "python"} {
					if cmd.Flags().Changed(name) {
						return fmt.Errorf("compare: --%s: the programs after -- have their own flags: leave it out, or the programs", name)
					}
				}
				o.Commands = splitCommands(args)
				return printReport(bench.Compare(cmd.Context(), o))
			}
			dir, err := os.MkdirTemp("", "ffslab-compare-*")
			if err != nil {
				return err
			}
			defer os.RemoveAll(dir)
			if o.Commands, err = bench.WithPyTorch(cmd.Context(), dir, interpreter, part, height, width, batch); err != nil {
				return err
			}
			return printReport(bench.Compare(cmd.Context(), o))
		},
	}
	flags := cmd.Flags()
	flags.IntVar(&o.Rounds, "rounds", 3, "number of times that each runs")
	flags.StringVar(&part, "part", "step", "step, infer or flow")
	flags.IntVar(&height, "height", 320, "pixels of step and infer, a multiple of 32")
	flags.IntVar(&width, "width", 416, "pixels of step and infer, a multiple of 32")
	flags.IntVar(&batch, "batch", 1, "images of a call")
	flags.StringVar(&interpreter, "python", "", "interpreter with torch and torchvision; empty: $FFSLAB_PYTHON, or else python3")
	return cmd
}

func splitCommands(line []string) [][]string {
	commands := [][]string{}
	for {
		i := slices.Index(line, "--")
		if i < 0 {
			return append(commands, line)
		}
		commands, line = append(commands, line[:i]), line[i+1:]
	}
}

// printReport prints a report as one line of JSON.
func printReport[R any](report R, err error) error {
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}
