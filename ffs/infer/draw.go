package infer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/data"
	"ffslab/ffs/device"
	"ffslab/ffs/internal/guard"
	"ffslab/ffs/outlier"
)

// Synthesis holds n synthetic box features.
type Synthesis struct {
	// Method is the synthesis method.
	Method string
	// Features are [n][feature dim]. Latents [n][feature dim] are their latents, nil without a
	// flow.
	Features, Latents [][]float32
	// NLL [n] is the negative log-likelihood under the method's own density, else under the flow,
	// nil without either.
	NLL []float64
	// OwnDensity says that NLL is under the method's own density, which does not compare with the
	// flow's.
	OwnDensity bool
	// Scores [n] are the detector's.
	Scores []Scores
	// Class [n] is the class from whose density a feature was drawn, 0 unless the method draws for
	// each class.
	Class []int32
	// All says that the method keeps all that it draws, as flow-langevin does.
	All bool
}

// Outliers marks the features that training would select: those with the k highest NLL, k for each
// class if the method draws for each class. Of equal NLLs it takes the earlier. It marks all if All
// is true or NLL is nil.
func (s *Synthesis) Outliers(k int) []bool {
	if s.All || s.NLL == nil {
		return slices.Repeat([]bool{true}, len(s.Features))
	}
	marks := make([]bool, len(s.Features))
	order := make([]int, len(s.Features))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(s.NLL[j], s.NLL[i]) })
	kept := map[int32]int{}
	for _, i := range order {
		if kept[s.Class[i]] < k {
			kept[s.Class[i]]++
			marks[i] = true
		}
	}
	return marks
}

// ErrNotReady is wrapped by the error of a method whose state does not suffice to draw.
var ErrNotReady = errors.New("not ready to draw")

// maxInliers is the largest number of inliers that Draw collects by itself.
const maxInliers = 1500

// inliers holds box features of annotated objects and the indices of their classes.
type inliers struct {
	features [][]float32
	classes  []int32
}

// SetInliers sets the inliers from which methods of Draw estimate densities: box features
// [m][feature dim] and the indices of their classes. By default, Draw takes up to 1500 annotated
// objects of the run's training set.
func (m *Model) SetInliers(features [][]float32, classes []int) error {
	if len(features) == 0 || len(features) != len(classes) {
		return fmt.Errorf("inliers: %d features and %d classes: as many of both, and at least one, are needed", len(features), len(classes))
	}
	shown := &inliers{features: features}
	for i, class := range classes {
		if class < 0 || class >= len(m.Config.Model.Classes) {
			return fmt.Errorf("inliers: row %d is of class %d; the model has %d", i, class, len(m.Config.Model.Classes))
		}
		if len(features[i]) != m.featureDim() {
			return fmt.Errorf("inliers: row %d has %d numbers, but the model's box features have %d", i, len(features[i]), m.featureDim())
		}
		shown.classes = append(shown.classes, int32(class))
	}
	m.inliers = shown
	return nil
}

// Draw draws n synthetic features by a registered method (see package outlier), from standard
// normal noise times the temperature. The noise is a function of the seed. The model does not
// change.
//
// What the method sees of the inliers (see [Model.SetInliers]) depends on its flags. With FromNoise
// it sees nothing. With FromState it sees them only if its state, what it remembers of earlier
// steps, does not suffice. Otherwise it sees what a training step gives it. The run's own method
// continues from the state in the checkpoint; others start with an empty state and default options.
//
// The features are in the order of the noise; if the method draws for each class, classes
// alternate. A method that makes fewer than n features returns those.
//
// The error names an unknown method, or says that the method needs a flow which the run lacks, that
// the temperature is negative or not finite, that n draws exceed the memory, or that the method
// returned numbers that are not finite. It wraps ErrNotReady if the state does not suffice, for
// example a class without inliers for Gaussians.
func (m *Model) Draw(ctx context.Context, method string, n int, temperature float64, seed uint64) (*Synthesis, error) {
	m.drawing.Lock()
	defer m.drawing.Unlock()
	how, err := outlier.Lookup(method)
	if err != nil {
		return nil, err
	}
	switch {
	case how.NeedsFlow && !m.HasFlow():
		return nil, m.noFlow()
	case n < 1:
		return nil, fmt.Errorf("%s: %d draws: at least 1 is needed", method, n)
	case !(temperature >= 0) || math.IsInf(temperature, 0):
		return nil, fmt.Errorf("temperature %v: must be a finite number and not negative", temperature)
	case method == outlier.MethodNone:
		return nil, errors.New("none: the method makes no outliers; name another one")
	}
	if err := m.fitsMemory(n, device.AvailableMemory()); err != nil {
		return nil, fmt.Errorf("%s: %w", method, err)
	}
	shown := m.inliers
	if how.FromNoise {
		shown = &inliers{[][]float32{make([]float32, m.featureDim())}, []int32{0}} // unused
	} else if shown == nil {
		if err := m.collectInliers(ctx); err != nil {
			return nil, fmt.Errorf("%s: inliers of the training set: %w", method, err)
		}
		shown = m.inliers
	}
	own := how.Name == m.Config.Model.Outlier.Method
	if how.PerClass && !own {
		shown = shown.balanced(len(m.Config.Model.Classes), m.Config.Model.Outlier.Queue)
	}
	p, err := m.drawer(how, n, shown)
	if err != nil {
		return nil, err
	}
	return p.draw(ctx, m, n, temperature, seed, shown)
}

// drawBytes is the most memory that one number of a drawn feature was seen to take: graphs, copies
// and files (flow-langevin on a CPU, ffs sample).
const drawBytes = 160

// fitsMemory returns an error if n draws could take more than the available bytes of memory, 0 for
// unknown.
func (m *Model) fitsMemory(n int, available int64) error {
	if available <= 0 {
		available = 8 << 30
	}
	const gib = 1 << 30
	one := float64(drawBytes * m.featureDim())
	if need := float64(n) * one; need > float64(available) {
		return fmt.Errorf("%d draws of %d numbers can take %.1f GiB of memory, and %.1f GiB are available: draw at most %d at a time, with several seeds",
			n, m.featureDim(), need/gib, float64(available)/gib, int(float64(available)/one))
	}
	return nil
}

// collectInliers sets objects of the training set as inliers.
func (m *Model) collectInliers(ctx context.Context) error {
	c := m.Config
	set, err := data.Open(c.Data.Train, data.Options{DatasetDir: c.Data.DatasetDir})
	if err != nil {
		return err
	}
	if set, err = set.ForTraining(c.Model.Classes, c.Train.Unknown); err != nil {
		return err
	}
	objects, err := m.ObjectFeatures(ctx, evenly(set, maxInliers), maxInliers)
	if err != nil {
		return err
	}
	var features [][]float32
	var classes []int
	for _, o := range objects {
		features, classes = append(features, o.Features), append(classes, o.Category)
	}
	return m.SetInliers(features, classes)
}

// evenly returns the set with at most n of its images, evenly spaced, so that it has all classes of
// a sorted set.
func evenly(set *data.Dataset, n int) *data.Dataset {
	part := *set
	part.Images = nil
	n = min(n, len(set.Images))
	for i := range n {
		part.Images = append(part.Images, set.Images[i*len(set.Images)/n])
	}
	return &part
}

// drawer is the graph of a method for a number of draws, compiled once for each number of inliers.
type drawer struct {
	method outlier.Method
	noise  []shapes.Shape
	store  *scratch
	exec   *model.Exec
	rows   int // of each array of noise
	has    struct{ nll, candidate bool }
}

// maxDrawers is the number of graphs that are kept. Each holds a copy of the flow's weights.
const maxDrawers = 8

type drawKey struct {
	method   string
	n, queue int
}

// drawer returns the graph of a method for n draws.
func (m *Model) drawer(how outlier.Method, n int, shown *inliers) (*drawer, error) {
	c := m.Config.Model.Synthesis()
	own := c.Method == how.Name
	c.SampleFrom = n
	if how.PerClass {
		c.SampleFrom = (n + c.Classes - 1) / c.Classes
	}
	c.Select = c.SampleFrom
	if !own {
		c.Method, c.Options = how.Name, nil
		c.Queue = min(c.Queue, max(1, slices.Min(shown.perClass(c.Classes)))) // of balanced inliers
	}
	key := drawKey{how.Name, n, c.Queue}
	if d, ok := m.drawers[key]; ok {
		return d, nil
	}
	synth, err := outlier.New(c)
	if err != nil {
		return nil, fmt.Errorf("model.outlier.%w", err)
	}
	synth = outlier.Checked(synth, c)
	d := &drawer{method: how, store: newScratch(m.store), rows: c.SampleFrom}
	if err := guard.Part("synthesiser", how.Name, func() { d.noise = synth.Noise() }); err != nil {
		return nil, err
	}
	d.exec, err = model.NewExec(m.backend, d.store.Store, guard.Build(func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		out, ready := m.detector.Draw(scope, how, synth, in[0], in[1], in[2:])
		d.store.keepInitial()
		d.has.nll, d.has.candidate = out.NLL != nil, out.Candidate != nil
		outputs := []*graph.Node{graph.ConvertDType(ready, out.Samples.DType()), out.Samples}
		if out.NLL != nil {
			outputs = append(outputs, out.NLL)
		}
		if out.Candidate != nil {
			outputs = append(outputs, graph.ConvertDType(out.Candidate, out.Samples.DType()))
		}
		return outputs
	}))
	if err != nil {
		return nil, err
	}
	d.exec.SetMaxCache(-1)
	if len(m.drawers) == maxDrawers {
		for _, old := range m.drawers {
			old.exec.Finalize()
		}
		m.drawers = nil
	}
	if m.drawers == nil {
		m.drawers = map[drawKey]*drawer{}
	}
	m.drawers[key] = d
	return d, nil
}

// balanced returns the same number of inliers of each class, at most limit, by repeating those of
// classes with fewer. So the rarest class does not limit an estimate for all. A class without
// inliers has none.
func (in *inliers) balanced(classes, limit int) *inliers {
	rows := make([][]int, classes)
	for i, class := range in.classes {
		rows[class] = append(rows[class], i)
	}
	most := 0
	for _, of := range rows {
		most = max(most, min(limit, len(of)))
	}
	out := &inliers{}
	for class, of := range rows {
		for k := 0; k < most && len(of) > 0; k++ {
			out.features, out.classes = append(out.features, in.features[of[k%len(of)]]), append(out.classes, int32(class))
		}
	}
	return out
}

func (in *inliers) perClass(classes int) []int {
	counts := make([]int, classes)
	for _, class := range in.classes {
		counts[class]++
	}
	return counts
}

// draw runs the graph.
func (d *drawer) draw(ctx context.Context, m *Model, n int, temperature float64, seed uint64, shown *inliers) (*Synthesis, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if err := d.store.reset(); err != nil {
		return nil, err
	}
	dim := m.featureDim()
	inputs := []any{
		tensors.FromFlatDataAndDimensions(slices.Concat(shown.features...), len(shown.features), dim),
		tensors.FromFlatDataAndDimensions(slices.Clone(shown.classes), len(shown.classes)),
	}
	for i, shape := range d.noise {
		inputs = append(inputs, tensors.FromFlatDataAndDimensions(normals(shape.Size(), temperature, seed, uint64(i)), shape.Dimensions...))
	}
	outputs, err := m.call(d.exec, d.method.Name, inputs...)
	if err != nil {
		return nil, err
	}
	if outputs[0][0] == 0 {
		return nil, fmt.Errorf("%s: %w: it needs more inliers than the %v of each class that it saw", d.method.Name, ErrNotReady, shown.perClass(len(m.Config.Model.Classes)))
	}
	s := &Synthesis{Method: d.method.Name, All: !d.has.candidate, OwnDensity: d.has.nll && !d.method.NeedsFlow}
	rows := matrix(outputs[1], dim)
	if err := d.finite(outputs, dim, temperature); err != nil {
		return nil, err
	}
	for _, i := range d.order(outputs, len(rows), n) {
		s.Features, s.Class = append(s.Features, rows[i.row]), append(s.Class, int32(i.class))
		if d.has.nll {
			s.NLL = append(s.NLL, float64(outputs[2][i.row]))
		}
	}
	if m.HasFlow() {
		var nll []float64
		if s.Latents, nll, err = m.Encode(s.Features); err != nil {
			return nil, err
		}
		if s.NLL == nil {
			s.NLL = nll
		}
	}
	s.Scores, err = m.Score(s.Features)
	return s, err
}

// finite returns an error that names the method if its features or their NLL are not finite.
func (d *drawer) finite(outputs [][]float32, dim int, temperature float64) error {
	for i, what := range []string{"features", "NLL"} {
		if what == "NLL" && !d.has.nll {
			break
		}
		for k, v := range outputs[1+i] {
			if x := float64(v); math.IsNaN(x) || math.IsInf(x, 0) {
				if i == 0 {
					k /= dim
				}
				return fmt.Errorf("synthesiser %q: returned %s with %v, the first in sample %d, at temperature %g: it must return finite numbers",
					d.method.Name, what, v, k, temperature)
			}
		}
	}
	return nil
}

// place is a row of the outputs and the class for which it was drawn.
type place struct{ row, class int }

// order returns at most n rows of the outputs in the order of the noise, with alternating classes.
func (d *drawer) order(outputs [][]float32, rows, n int) []place {
	places, position := make([]place, rows), make([]int, rows)
	for i := range places {
		places[i] = place{row: i}
		position[i] = i
		if !d.has.candidate {
			continue
		}
		candidate := int(outputs[len(outputs)-1][i])
		position[i] = candidate
		if d.method.PerClass {
			places[i].class = candidate / d.rows
			position[i] = candidate%d.rows*len(d.noise) + places[i].class
		}
	}
	slices.SortFunc(places, func(a, b place) int { return cmp.Compare(position[a.row], position[b.row]) })
	return places[:min(n, rows)]
}

// normals draws n numbers from N(0, temperature^2), a function of the seed and the stream.
func normals(n int, temperature float64, seed, stream uint64) []float32 {
	rng := rand.New(rand.NewPCG(seed, stream))
	values := make([]float32, n)
	for i := range values {
		values[i] = float32(rng.NormFloat64() * temperature)
	}
	return values
}
