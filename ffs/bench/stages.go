package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"syscall"
	"time"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/backbone"
	"ffslab/ffs/nn"
	"ffslab/ffs/roi"
)

// Stage is one part of detection, run by itself on what the parts before it have made.
type Stage struct {
	Name string `json:"name"`
	// Median is the wall time of a call, CPU the processor time of all threads in it, both in
	// seconds: where they are equal, one core works.
	Median float64 `json:"median_s"`
	CPU    float64 `json:"cpu_s"`
	// GFLOP are its products (see countProducts).
	GFLOP float64 `json:"gflop"`
}

// stages measures the parts of detection on noise. Each is a program of its own, so that their sum
// lacks what XLA gains by compiling them together, and has copies of what lies between them.
func stages(ctx context.Context, o Options) ([]Stage, error) {
	m, s := o.Config.Model, &stager{ctx: ctx, o: o, store: model.NewStore()}
	nn.SetSeed(s.store, o.Config.Train.Seed)
	pyramid, first, second := m.Pyramid(), m.Proposals(), m.Heads()
	second.ScoreThreshold = 0.5 / float64(len(m.Classes)+1) // as Infer's
	levels := len(backbone.Strides) - 1
	images, sizes := noise(o)

	maps := s.run("pyramid", func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		return pyramid.Pyramid(scope.At("backbone"), in[1], in[0])
	}, sizes, images)
	head := s.run("rpn head", func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		out := first.Forward(scope, in[1:], in[0])
		return []*graph.Node{out.Logits, out.Deltas}
	}, append([]*tensors.Tensor{sizes}, maps...)...)
	chosen := s.run("proposals", func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		out := first.Forward(scope, in[3:], in[0]) // for its anchors: nothing else of it is used, hence computed
		out.Logits, out.Deltas = in[1], in[2]
		boxes, _, valid := first.Proposals(out, in[0], false)
		return []*graph.Node{boxes, valid}
	}, append(append([]*tensors.Tensor{sizes}, head...), maps...)...)
	pooled := s.run("roi align", func(_ *model.Scope, in []*graph.Node) []*graph.Node {
		return []*graph.Node{roi.Align(in[3:], backbone.Strides[:levels], in[1], in[2], in[0])}
	}, append(append([]*tensors.Tensor{sizes}, chosen...), maps[:min(levels, len(maps))]...)...)
	features := s.run("box head", func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		h := second.Head(scope.At("roi_heads"), in[0])
		logits, deltas := second.Predict(scope.At("roi_heads"), h)
		return []*graph.Node{logits, deltas, h}
	}, pooled...)
	s.run("suppression", func(_ *model.Scope, in []*graph.Node) []*graph.Node {
		found := second.Detect(in[0], in[1], in[2], in[3])
		return []*graph.Node{found.Boxes, found.Scores, found.Valid, found.OfProposals(in[2]), found.OfProposals(in[4])}
	}, append(append([]*tensors.Tensor{}, chosen...), features...)...)
	return s.all, s.err
}

// noise makes images as large as the canvas [batch, height, width, 3], and their sizes [batch, 2].
func noise(o Options) (images, sizes *tensors.Tensor) {
	rng := rand.New(rand.NewPCG(1, 2))
	pixels, extents := make([]float32, o.Batch*o.Height*o.Width*3), make([]int32, 2*o.Batch)
	for i := range pixels {
		pixels[i] = float32(rng.NormFloat64())
	}
	for i := range o.Batch {
		extents[2*i], extents[2*i+1] = int32(o.Height), int32(o.Width)
	}
	return tensors.FromFlatDataAndDimensions(pixels, o.Batch, o.Height, o.Width, 3), tensors.FromFlatDataAndDimensions(extents, o.Batch, 2)
}

// stager measures stages until the first error, after which it does nothing.
type stager struct {
	ctx   context.Context
	o     Options
	store *model.Store
	all   []Stage
	err   error
}

func (s *stager) run(name string, build func(scope *model.Scope, in []*graph.Node) []*graph.Node, inputs ...*tensors.Tensor) (out []*tensors.Tensor) {
	if s.err != nil {
		return nil
	}
	exec, err := model.NewExec(s.o.Backend, s.store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		nn.UsePrecision(in[0].Graph(), s.o.Config.Train.Precision)
		return build(scope, in)
	})
	if err != nil {
		s.err = err
		return nil
	}
	defer exec.Finalize()
	args := make([]any, len(inputs))
	var given []shapes.Shape
	for i, t := range inputs {
		args[i], given = t, append(given, t.Shape())
	}
	var used []float64 // processor time
	timing, err := s.o.measure(s.ctx, name, func(i int) (err error) {
		for _, t := range out {
			t.MustFinalizeAll()
		}
		before := processorTime()
		out, err = exec.Call(args...)
		if i > s.o.Warmup {
			used = append(used, processorTime()-before)
		}
		return err
	})
	if err != nil {
		s.err = fmt.Errorf("%s: %w", name, err)
		return nil
	}
	work := countProducts(s.o.Backend, s.store, parameters(given...), func(scope *model.Scope, in []*graph.Node) ([]*graph.Node, *graph.Node) {
		return build(scope, in), nil
	})
	s.all = append(s.all, Stage{Name: name, Median: timing.Median, CPU: median(used), GFLOP: work / 1e9})
	return out
}

// processorTime is what all threads of this process have used so far, in seconds.
func processorTime() float64 {
	var usage syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &usage) != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()).Seconds()
}
