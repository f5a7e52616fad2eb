package train

import (
	"strings"
	"time"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/detector"
	"ffslab/ffs/optim"
	"ffslab/ffs/run"
)

// stepper runs the jitted step: one graph from the batch to the updated weights, compiled once for each canvas.
type stepper struct {
	options  Options
	store    *model.Store
	exec     *model.Exec
	compiled map[data.Canvas]bool
}

func newStepper(o Options, det *detector.Detector, store *model.Store) (*stepper, error) {
	c := o.Run.Config.Train
	clip := optim.Clip{Norm: c.ClipNorm, Group: clipGroup}
	update := optim.SGD{Momentum: c.Momentum, WeightDecay: c.WeightDecay, Clip: clip}.Update
	if c.Optimizer == "adamw" {
		update = optim.AdamW{WeightDecay: c.WeightDecay, Clip: clip}.Update
	}
	full := alwaysFull(o.Data, o.Run.Config.Input)
	exec, err := model.NewExec(o.Backend, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		batch := detector.Batch{Images: in[0], Sizes: in[1], Full: full, Boxes: in[2], Classes: in[3], Valid: in[4]}
		keys, active, lr := in[5], in[6], in[7]
		losses := det.Losses(scope, batch, keys, active)
		update(scope, losses.Total, lr)
		return []*graph.Node{pack(losses)}
	})
	if err != nil {
		return nil, err
	}
	exec.SetMaxCache(-1)
	return &stepper{options: o, store: store, exec: exec, compiled: map[data.Canvas]bool{}}, nil
}

// clipGroup keeps the norms of the flow's and the detector's gradients apart: the flow must not move the detector by its likelihood, not
// even by the length of a step.
func clipGroup(path string) string {
	if strings.HasPrefix(path, "/roi_heads/flow_model/") {
		return "flow"
	}
	return "detector"
}

// alwaysFull says that there is one canvas and that every training image, at every size that it can be resized to, reaches its last 32 pixels
// (see detector.Batch).
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

// next takes the loader's next batch through the step.
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
	c := s.options.Run.Config
	active := c.Model.Outlier.Method != "none" && step >= c.Model.Outlier.StartIter
	keys := detector.Keys(c.Train.Seed, step, batch.BatchSize)
	inputs := append(batchTensors(batch), tensors.FromFlatDataAndDimensions(keys, batch.BatchSize+1, 3), active, float32(lr))
	called := time.Now()
	outputs, err := s.exec.Call(inputs...)
	if err != nil {
		return run.Metrics{}, err
	}
	m := unpack(tensors.MustCopyFlatData[float32](outputs[0]))
	outputs[0].MustFinalizeAll()
	if first {
		s.options.Progress.Compiled(len(s.compiled), time.Since(called))
	}
	m.Step, m.LR, m.Dropped = step+1, lr, batch.Dropped
	pace(&m, batch.BatchSize, time.Since(begin), loader.Waited()-waitedBefore)
	return m, nil
}

// batchTensors are the batch as inputs of a graph, in the order of detector.Batch.
func batchTensors(b *data.Batch) []any {
	n, m := b.BatchSize, b.MaxBoxes
	return []any{
		tensors.FromFlatDataAndDimensions(b.Images, n, b.Canvas.Height, b.Canvas.Width, 3),
		tensors.FromFlatDataAndDimensions(b.Sizes, n, 2),
		tensors.FromFlatDataAndDimensions(b.Boxes, n, m, 4),
		tensors.FromFlatDataAndDimensions(b.Classes, n, m),
		tensors.FromFlatDataAndDimensions(b.Valid, n, m),
	}
}

// pack puts the losses into one vector, so that one transfer brings them to the host; unpack knows the order.
func pack(l detector.Losses) *graph.Node {
	scalars := []*graph.Node{
		l.Total, l.RPNCls, l.RPNLoc, l.Cls, l.BoxReg, l.Energy, l.NLL,
		l.Foreground, l.EnergyInlier, l.EnergyOutlier, l.Unmatched, l.SynthesisSteps, l.DeadWeights,
	}
	for i, x := range scalars {
		scalars[i] = graph.ConvertDType(x, dtypes.Float32)
	}
	return graph.Stack(scalars, 0)
}

func unpack(v []float32) run.Metrics {
	return run.Metrics{
		TotalLoss: float64(v[0]), LossRPNCls: float64(v[1]), LossRPNLoc: float64(v[2]), LossCls: float64(v[3]), LossBoxReg: float64(v[4]),
		LossEnergy: float64(v[5]), LossNLL: float64(v[6]), Foreground: float64(v[7]), EnergyInlier: float64(v[8]), EnergyOutlier: float64(v[9]),
		Unmatched: int(v[10]), SynthesisSteps: int(v[11]), DeadWeights: v[12] != 0,
	}
}
