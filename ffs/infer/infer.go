// Package infer runs a trained detector from the host's side: detections of images, features of annotated objects, latents and
// synthetic outliers, each through a graph that is compiled once for each shape.
package infer

import (
	"fmt"
	"sync"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/detector"
	"ffslab/ffs/device"
	"ffslab/ffs/internal/guard"
	"ffslab/ffs/nn"
	"ffslab/ffs/run"
)

// Model is a detector with its parameters, ready to run.
type Model struct {
	// Config is the run's.
	Config config.Config
	// Step is the number of training steps behind the parameters.
	Step int
	// Weights says which parameters they are, if Open has loaded them; those that New was given may change.
	Weights run.Checkpoint

	backend   compute.Backend
	store     *model.Store
	detector  *detector.Detector
	precision nn.Precision
	detect    *model.Exec
	features  *model.Exec
	score     *model.Exec
	encode    *model.Exec
	decode    *model.Exec

	drawing *sync.Mutex         // of what follows
	drawers map[drawKey]*drawer // by method and number
	inliers *inliers            // what Draw shows; nil before they are collected
}

// Open loads the newest checkpoint of the run in the folder.
func Open(backend compute.Backend, dir string) (*Model, error) {
	r, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	store := model.NewStore()
	weights, err := r.Load(store)
	if err != nil {
		return nil, err
	}
	m, err := New(backend, store, r.Config, weights.Step)
	if err != nil {
		return nil, err
	}
	if err := m.detector.Fits(backend, store); err != nil {
		m.Close()
		return nil, fmt.Errorf("%s: step %d: %w", dir, weights.Step, err)
	}
	m.Weights = weights
	return m, nil
}

// New makes a model of the parameters in store, which training may go on changing. Parameters that the store lacks are
// created from the configuration's seed.
func New(backend compute.Backend, store *model.Store, c config.Config, step int) (*Model, error) {
	if err := device.RunsDetectors(backend); err != nil {
		return nil, err
	}
	det, err := detector.New(c)
	if err != nil {
		return nil, err
	}
	nn.SetSeed(store, c.Train.Seed)
	m := &Model{Config: c, Step: step, backend: backend, store: store, detector: det, drawing: new(sync.Mutex)}
	for _, part := range []struct {
		exec  **model.Exec
		build func(scope *model.Scope, in []*graph.Node) []*graph.Node
	}{
		{&m.detect, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
			return flatten(det.Detect(scope, in[0], in[1]))
		}},
		{&m.features, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
			return []*graph.Node{det.Features(scope, in[0], in[1], in[2], in[3])}
		}},
		{&m.score, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
			s := det.Score(scope, in[0])
			return columns(s.Energy, s.WeightedEnergy, s.Logistic, s.NLL)
		}},
		{&m.encode, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
			z, nll := det.Encode(scope, in[0])
			return []*graph.Node{z, nll}
		}},
		{&m.decode, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
			x, nll := det.Decode(scope, in[0])
			return []*graph.Node{x, nll}
		}},
	} {
		build := guard.Build(func(scope *model.Scope, in []*graph.Node) []*graph.Node {
			nn.UsePrecision(in[0].Graph(), m.precision)
			return part.build(scope, in)
		})
		if *part.exec, err = model.NewExec(backend, store, build); err != nil {
			return nil, err
		}
		(*part.exec).SetMaxCache(-1)
	}
	return m, nil
}

// Close frees the compiled graphs.
func (m *Model) Close() {
	for _, exec := range []*model.Exec{m.detect, m.features, m.score, m.encode, m.decode} {
		exec.Finalize()
	}
	for _, d := range m.drawers {
		d.exec.Finalize()
	}
}

// UsePrecision sets the format in which the graphs multiply that are compiled from now on: those of
// the shapes that have not been seen yet. Models start with float32, whatever they were trained in.
func (m *Model) UsePrecision(p nn.Precision) { m.precision = p }

// OnCPU reports whether the model runs on a CPU.
func (m *Model) OnCPU() bool { return device.Describe(m.backend).Platform == "cpu" }

// HasFlow reports whether the model has a flow: those of the methods flow and flow-langevin have.
func (m *Model) HasFlow() bool { return m.detector.HasFlow() }

// HasEnergy reports whether the model has learned energies from synthetic outliers: those of all methods but none have.
func (m *Model) HasEnergy() bool { return m.detector.HasEnergy() }

// loaderConfig says how images are prepared for this model, n at a time.
func (m *Model) loaderConfig(n int) data.Config {
	in := m.Config.Input
	return data.Config{
		BatchSize: n, ShortEdges: []int{in.MinSizeTest}, LongEdge: in.MaxSizeTest, Canvases: data.Canvases(in.Canvases), MaxBoxes: in.MaxBoxes,
	}
}

// call runs one of the graphs and returns its outputs as flat host slices.
func (m *Model) call(exec *model.Exec, what string, inputs ...any) ([][]float32, error) {
	outputs, err := exec.Call(inputs...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", what, err)
	}
	flat := make([][]float32, len(outputs))
	for i, output := range outputs {
		flat[i] = tensors.MustCopyFlatData[float32](output)
		output.MustFinalizeAll()
	}
	return flat, nil
}
