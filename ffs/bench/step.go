package bench

import (
	"context"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/data"
	"ffslab/ffs/detector"
	"ffslab/ffs/nn"
	"ffslab/ffs/optim"
)

// Step measures the training step, from a batch on the host to the updated weights, with outliers being synthesised.
func Step(ctx context.Context, o Options) (*Report, error) {
	o, r, err := o.prepare("step")
	if err != nil {
		return nil, err
	}
	det, err := detector.New(o.Config)
	if err != nil {
		return nil, err
	}
	t := o.Config.Train
	update := optim.SGD{Momentum: t.Momentum, WeightDecay: t.WeightDecay}.Update
	if t.Optimizer == "adamw" {
		update = optim.AdamW{WeightDecay: t.WeightDecay}.Update
	}
	store := model.NewStore()
	nn.SetSeed(store, t.Seed)
	exec, err := model.NewExec(o.Backend, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		batch := detector.Batch{Images: in[0], Sizes: in[1], Full: true, Boxes: in[2], Classes: in[3], Valid: in[4]}
		losses := det.Losses(scope, batch, in[5], in[6])
		update(scope, losses.Total, in[7])
		return []*graph.Node{losses.Total}
	})
	if err != nil {
		return nil, err
	}
	defer exec.Finalize()

	batch, err := batchOf(ctx, o)
	if err != nil {
		return nil, err
	}
	n, m := o.Batch, batch.MaxBoxes
	r.Shapes = map[string][]int{
		"images": {n, o.Height, o.Width, 3}, "boxes": {n, m, 4},
		"proposals": {n, o.Config.Model.ROI.BatchPerImage}, "features": {n * o.Config.Model.ROI.BatchPerImage, o.Config.Model.ROI.FCDim},
	}
	r.Loss = new(float64)
	return r, r.finish(ctx, o, func(i int) error {
		keys := detector.Keys(t.Seed, i, n)
		outputs, err := exec.Call(
			tensors.FromFlatDataAndDimensions(batch.Images, n, o.Height, o.Width, 3), tensors.FromFlatDataAndDimensions(batch.Sizes, n, 2),
			tensors.FromFlatDataAndDimensions(batch.Boxes, n, m, 4), tensors.FromFlatDataAndDimensions(batch.Classes, n, m),
			tensors.FromFlatDataAndDimensions(batch.Valid, n, m),
			tensors.FromFlatDataAndDimensions(keys, n+1, len(keys)/(n+1)), o.Config.Model.Outlier.Method != "none", float32(0))
		if err != nil {
			return err
		}
		*r.Loss = scalar(outputs[0])
		return nil
	})
}

// batchOf is one batch of the loader, of which every step gets a copy.
func batchOf(ctx context.Context, o Options) (*data.Batch, error) {
	loader, err := data.Train(ctx, images(o, o.Batch), loaderConfig(o.Config))
	if err != nil {
		return nil, err
	}
	defer loader.Close()
	return loader.Next()
}

// scalar brings a float32 to the host, which waits for the computation's end, and frees it.
func scalar(t *tensors.Tensor) float64 {
	defer t.MustFinalizeAll()
	return float64(tensors.ToScalar[float32](t))
}
