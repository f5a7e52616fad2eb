package bench

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/detector"
	"ffslab/ffs/device"
	"ffslab/ffs/flow"
	"ffslab/ffs/nn"
)

// Bound is a part beside the time that its products alone would take at the machine's dense rate.
type Bound struct {
	Part string `json:"part"`
	// GFLOP are the products of a call (see countProducts), in 10^9 multiplications and additions.
	GFLOP float64 `json:"gflop"`
	// Bound is their time at the dense rate, Median what a call takes, both in seconds; Share is
	// the one by the other. Winograd's convolution has fewer products than its definition, so that
	// a share can be above what the rest of the work leaves.
	Bound  float64 `json:"bound_s"`
	Median float64 `json:"median_s"`
	Share  float64 `json:"share"`
}

// Roofline is the outcome of Roof.
type Roofline struct {
	Part      string       `json:"part"`
	Config    string       `json:"config"`
	Height    int          `json:"height"`
	Width     int          `json:"width"`
	Batch     int          `json:"batch"`
	Precision nn.Precision `json:"precision"`
	// Dense is the rate of large matrix products in that precision, in GFLOP/s; Side is that of the
	// matrices.
	Dense float64 `json:"dense_gflops"`
	Side  int     `json:"dense_side"`
	// Bounds are those of step, infer and flow, Stages the parts of infer.
	Bounds []Bound `json:"bounds"`
	Stages []Stage `json:"stages"`
	Machine
}

// chained is how many products the dense rate is measured over: one after the other, so that
// neither copies nor calls count.
const chained = 4

// Roof measures step, detection and flow beside the sum of their products at the machine's dense
// rate, which it measures in between with matrices of the given side.
func Roof(ctx context.Context, o Options, side int) (*Roofline, error) {
	if side < 1 {
		return nil, fmt.Errorf("roofline: matrices of side %d: it must be at least 1", side)
	}
	prepared, r, err := o.prepare("roofline")
	if err != nil {
		return nil, err
	}
	out := &Roofline{Part: r.Part, Config: r.Config, Height: r.Height, Width: r.Width, Batch: r.Batch, Precision: nn.Float32, Side: side}
	if p := o.Config.Train.Precision; p != "" {
		out.Precision = p
	}
	if out.Dense, err = denseRate(ctx, prepared, side); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		measure func(context.Context, Options) (*Report, error)
		count   func(Options) (float64, error)
	}{{Step, stepProducts}, {Infer, inferProducts}, {Flow, flowProducts}} {
		gflop, err := part.count(prepared)
		if err != nil {
			return nil, fmt.Errorf("roofline: %w", err)
		}
		report, err := part.measure(ctx, o)
		if err != nil {
			return nil, err
		}
		bound := gflop / out.Dense
		out.Bounds = append(out.Bounds, Bound{Part: report.Part, GFLOP: gflop, Bound: bound, Median: report.Median, Share: bound / report.Median})
	}
	if out.Stages, err = stages(ctx, prepared); err != nil {
		return nil, fmt.Errorf("roofline: %w", err)
	}
	out.Machine = machine(new(device.Describe(o.Backend)))
	return out, nil
}

// denseRate is the rate in GFLOP/s at which square matrices of the side are multiplied.
func denseRate(ctx context.Context, o Options, side int) (float64, error) {
	exec, err := graph.NewExec(o.Backend, func(x *graph.Node) *graph.Node {
		nn.UsePrecision(x.Graph(), o.Config.Train.Precision)
		y := x
		for range chained {
			y = nn.Product(y, x)
		}
		return graph.ReduceAllMax(y)
	})
	if err != nil {
		return 0, err
	}
	defer exec.Finalize()
	rng := rand.New(rand.NewPCG(1, 2))
	values := make([]float32, side*side)
	for i := range values {
		values[i] = (rng.Float32() - 0.5) / float32(side) // so that no power of the matrix overflows
	}
	x := tensors.FromFlatDataAndDimensions(values, side, side)
	timing, err := o.measure(ctx, "dense product", func(int) error {
		outputs, err := exec.Call(x)
		if err != nil {
			return err
		}
		scalar(outputs[0])
		return nil
	})
	n := float64(side)
	return chained * 2 * n * n * n / timing.Median / 1e9, err
}

// parameters are the inputs of a graph that is only counted.
func parameters(of ...shapes.Shape) func(g *graph.Graph) []*graph.Node {
	return func(g *graph.Graph) []*graph.Node {
		var in []*graph.Node
		for i, shape := range of {
			in = append(in, graph.Parameter(g, fmt.Sprintf("input%d", i), shape))
		}
		return in
	}
}

func stepProducts(o Options) (float64, error) {
	det, err := detector.New(o.Config)
	if err != nil {
		return 0, err
	}
	n, objects := o.Batch, o.Config.Input.MaxBoxes
	in := parameters(
		shapes.Make(dtypes.Uint8, n, o.Height, o.Width, 3), shapes.Make(dtypes.Int32, n, 2), shapes.Make(dtypes.Float32, n, objects, 4),
		shapes.Make(dtypes.Int32, n, objects), shapes.Make(dtypes.Bool, n, objects), shapes.Make(dtypes.Uint64, n+1, 3), shapes.Make(dtypes.Bool),
	)
	return countProducts(o.Backend, model.NewStore(), in, func(scope *model.Scope, in []*graph.Node) ([]*graph.Node, *graph.Node) {
		batch := detector.Batch{Images: in[0], Sizes: in[1], Full: true, Boxes: in[2], Classes: in[3], Valid: in[4]}
		return nil, det.Losses(scope, batch, in[5], in[6]).Total()
	}) / 1e9, nil
}

func inferProducts(o Options) (float64, error) {
	det, err := detector.New(o.Config)
	if err != nil {
		return 0, err
	}
	in := parameters(shapes.Make(dtypes.Uint8, o.Batch, o.Height, o.Width, 3), shapes.Make(dtypes.Int32, o.Batch, 2))
	return countProducts(o.Backend, model.NewStore(), in, func(scope *model.Scope, in []*graph.Node) ([]*graph.Node, *graph.Node) {
		d := det.Detect(scope, in[0], in[1])
		out := []*graph.Node{d.Boxes, d.Scores, d.Logits, d.Features, d.Energy}
		if d.NLL != nil {
			out = append(out, d.NLL)
		}
		return out, nil
	}) / 1e9, nil
}

func flowProducts(o Options) (float64, error) {
	m := o.Config.Model
	dim := m.ROI.FeatureDim()
	in := parameters(shapes.Make(dtypes.Float32, m.ROI.BatchPerImage, dim), shapes.Make(dtypes.Float32, m.Outlier.SampleFrom, dim))
	return countProducts(o.Backend, model.NewStore(), in, func(scope *model.Scope, in []*graph.Node) ([]*graph.Node, *graph.Node) {
		f := flow.New(scope, in[0].Graph(), m.Density())
		z, logDet := f.Forward(in[0])
		samples, nll := f.Sample(in[1], m.Loss.NLLConstant)
		return []*graph.Node{samples, nll}, graph.ReduceAllMean(flow.NLL(z, logDet, m.Loss.NLLConstant))
	}) / 1e9, nil
}
