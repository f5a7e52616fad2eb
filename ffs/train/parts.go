package train

import (
	"cmp"
	"errors"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/data"
	"ffslab/ffs/detector"
	"ffslab/ffs/optim"
)

// inParts computes a step in n parts, which take less memory: it counts the normalisers of all
// parts, adds up the parts' gradients, then makes the outliers and updates the parameters once. It
// runs the first stage twice and equals a step as a whole up to rounding. (If rounding decides
// between two proposals, counting and the part can decide differently. The normaliser is then off
// by one in some thousand.)
type inParts struct {
	n                        int
	form                     batchForm
	count, part, add, update *program
	paths                    []string // of the parameters of a part's gradients; set when part is compiled
}

func newInParts(b builder, n, images int, det *detector.Detector, form batchForm, apply func(*model.Store, []optim.Gradient, *graph.Node)) (*inParts, error) {
	s := &inParts{n: n, form: form}
	batchInputs := form.inputs() + 1 // with the keys
	counts := func(in []*graph.Node) detector.Counts {
		return detector.Counts{Proposals: in[0], Foreground: in[1], Energy: in[2]}
	}

	var errs [4]error
	s.count, errs[0] = b.program(batchInputs, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		batch, in := form.batch(in)
		c := det.CountPart(scope, batch, in[0])
		return []*graph.Node{graph.Stack([]*graph.Node{c.Proposals, c.Foreground, graph.ConvertDType(c.Energy, c.Foreground.DType())}, 0)}
	})
	s.part, errs[1] = b.program(batchInputs, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		batch, in := form.batch(in)
		losses, features := det.PartLosses(scope, batch, in[0], images, counts(in[1:]))
		out := []*graph.Node{losses.Vector(), features.Values, features.Foreground, features.Classes}
		s.paths = nil
		for _, gradient := range optim.Gradients(scope, losses.Total()) {
			s.paths = append(s.paths, gradient.Variable.Path())
			out = append(out, gradient.Value)
		}
		return out
	})
	s.add, errs[2] = b.program(0, func(_ *model.Scope, in []*graph.Node) []*graph.Node {
		half := len(in) / 2
		sums := make([]*graph.Node, half)
		for i := range sums {
			sums[i] = graph.Add(in[i], in[half+i])
		}
		return sums
	})
	s.update, errs[3] = b.program(0, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		key, lr, whole, in := in[0], in[1], counts(in[2:]), in[5:]
		features := detector.Features{
			Values: graph.Concatenate(in[:s.n], 0), Foreground: graph.Concatenate(in[s.n:2*s.n], 0), Classes: graph.Concatenate(in[2*s.n:3*s.n], 0),
		}
		sums := in[3*s.n:]
		losses := det.OutlierLosses(scope, features, key, whole)
		gradients := make([]optim.Gradient, len(sums))
		for i, sum := range sums {
			gradients[i] = optim.Gradient{Variable: b.store.GetVariable(s.paths[i]), Value: sum}
		}
		if det.HasEnergy() {
			gradients = addGradients(gradients, optim.Gradients(scope, losses.Total()))
		}
		apply(b.store, gradients, lr)
		return []*graph.Node{losses.Vector()}
	})
	return s, errors.Join(errs[:]...)
}

// addGradients adds more to sums. Parameters in more alone belong to a synthesiser; no part reads
// them.
func addGradients(sums, more []optim.Gradient) []optim.Gradient {
	for _, gradient := range more {
		i := slices.IndexFunc(sums, func(g optim.Gradient) bool { return g.Variable == gradient.Variable })
		if i < 0 {
			sums = append(sums, gradient)
			continue
		}
		sums[i].Value = graph.Add(sums[i].Value, gradient.Value)
	}
	slices.SortFunc(sums, func(a, b optim.Gradient) int { return cmp.Compare(a.Variable.Path(), b.Variable.Path()) })
	return sums
}

// step runs the programs on a batch and returns its losses.
func (s *inParts) step(batch *data.Batch, keys []uint64, active bool, lr float64) ([]float32, error) {
	width, size := compute.RNGStateShape.Size(), batch.BatchSize/s.n
	inputs := make([][]value, s.n)
	var proposals, foreground float32
	energy := active
	for i := range inputs {
		inputs[i] = append(s.form.tensors(batch, i*size, size), tensors.FromFlatDataAndDimensions(keys[i*size*width:(i+1)*size*width], size, width))
		defer free(inputs[i]...)
		counted, err := s.count.call(inputs[i]...)
		if err != nil {
			return nil, err
		}
		c := onHost(counted[0])
		proposals, foreground, energy = proposals+c[0], foreground+c[1], energy && c[2] != 0
	}

	losses, features, sums := []float32(nil), make([]value, 3*s.n), []value(nil)
	for i := range inputs {
		out, err := s.part.call(append(inputs[i], proposals, foreground, energy)...)
		if err != nil {
			return nil, err
		}
		losses = addLosses(losses, onHost(out[0]))
		for k := range 3 {
			features[k*s.n+i] = out[1+k]
		}
		gradients := out[4:]
		if sums != nil {
			both := append(sums, gradients...)
			if sums, err = s.add.call(both...); err != nil {
				return nil, err
			}
			free(both...)
			continue
		}
		sums = gradients
	}

	key := tensors.FromFlatDataAndDimensions(keys[batch.BatchSize*width:], width)
	args := append(append([]value{key, float32(lr), proposals, foreground, energy}, features...), sums...)
	out, err := s.update.call(args...)
	if err != nil {
		return nil, err
	}
	free(features...)
	free(sums...)
	return addLosses(losses, onHost(out[0])), nil
}

// addLosses adds b to a, which may be nil.
func addLosses(a, b []float32) []float32 {
	if a == nil {
		return b
	}
	for i := range a {
		a[i] += b[i]
	}
	return a
}

func (s *inParts) finalize() {
	for _, p := range []*program{s.count, s.part, s.add, s.update} {
		p.finalize()
	}
}
