// Package infer runs a trained detector on plain Go values.
//
// [Open] loads the checkpoint of a run, [New] takes parameters from a store. The [Model] then
// detects objects in the images of a data set ([Model.Detect]), computes the box features of
// annotated objects ([Model.ObjectFeatures]), scores features ([Model.Score]), maps them to the
// latents of the flow and back ([Model.Encode], [Model.Decode]), and draws synthetic outliers
// ([Model.Draw]).
//
// A box feature is the vector from which the class layer makes logits; its length is the
// configuration's model.roi.fc_dim, or reduce_dim. Matrices are slices of rows. Each method
// compiles its graph at the first call, and again for inputs of another shape.
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

// Model is a detector with its parameters. [Model.Close] frees it.
type Model struct {
	// Config is the configuration of the run.
	Config config.Config
	// Step is the number of training steps behind the parameters.
	Step int
	// Checkpoint says what Open has loaded. It is zero after New, whose parameters may change.
	Checkpoint run.Checkpoint

	backend   compute.Backend
	store     *model.Store
	detector  *detector.Detector
	precision nn.Precision
	detect    *model.Exec
	features  *model.Exec
	score     *model.Exec
	encode    *model.Exec
	decode    *model.Exec

	drawing *sync.Mutex // guards what follows
	drawers map[drawKey]*drawer
	inliers *inliers // of Draw; nil until they are set or collected
}

// Open returns the model of the newest checkpoint of a run: a run folder, or a detector of the zoo
// such as "zoo:digits-flow".
func Open(backend compute.Backend, dir string) (*Model, error) {
	r, err := run.Open(dir)
	if err != nil {
		return nil, err
	}
	store := model.NewStore()
	checkpoint, err := r.Load(store)
	if err != nil {
		return nil, err
	}
	m, err := New(backend, store, r.Config, checkpoint.Step)
	if err != nil {
		return nil, err
	}
	if err := m.detector.Fits(backend, store); err != nil {
		m.Close()
		return nil, fmt.Errorf("%s: step %d: %w", dir, checkpoint.Step, err)
	}
	if err := device.Upload(store, backend); err != nil {
		m.Close()
		return nil, err
	}
	m.Checkpoint = checkpoint
	return m, nil
}

// New returns the model of a configuration with the parameters in store, after the given number of
// training steps. The first method that computes with a parameter which the store lacks creates it,
// from the configuration's seed; ClassLayer, EnergyLayer and Identity only read parameters.
// Training may change them between calls.
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

// Close frees the compiled graphs. The model cannot be used any more.
func (m *Model) Close() {
	for _, exec := range []*model.Exec{m.detect, m.features, m.score, m.encode, m.decode} {
		exec.Finalize()
	}
	for _, d := range m.drawers {
		d.exec.Finalize()
	}
}

// UsePrecision sets the precision of Detect, ObjectFeatures, Score, Encode and Decode for graphs
// that are compiled after the call. Draw and ProposalFeatures use float32. The default is float32,
// whatever the precision of the training.
func (m *Model) UsePrecision(p nn.Precision) { m.precision = p }

// OnCPU reports whether the model runs on a CPU.
func (m *Model) OnCPU() bool { return device.Describe(m.backend).Platform == "cpu" }

// HasFlow reports whether the model has a flow, because it was trained with a synthesis method that
// needs one, such as flow and flow-langevin.
func (m *Model) HasFlow() bool { return m.detector.HasFlow() }

// HasEnergy reports whether the model has the weighted energy and its logistic layer, which every
// synthesis method trains except "none". Scores.Energy needs neither.
func (m *Model) HasEnergy() bool { return m.detector.HasEnergy() }

// loaderConfig returns the settings of a loader of n images at a time.
func (m *Model) loaderConfig(n int) data.Config {
	in := m.Config.Input
	return data.Config{
		BatchSize: n, ShortEdges: []int{in.MinSizeTest}, LongEdge: in.MaxSizeTest, Canvases: data.Canvases(in.Canvases), MaxBoxes: in.MaxBoxes,
	}
}

// call runs a graph and returns its outputs as flat slices.
func (m *Model) call(exec *model.Exec, what string, inputs ...any) ([][]float32, error) {
	outputs, err := exec.Call(inputs...)
	if err != nil {
		return nil, guard.Cause(fmt.Errorf("%s: %w", what, err))
	}
	flat := make([][]float32, len(outputs))
	for i, output := range outputs {
		flat[i] = tensors.MustCopyFlatData[float32](output)
		output.MustFinalizeAll()
	}
	return flat, nil
}
