package bench

import (
	"context"
	"math/rand/v2"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/flow"
	"ffslab/ffs/nn"
	"ffslab/ffs/optim"
)

// Flow measures what a step does with the flow alone: the likelihood of as many features as the
// head samples from an image (512 in the paper), its gradient and the update; then as many latents
// as synthesis draws (200), backwards to features with their likelihood.
func Flow(ctx context.Context, o Options) (*Report, error) {
	o, r, err := o.prepare("flow")
	if err != nil {
		return nil, err
	}
	m := o.Config.Model
	rows, draws, dim := m.ROI.BatchPerImage, m.Outlier.SampleFrom, m.ROI.FeatureDim()
	r.Shapes = map[string][]int{"features": {rows, dim}, "latents": {draws, dim}, "hidden": {m.Flow.Hidden}}

	store := model.NewStore()
	nn.SetSeed(store, o.Config.Train.Seed)
	exec, err := model.NewExec(o.Backend, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		nn.UsePrecision(in[0].Graph(), o.Config.Train.Precision)
		f := flow.New(scope, in[0].Graph(), m.Density())
		z, logDet := f.Forward(in[0])
		loss := graph.ReduceAllMean(flow.NLL(z, logDet, m.Loss.NLLConstant))
		optim.SGD{Momentum: o.Config.Train.Momentum}.Apply(scope.Store(), optim.Gradients(scope, loss), in[2])
		_, latents := graph.RandomNormal(in[1], shapes.Make(dtypes.Float32, draws, dim))
		_, ofSamples := f.Sample(latents, m.Loss.NLLConstant)
		return []*graph.Node{loss, graph.ReduceAllMean(ofSamples)}
	})
	if err != nil {
		return nil, err
	}
	defer exec.Finalize()

	rng := rand.New(rand.NewPCG(uint64(o.Config.Train.Seed), 0))
	features := make([]float32, rows*dim)
	for i := range features {
		features[i] = float32(max(0, rng.NormFloat64())) // as behind the head's last ReLU
	}
	r.Loss = new(float64)
	return r, r.finish(ctx, o, func(int) error {
		state := make([]uint64, compute.RNGStateShape.Size())
		for i := range state {
			state[i] = rng.Uint64()
		}
		outputs, err := exec.Call(tensors.FromFlatDataAndDimensions(features, rows, dim), state, float32(0))
		if err != nil {
			return err
		}
		*r.Loss = scalar(outputs[0]) + scalar(outputs[1])
		return nil
	})
}

// scalar brings a float32 to the host, which waits for the computation's end, and frees it.
func scalar(t *tensors.Tensor) float64 {
	defer t.MustFinalizeAll()
	return float64(tensors.ToScalar[float32](t))
}
