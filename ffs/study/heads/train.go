package heads

import (
	"context"
	"fmt"
	"math"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/checkpoint"
	"ffslab/ffs/config"
	"ffslab/ffs/detector"
	"ffslab/ffs/internal/guard"
	"ffslab/ffs/nn"
	"ffslab/ffs/optim"
	"ffslab/ffs/train"
)

// trainer trains the heads of one setting, seed after seed, with one compiled step.
type trainer struct {
	config      config.Config
	backend     compute.Backend
	detector    *detector.Detector
	store       *model.Store
	step, apply *model.Exec
	build       func(scope *model.Scope, in []*graph.Node) []*graph.Node
	rows        int // of a step
	foreground  int
}

func newTrainer(backend compute.Backend, c config.Config) (*trainer, error) {
	det, err := detector.New(c)
	if err != nil {
		return nil, err
	}
	update, err := train.Update(c.Train)
	if err != nil {
		return nil, err
	}
	t := &trainer{config: c, backend: backend, detector: det, store: model.NewStore(), rows: c.Model.ROI.BatchPerImage}
	t.foreground = max(1, int(float64(t.rows)*c.Model.ROI.PositiveFraction))
	t.build = guard.Build(func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		losses := det.SecondLosses(scope, in[0], in[1], t.foreground, in[2], in[3])
		update(scope.Store(), optim.Gradients(scope, losses.Total()), in[4])
		return []*graph.Node{losses.Vector()}
	})
	if t.step, err = model.NewExec(backend, t.store, t.build); err != nil {
		return nil, err
	}
	t.apply, err = model.NewExec(backend, t.store, guard.Build(func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		features, logits := det.Second(scope, in[0])
		return []*graph.Node{features, logits}
	}))
	return t, err
}

func (t *trainer) close() {
	t.step.Finalize()
	t.apply.Finalize()
}

// start gives all parameters, and the optimizer's state, the values that the seed starts from.
func (t *trainer) start(seed int64, dim int) (err error) {
	defer func() {
		if fault := recover(); fault != nil { // so does graph-building code report
			err = fmt.Errorf("the head cannot be built: %v", fault)
		}
	}()
	fresh := model.NewStore()
	nn.SetSeed(fresh, seed)
	g := graph.NewGraph(t.backend, "start")
	defer g.Finalize()
	var in []*graph.Node
	for i, s := range []shapes.Shape{
		shapes.Make(dtypes.Float32, t.rows, dim), shapes.Make(dtypes.Int32, t.rows), shapes.Make(dtypes.Uint64, 3),
		shapes.Make(dtypes.Bool), shapes.Make(dtypes.Float32),
	} {
		in = append(in, graph.Parameter(g, fmt.Sprintf("in%d", i), s))
	}
	t.build(fresh.RootScope(), in)
	for v := range fresh.IterVariables() {
		value, err := v.Value()
		if err == nil {
			err = checkpoint.Assign(t.store, v.Path(), value)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// lastSteps is the number of steps at the end whose losses are averaged.
const lastSteps = 100

// train trains a head of the seed and returns its losses, the mean of the last steps. When ctx ends
// it returns the context's error.
func (t *trainer) train(ctx context.Context, p *pool, seed int64) (map[string]float64, error) {
	if err := t.start(seed, p.dim); err != nil {
		return nil, err
	}
	names, schedule, steps := t.detector.Names(), train.Schedule(t.config.Train), t.config.Train.MaxIter
	means := map[string]float64{}
	averaged := min(lastSteps, steps)
	for step := range steps {
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		features, classes := p.draw(seed, step, t.rows, t.foreground)
		out, err := t.step.Call(
			tensors.FromFlatDataAndDimensions(features, t.rows, p.dim), classes, detector.Keys(seed, step, 0),
			t.detector.HasEnergy() && step >= t.config.Model.Outlier.StartIter, float32(schedule.LR(step)))
		if err != nil {
			return nil, err
		}
		losses := tensors.MustCopyFlatData[float32](out[0])
		out[0].MustFinalizeAll()
		for i, name := range names {
			v := float64(losses[i])
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return nil, fmt.Errorf("step %d: %s is %g: lower train.base_lr or the weights of the losses", step+1, name, v)
			}
			if step >= steps-averaged {
				means[name] += v / float64(averaged)
			}
		}
	}
	return means, nil
}

// outputs returns what the head that was trained last makes of box features x [n, dim]: its own,
// and logits [n, K+1], row-major.
func (t *trainer) outputs(x []float32, n int) (features, logits []float32, err error) {
	out, err := t.apply.Call(tensors.FromFlatDataAndDimensions(x, n, len(x)/n))
	if err != nil {
		return nil, nil, err
	}
	defer out[0].MustFinalizeAll()
	defer out[1].MustFinalizeAll()
	return tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[float32](out[1]), nil
}

// classLayer returns the weights [K+1, feature dim] and biases [K+1] of the head that was trained
// last.
func (t *trainer) classLayer() (weights, biases []float32, err error) {
	var flat [2][]float32
	for i, name := range []string{"weight", "bias"} {
		value, err := t.store.GetVariable("/roi_heads/box_predictor/cls_score/" + name).Value()
		if err != nil {
			return nil, nil, err
		}
		if flat[i], err = tensors.CopyFlatData[float32](value); err != nil {
			return nil, nil, err
		}
	}
	return flat[0], flat[1], nil
}
