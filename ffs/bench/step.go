package bench

import (
	"context"

	"github.com/gomlx/gomlx/ml/model"

	"ffslab/data"
	"ffslab/ffs/train"
)

// Step measures the training step, from a batch on the host to the updated weights, with outliers
// being synthesised.
func Step(ctx context.Context, o Options) (*Report, error) {
	o, r, err := o.prepare("step")
	if err != nil {
		return nil, err
	}
	set := images(o, o.Batch)
	step, err := train.NewStep(train.Options{Backend: o.Backend, Data: set, Devices: o.Devices, Accumulate: o.Accumulate}, o.Config, model.NewStore())
	if err != nil {
		return nil, err
	}
	defer step.Close()
	loader, err := data.Train(ctx, set, train.LoaderConfig(o.Config, 0))
	if err != nil {
		return nil, err
	}
	batch, err := loader.Next()
	loader.Close()
	if err != nil {
		return nil, err
	}
	head := o.Config.Model.ROI
	r.Shapes = map[string][]int{
		"images": {o.Batch, o.Height, o.Width, 3}, "boxes": {o.Batch, batch.MaxBoxes, 4}, "features": {o.Batch * head.BatchPerImage, head.FeatureDim()},
	}
	r.Loss = new(float64)
	return r, r.finish(ctx, o, func(i int) error {
		m, err := step.Do(batch, i, 0)
		*r.Loss = m.TotalLoss
		return err
	})
}
