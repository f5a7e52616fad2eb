package explore

import (
	"fmt"
	"math/rand/v2"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/gomlx/gomlx/ml/train/optimizer"

	"ffslab/ffs/flow"
	"ffslab/ffs/nn"
)

// toyFlow is a flow of points in the plane, of the same layers as the detector's.
type toyFlow struct {
	store   *model.Store
	density *model.Exec
}

var toyConfig = flow.Config{Dim: 2, Blocks: 6, Hidden: 64, Clamp: 1}

const (
	toySteps = 1500
	toyBatch = 256
	toyLR    = 2e-3
)

// fitToyFlow fits a flow to the points by maximum likelihood, in the given number of steps of Adam.
func fitToyFlow(backend compute.Backend, points [][]float64, steps int, rng *rand.Rand) (*toyFlow, error) {
	store := model.NewStore()
	nn.SetSeed(store, sampleSeed)
	adam := optimizer.Adam().Done()
	step, err := model.NewExec(backend, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		x, lr := in[0], in[1]
		g := x.Graph()
		z, logDet := flow.New(scope.At("flow"), g, toyConfig).Forward(x)
		loss := graph.ReduceAllMean(flow.NLL(z, logDet, false))
		optimizer.LearningRateVar(scope, loss.DType(), toyLR).SetNodeValue(lr)
		adam.UpdateGraph(scope, g, loss)
		return []*graph.Node{loss}
	})
	if err != nil {
		return nil, err
	}
	defer step.Finalize()
	for i := range steps {
		batch := make([][]float64, toyBatch)
		for j := range batch {
			batch[j] = points[rng.IntN(len(points))]
		}
		decay := 1 - float32(i)/float32(steps)
		outputs, err := step.Call(planeTensor(batch), toyLR*decay)
		if err != nil {
			return nil, fmt.Errorf("fitting the flow of the plane, step %d: %w", i, err)
		}
		outputs[0].MustFinalizeAll()
	}
	f := &toyFlow{store: store}
	f.density, err = model.NewExec(backend, store, func(scope *model.Scope, x *graph.Node) *graph.Node {
		z, logDet := flow.New(scope.At("flow"), x.Graph(), toyConfig).Forward(x)
		return flow.NLL(z, logDet, false)
	})
	return f, err
}

// logP returns the log-density of points of the plane.
func (f *toyFlow) logP(points [][]float64) ([]float64, error) {
	outputs, err := f.density.Call(planeTensor(points))
	if err != nil {
		return nil, err
	}
	return float64s(outputs[0], -1), nil
}

// planeTensor makes a [n, 2] float32 tensor.
func planeTensor(points [][]float64) *tensors.Tensor {
	flat := make([]float32, 0, 2*len(points))
	for _, p := range points {
		flat = append(flat, float32(p[0]), float32(p[1]))
	}
	return tensors.FromFlatDataAndDimensions(flat, len(points), 2)
}

// float64s returns the elements of a float32 tensor times a factor.
func float64s(t *tensors.Tensor, factor float64) []float64 {
	flat := tensors.MustCopyFlatData[float32](t)
	t.MustFinalizeAll()
	wide := make([]float64, len(flat))
	for i, v := range flat {
		wide[i] = factor * float64(v)
	}
	return wide
}
