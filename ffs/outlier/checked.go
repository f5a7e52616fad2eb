package outlier

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/graphs"
	"ffslab/ffs/internal/guard"
)

// kind is the word for a method in errors.
const kind = "synthesiser"

// Checked returns the synthesiser of the configuration. It panics with an error that names the
// method where s panics, or returns other shapes than it must.
func Checked(s Synthesizer, c Config) Synthesizer { return checked{s, c.Method, c.Dim} }

type checked struct {
	Synthesizer
	name string
	dim  int
}

// build calls New of the method.
func (m Method) build(c Config) (s Synthesizer, err error) {
	if fault := guard.Part(kind, m.Name, func() { s, err = m.New(c) }); fault != nil {
		return nil, fmt.Errorf("method: %w", fault)
	}
	if err == nil && s == nil {
		err = fmt.Errorf("method: %w", &guard.PartError{Kind: kind, Name: m.Name, Err: errors.New("New returned nil, want a Synthesizer")})
	}
	return s, err
}

func (s checked) Noise() []shapes.Shape { return guard.Graph(kind, s.name, s.Synthesizer.Noise) }

func (s checked) Ready(scope *model.Scope, g *graph.Graph) *graph.Node {
	return guard.Graph(kind, s.name, func() *graph.Node {
		ready := s.Synthesizer.Ready(scope, g)
		if ready == nil || !ready.IsScalar() {
			panic(fmt.Errorf("Ready returned %s, want a bool scalar", graphs.ShapeOf(ready)))
		}
		return ready
	})
}

func (s checked) Synthesize(in Input) Output {
	return guard.Graph(kind, s.name, func() Output {
		out, count := s.Synthesizer.Synthesize(in), s.Synthesizer.Count()
		want := shapes.Make(dtypes.Float32, count, s.dim)
		if out.Samples == nil || !out.Samples.Shape().Equal(want) {
			panic(fmt.Errorf("returned samples %s, want %s: Count is %d, a box feature has %d numbers", graphs.ShapeOf(out.Samples), want, count, s.dim))
		}
		for _, rows := range []*graph.Node{out.NLL, out.Candidate} {
			if rows != nil && (rows.Rank() != 1 || rows.Shape().Dim(0) != count) {
				panic(fmt.Errorf("returned NLL or candidates %s, want one for each of %d samples", rows.Shape(), count))
			}
		}
		return out
	})
}
