package train

import (
	"fmt"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/distributed"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/core/tensors/dtensor"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/config"
	"ffslab/ffs/detector"
	"ffslab/ffs/device"
	"ffslab/ffs/internal/guard"
	"ffslab/ffs/nn"
)

// layout says how values are laid out on several devices: the images of a batch are split among
// them, all else is replicated. It is nil for one device.
type layout struct {
	mesh         *distributed.DeviceMesh
	batch, whole *distributed.ShardingSpec
}

func newLayout(devices int) (*layout, error) {
	if devices == 1 {
		return nil, nil
	}
	const axis = "batch"
	mesh, err := distributed.NewDeviceMesh([]int{devices}, []string{axis})
	if err != nil {
		return nil, err
	}
	batch, err := distributed.NewShardingSpec(mesh, distributed.AxisSpec{axis})
	if err != nil {
		return nil, err
	}
	return &layout{mesh, batch, distributed.NewReplicatedShardingSpec(mesh)}, nil
}

// program is a compiled graph that runs on one device or on several, among which its first inputs
// are split along their batch axis. The result is the same up to rounding.
type program struct {
	exec   *model.Exec
	layout *layout
	split  int // number of inputs that are split
}

// value is an input or output of a program: a tensor, or a distributed one on several devices.
type value = any

// builder makes the programs of a store.
type builder struct {
	backend   compute.Backend
	store     *model.Store
	layout    *layout
	precision nn.Precision
}

// program returns a program of the graph. It is compiled when it is called, once for each shape of
// its inputs.
func (b builder) program(split int, build func(scope *model.Scope, in []*graph.Node) []*graph.Node) (*program, error) {
	p := &program{layout: b.layout, split: split}
	var err error
	p.exec, err = model.NewExec(b.backend, b.store, guard.Build(func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		nn.UsePrecision(in[0].Graph(), b.precision)
		outputs := build(scope, in)
		if b.layout == nil { // else parameters are replicated
			if err := device.Upload(b.store, b.backend); err != nil {
				panic(err)
			}
		}
		return outputs
	}))
	if err != nil {
		return nil, err
	}
	p.exec.SetMaxCache(-1)
	if l := b.layout; l != nil {
		specs := slices.Repeat([]*distributed.ShardingSpec{l.batch}, split)
		// The last spec is that of all further inputs and outputs.
		p.exec.AutoSharding(l.mesh).WithInputShardingSpecs(append(specs, l.whole)...).WithOutputShardingSpecs(l.whole)
	}
	return p, nil
}

// call runs the program.
func (p *program) call(in ...value) ([]value, error) {
	if p.layout == nil {
		return values(p.exec.Call(in...))
	}
	args := make([]value, len(in))
	for i, v := range in {
		if d, ok := v.(*dtensor.Tensor); ok {
			args[i] = d
			continue
		}
		t, ok := v.(*tensors.Tensor)
		if !ok {
			var err error
			if t, err = tensors.FromAnyValue(v); err != nil {
				return nil, err
			}
		}
		spec := p.layout.whole
		if i < p.split {
			spec = p.layout.batch
		}
		d, err := dtensor.ShardTensor(spec, t)
		if err != nil {
			return nil, err
		}
		defer d.FinalizeAll()
		args[i] = d
	}
	return values(p.exec.DistributedExec(args...))
}

func values[T any](in []T, err error) ([]value, error) {
	out := make([]value, len(in))
	for i, v := range in {
		out[i] = v
	}
	return out, guard.Cause(err)
}

// onHost returns the numbers of a replicated value, and frees it.
func onHost(v value) []float32 {
	defer free(v)
	if d, ok := v.(*dtensor.Tensor); ok {
		return tensors.MustCopyFlatData[float32](d.Shards()[0])
	}
	return tensors.MustCopyFlatData[float32](v.(*tensors.Tensor))
}

// free releases the memory of values, which the garbage collector does not see.
func free(vs ...value) {
	for _, v := range vs {
		switch t := v.(type) {
		case *tensors.Tensor:
			t.MustFinalizeAll()
		case *dtensor.Tensor:
			_ = t.FinalizeAll() // an error means that it is gone
		}
	}
}

func (p *program) finalize() { p.exec.Finalize() }

// Check returns the error that Train would return before its first step, for steps in the given
// number of parts on the given number of devices.
func Check(backend compute.Backend, c config.Config, devices, parts int) error {
	if err := device.RunsDetectors(backend); err != nil {
		return err
	}
	det, err := detector.New(c)
	if err != nil {
		return err
	}
	if err := fitsMemory(c, device.AvailableMemory()); err != nil {
		return err
	}
	if err := det.Create(backend, model.NewStore()); err != nil { // finds faults of registered parts
		return err
	}
	return checkDevices(backend, c.Train.ImagesPerStep, parts, devices)
}

// fitsMemory returns an error if the pictures alone of three steps, which are held at a time,
// exceed the available bytes of memory, 0 for unknown.
func fitsMemory(c config.Config, available int64) error {
	const steps, channels, gib = 3, 3, 1 << 30
	pixels := 0
	for _, canvas := range c.Input.Canvases {
		pixels = max(pixels, canvas[0]*canvas[1])
	}
	need := steps * channels * float64(pixels) * float64(c.Train.ImagesPerStep)
	if available > 0 && need > float64(available) {
		return fmt.Errorf("train.images_per_step: the pictures of %d images a step take %.1f GiB of memory, and %.1f GiB are available: choose fewer",
			c.Train.ImagesPerStep, need/gib, float64(available)/gib)
	}
	return nil
}

// checkDevices returns an error if a step of so many images cannot be computed in the given number
// of parts on the given number of devices.
func checkDevices(backend compute.Backend, images, parts, devices int) error {
	if parts < 1 || images%parts != 0 {
		return fmt.Errorf("accumulate: %d parts do not divide train.images_per_step %d: one of %v does", parts, images, divisors(images))
	}
	have := backend.NumDevices()
	if devices < 1 || images/parts%devices != 0 {
		possible := slices.DeleteFunc(divisors(images/parts), func(d int) bool { return d > have })
		return fmt.Errorf("devices: %d do not divide the %d images that are computed at once: one of %v does", devices, images/parts, possible)
	}
	if devices > have {
		return fmt.Errorf("devices: %d: the backend %s has %d", devices, backend.Name(), have)
	}
	return nil
}

func divisors(n int) []int {
	var out []int
	for d := 1; d <= n; d++ {
		if n%d == 0 {
			out = append(out, d)
		}
	}
	return out
}
