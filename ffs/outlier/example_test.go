package outlier_test

import (
	"fmt"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/options"
	"ffslab/ffs/outlier"
)

// scaled moves the features of the step away from the origin.
type scaled struct {
	outlier.Stateless
	c      outlier.Config
	factor float64
}

func (s scaled) Count() int { return s.c.Select }

func (s scaled) Noise() []shapes.Shape { return outlier.Normals(s.c.Select, s.c.Dim) }

func (s scaled) Synthesize(in outlier.Input) outlier.Output {
	mean := graph.InsertAxes(graph.MaskedReduceMean(in.Features, graph.BroadcastToShape(graph.InsertAxes(in.Foreground, -1), in.Features.Shape()), 0), 0)
	samples := graph.Add(in.Noise[0], graph.MulScalar(graph.BroadcastToDims(mean, s.c.Select, s.c.Dim), s.factor))
	return outlier.Output{Samples: graph.StopGradient(samples)}
}

// A method of your own, with its own setting model.outlier.options.factor.
func ExampleRegister() {
	outlier.Register(outlier.Method{
		Name: "scaled", Summary: "the scaled mean of the inliers, with noise",
		New: func(c outlier.Config) (outlier.Synthesizer, error) {
			settings := struct{ Factor float64 }{Factor: 2}
			err := c.Options.Decode(&settings)
			return scaled{c: c, factor: settings.Factor}, err
		},
	})

	c := outlier.Config{Method: "scaled", SampleFrom: 50, Select: 5, Dim: 64, Options: options.Options{"factor": 3}}
	s, err := outlier.New(c)
	fmt.Println(s.Count(), err)
	c.Options = options.Options{"facter": 3}
	_, err = outlier.New(c)
	fmt.Println(err)
	// Output:
	// 5 <nil>
	// options.facter: unknown; there are factor
}

// What the built-in methods need. Origin tells them from methods of other packages.
func ExampleNames() {
	for _, name := range outlier.Names() {
		if outlier.Origin(name) != "ffslab/ffs/outlier" {
			continue
		}
		m, err := outlier.Lookup(name)
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Printf("%s: a flow %v, draws for each class %v\n", m.Name, m.NeedsFlow, m.PerClass)
	}
	// Output:
	// flow: a flow true, draws for each class false
	// flow-langevin: a flow true, draws for each class false
	// gaussian: a flow false, draws for each class true
	// none: a flow false, draws for each class false
}

// An impossible size is found before anything is trained.
func ExampleConfig_Validate() {
	c := outlier.Config{Method: outlier.MethodFlow, SampleFrom: 200, Select: 201, Dim: 64, Classes: 10}
	fmt.Println(c.Validate())
	// Output: select: 201 must be positive and at most sample_from 200
}
