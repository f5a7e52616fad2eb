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

// layout is how values lie on several devices: the images of a batch shared out, all else in full on each. On one device it is nil.
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

// program is a jitted graph that runs on one device or on several, which share its first inputs along their batch axis. What it returns is the
// same on both, but for rounding: XLA divides the computation, not the batch's meaning.
type program struct {
	exec   *model.Exec
	layout *layout
	shared int // the first inputs, which are shared out
}

// value is an input or output of a program: a tensor, on several devices a distributed one.
type value = any

// builder makes the programs of one store, which lie on the same devices.
type builder struct {
	backend   compute.Backend
	store     *model.Store
	layout    *layout
	precision nn.Precision
}

// program compiles build when it is called, once for each shape of its inputs.
func (b builder) program(shared int, build func(scope *model.Scope, in []*graph.Node) []*graph.Node) (*program, error) {
	p := &program{layout: b.layout, shared: shared}
	var err error
	p.exec, err = model.NewExec(b.backend, b.store, guard.Build(func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		nn.UsePrecision(in[0].Graph(), b.precision)
		return build(scope, in)
	}))
	if err != nil {
		return nil, err
	}
	p.exec.SetMaxCache(-1)
	if l := b.layout; l != nil {
		specs := slices.Repeat([]*distributed.ShardingSpec{l.batch}, shared)
		// The last layout is that of all further inputs and outputs.
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
		if i < p.shared {
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
	return out, err
}

// onHost returns the numbers of a value that all devices hold in full, and frees it.
func onHost(v value) []float32 {
	defer free(v)
	if d, ok := v.(*dtensor.Tensor); ok {
		return tensors.MustCopyFlatData[float32](d.Shards()[0])
	}
	return tensors.MustCopyFlatData[float32](v.(*tensors.Tensor))
}

// free releases values that nobody needs any more: the garbage collector would find them late, since it does not see the memory behind them.
func free(vs ...value) {
	for _, v := range vs {
		switch t := v.(type) {
		case *tensors.Tensor:
			t.MustFinalizeAll()
		case *dtensor.Tensor:
			_ = t.FinalizeAll() // an error could only mean that it is gone
		}
	}
}

func (p *program) finalize() { p.exec.Finalize() }

// Check says what is wrong with training the configuration with a step in so many parts on so many devices; Train would say the same.
func Check(backend compute.Backend, c config.Config, devices, parts int) error {
	if err := device.RunsDetectors(backend); err != nil {
		return err
	}
	det, err := detector.New(c)
	if err != nil {
		return err
	}
	if err := det.Create(backend, model.NewStore()); err != nil { // a fault of a part that is not built in is found before there is a run
		return err
	}
	return checkDevices(backend, c.Train.ImagesPerStep, parts, devices)
}

// checkDevices says what is wrong with computing a step of so many images in parts on several devices.
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
		return fmt.Errorf("devices: %d are asked for, the backend %s has %d", devices, backend.Name(), have)
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
