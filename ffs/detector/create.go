package detector

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/device"
	"ffslab/ffs/nn"
)

// Create creates the parameters that the store lacks, from its seed (see nn.SetSeed), without
// running a graph. It returns an error if the store holds a parameter in another shape, or if a
// part fails.
func (d *Detector) Create(backend compute.Backend, store *model.Store) (err error) {
	if err := device.RunsDetectors(backend); err != nil {
		return err
	}
	defer func() {
		fault := recover()
		if fault == nil {
			return
		}
		var ok bool
		if err, ok = fault.(error); !ok {
			err = fmt.Errorf("%v", fault)
		}
		if misfit := (*nn.ShapeError)(nil); errors.As(err, &misfit) {
			err = fmt.Errorf("the parameters do not fit the configuration: %w", err)
		}
	}()
	g := graph.NewGraph(backend, "create")
	defer g.Finalize()
	const side, boxes = 64, 1 // the smallest; parameters do not depend on them
	n := d.images             // a synthesiser may need as many rows as a step has
	input := func(name string, dtype dtypes.DType, dims ...int) *graph.Node {
		return graph.Parameter(g, name, shapes.Make(dtype, dims...))
	}
	batch := Batch{
		Images: input("images", dtypes.Uint8, n, side, side, 3), Sizes: input("sizes", dtypes.Int32, n, 2), Full: true,
		Boxes: input("boxes", dtypes.Float32, n, boxes, 4), Classes: input("classes", dtypes.Int32, n, boxes), Valid: input("valid", dtypes.Bool, n, boxes),
	}
	d.Losses(store.RootScope(), batch, input("keys", dtypes.Uint64, n+1, 3), input("active", dtypes.Bool))
	return nil
}
