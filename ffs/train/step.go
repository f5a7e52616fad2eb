package train

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/detector"
	"ffslab/ffs/device"
	"ffslab/ffs/nn"
	"ffslab/ffs/optim"
	"ffslab/ffs/run"
)

// stepper runs the step on the loader's batches.
type stepper struct {
	*Step
	options  Options
	compiled map[data.Canvas]bool
}

// Step is the training step, compiled once for each canvas. Train uses one. On its own, without run
// folder and loader, it serves to measure a step or to train on one's own batches.
type Step struct {
	config   config.Config
	store    *model.Store
	detector *detector.Detector
	compute  computation
	begun    bool
}

// computation computes a step, from the images of a batch to the updated parameters, as a whole or
// in parts. It returns the losses in the order of detector.Detector.Names.
type computation interface {
	step(batch *data.Batch, keys []uint64, active bool, lr float64) ([]float32, error)
	finalize()
}

// NewStep returns the step that Train runs with the configuration and the options, of which it does
// not use Run and Progress. The first step creates the parameters that the store lacks. The error
// names the setting at fault.
func NewStep(o Options, config config.Config, store *model.Store) (*Step, error) {
	if err := device.RunsDetectors(o.Backend); err != nil {
		return nil, err
	}
	o.Devices, o.Accumulate = cmp.Or(o.Devices, 1), cmp.Or(o.Accumulate, 1)
	det, err := detector.New(config)
	if err != nil {
		return nil, err
	}
	nn.SetSeed(store, config.Train.Seed)
	c := config.Train
	if err := checkDevices(o.Backend, c.ImagesPerStep, o.Accumulate, o.Devices); err != nil {
		return nil, err
	}
	apply, err := Update(c)
	if err != nil {
		return nil, err
	}
	form := batchForm{full: alwaysFull(o.Data, config.Input), ignored: hasIgnored(o.Data)}
	layout, err := newLayout(o.Devices)
	if err != nil {
		return nil, err
	}
	b := builder{o.Backend, store, layout, c.Precision}
	s := &Step{config: config, store: store, detector: det}
	if o.Accumulate > 1 {
		s.compute, err = newInParts(b, o.Accumulate, c.ImagesPerStep, det, form, apply)
	} else {
		s.compute, err = newWhole(b, det, form, apply)
	}
	return s, err
}

// Do runs step number step, counted from 0, on the batch with the learning rate lr, and returns the
// losses. The metrics hold no durations.
func (s *Step) Do(batch *data.Batch, step int, lr float64) (run.Metrics, error) {
	c := s.config
	active := s.detector.HasEnergy() && step >= c.Model.Outlier.StartIter
	keys := detector.Keys(c.Train.Seed, step, batch.BatchSize)
	losses, err := s.compute.step(batch, keys, active, lr)
	if err != nil {
		return run.Metrics{}, err
	}
	if !s.begun {
		s.begun = true
		device.FreeGarbage()
	}
	var m run.Metrics
	for i, name := range s.detector.Names() {
		m.Set(name, float64(losses[i]))
	}
	m.Step, m.LR, m.Dropped = step+1, lr, batch.Dropped
	return m, nil
}

// Close frees the compiled programs.
func (s *Step) Close() { s.compute.finalize() }

// Update returns the graph function that updates the store's parameters: it clips the gradients and
// applies the configuration's optimizer, with the learning rate lr times a parameter's factor. The
// error names the setting at fault.
func Update(c config.Train) (func(store *model.Store, gradients []optim.Gradient, lr *graph.Node), error) {
	optimizer, err := c.NewOptimizer(lrFactor(c))
	if err != nil {
		return nil, fmt.Errorf("train.%w", err)
	}
	clip := optim.Clip{Norm: c.ClipNorm, Group: clipGroup}
	return func(store *model.Store, gradients []optim.Gradient, lr *graph.Node) {
		optimizer.Apply(store, clip.Apply(gradients), lr)
	}, nil
}

// whole computes a step as one program.
type whole struct {
	program *program
	form    batchForm
}

func newWhole(b builder, det *detector.Detector, form batchForm, apply func(*model.Store, []optim.Gradient, *graph.Node)) (whole, error) {
	p, err := b.program(form.inputs(), func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		batch, in := form.batch(in)
		keys, active, lr := in[0], in[1], in[2]
		losses := det.Losses(scope, batch, keys, active)
		apply(b.store, optim.Gradients(scope, losses.Total()), lr)
		return []*graph.Node{losses.Vector()}
	})
	return whole{p, form}, err
}

func (s whole) step(batch *data.Batch, keys []uint64, active bool, lr float64) ([]float32, error) {
	n := batch.BatchSize
	in := append(s.form.tensors(batch, 0, n), tensors.FromFlatDataAndDimensions(keys, n+1, len(keys)/(n+1)), active, float32(lr))
	defer free(in...)
	out, err := s.program.call(in...)
	if err != nil {
		return nil, err
	}
	return onHost(out[0]), nil
}

func (s whole) finalize() { s.program.finalize() }

// clipGroup clips the flow's and the detector's gradients apart. Otherwise the flow's likelihood
// would scale the detector's step.
func clipGroup(path string) string {
	if strings.HasPrefix(path, "/roi_heads/flow_model/") {
		return "flow"
	}
	return "detector"
}

// lrFactor returns the factor of a parameter's learning rate: the configuration's for the flow and
// the backbone, 1 for the others.
func lrFactor(c config.Train) func(path string) float64 {
	return func(path string) float64 {
		switch {
		case clipGroup(path) == "flow":
			return cmp.Or(c.FlowLRFactor, 1)
		case strings.HasPrefix(path, "/backbone/bottom_up/"):
			return cmp.Or(c.BackboneLRFactor, 1)
		}
		return 1
	}
}

// alwaysFull reports whether there is one canvas and every training image, at each of its sizes,
// reaches its last 32 pixels (see detector.Batch).
func alwaysFull(set *data.Dataset, in config.Input) bool {
	if len(in.Canvases) != 1 {
		return false
	}
	canvas := data.Canvases(in.Canvases)[0]
	for _, img := range set.Images {
		for _, short := range in.MinSizeTrain {
			height, width := data.Transform{ShortEdge: short, LongEdge: in.MaxSizeTrain}.Size(img.Height, img.Width)
			if height <= canvas.Height-32 || width <= canvas.Width-32 {
				return false
			}
		}
	}
	return true
}

// next runs the step on the loader's next batch.
func (s *stepper) next(loader *data.Loader, step int, lr float64) (run.Metrics, error) {
	begin, waitedBefore := time.Now(), loader.Waited()
	batch, err := loader.Next()
	if err != nil {
		return run.Metrics{}, err
	}
	first := !s.compiled[batch.Canvas]
	if first {
		s.options.Progress.Compiling(batch.Canvas)
		s.compiled[batch.Canvas] = true
	}
	called := time.Now()
	m, err := s.Do(batch, step, lr)
	if err != nil {
		return run.Metrics{}, err
	}
	if first {
		s.options.Progress.Compiled(len(s.compiled), time.Since(called))
	}
	pace(&m, batch.BatchSize, time.Since(begin), loader.Waited()-waitedBefore)
	return m, nil
}

// batchForm is what all batches of a training have in common.
type batchForm struct {
	full    bool // see detector.Batch.Full
	ignored bool // some image has an ignored region
}

// hasIgnored reports whether an image of the set has an ignored region.
func hasIgnored(set *data.Dataset) bool {
	return slices.ContainsFunc(set.Images, func(im data.Image) bool { return len(im.Ignored) > 0 })
}

// inputs is the number of a program's inputs that make up a batch.
func (f batchForm) inputs() int {
	if f.ignored {
		return 6
	}
	return 5
}

// batch reads the batch from the inputs of a program and returns the other inputs.
func (f batchForm) batch(in []*graph.Node) (batch detector.Batch, others []*graph.Node) {
	batch = detector.Batch{Images: in[0], Sizes: in[1], Full: f.full, Boxes: in[2], Classes: in[3], Valid: in[4]}
	if f.ignored {
		batch.Ignored = in[5]
	}
	return batch, in[f.inputs():]
}

// tensors returns the images first to first+size-1 of the batch, with their boxes, as inputs of a
// program.
func (f batchForm) tensors(b *data.Batch, first, size int) []value {
	m, pixels := b.MaxBoxes, b.Canvas.Height*b.Canvas.Width*3
	in := []value{
		tensors.FromFlatDataAndDimensions(part(b.Images, first, size, pixels), size, b.Canvas.Height, b.Canvas.Width, 3),
		tensors.FromFlatDataAndDimensions(part(b.Sizes, first, size, 2), size, 2),
		tensors.FromFlatDataAndDimensions(part(b.Boxes, first, size, m*4), size, m, 4),
		tensors.FromFlatDataAndDimensions(part(b.Classes, first, size, m), size, m),
		tensors.FromFlatDataAndDimensions(part(b.Valid, first, size, m), size, m),
	}
	if f.ignored {
		in = append(in, tensors.FromFlatDataAndDimensions(part(b.Ignored, first, size, m), size, m))
	}
	return in
}

// part returns the rows first to first+n-1, of the given width.
func part[T any](rows []T, first, n, width int) []T { return rows[first*width : (first+n)*width] }
