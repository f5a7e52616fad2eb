// Command tried is ffs with three methods of synthesis for the table in ../heads.md, which it made:
// flow-changed, the flow's samples at another temperature or through ReLU; mixture, points between
// two objects of different classes; and noise, a control that knows nothing of classes or density.
package main

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/cli"
	"ffslab/ffs/nn"
	"ffslab/ffs/outlier"
)

func main() {
	outlier.Register(outlier.Method{
		Name: "flow-changed", Summary: "the flow's samples at another temperature, or through ReLU", NeedsFlow: true, FromNoise: true,
		New: func(c outlier.Config) (outlier.Synthesizer, error) {
			changed := &flowChanged{Temperature: 1}
			if err := c.Options.Decode(changed); err != nil {
				return nil, err
			}
			c.Method, c.Options = outlier.MethodFlow, nil
			var err error
			changed.Synthesizer, err = outlier.New(c)
			return changed, err
		},
	})
	outlier.Register(outlier.Method{
		Name: "mixture", Summary: "points between two objects of different classes",
		New: func(c outlier.Config) (outlier.Synthesizer, error) {
			return mixture{count: c.Select}, c.Options.Decode(&struct{}{})
		},
	})
	outlier.Register(outlier.Method{
		Name: "noise", Summary: "independent normal features with the objects' means and deviations: a control",
		New: func(c outlier.Config) (outlier.Synthesizer, error) {
			return noise{count: c.Select, dim: c.Dim}, c.Options.Decode(&struct{}{})
		},
	})
	cli.Main()
}

// flowChanged is the paper's method on latents from N(0, Temperature^2 I), with ReLU on what it
// chooses if Rectify: box features are not negative.
type flowChanged struct {
	outlier.Synthesizer `yaml:"-"`
	Temperature         float64 `yaml:"temperature"`
	Rectify             bool    `yaml:"rectify"`
}

func (f *flowChanged) Synthesize(in outlier.Input) outlier.Output {
	in.Noise = []*graph.Node{graph.MulScalar(in.Noise[0], f.Temperature)}
	out := f.Synthesizer.Synthesize(in)
	if f.Rectify {
		out.Samples = nn.ReLU(out.Samples)
	}
	return out
}

// mixture takes the first count objects of a step, which are in random order, and moves each by a
// random share, mostly between a quarter and three quarters, towards an object of another class.
type mixture struct {
	outlier.Stateless
	count int
}

func (m mixture) Count() int            { return m.count }
func (m mixture) Noise() []shapes.Shape { return outlier.Normals(m.count, 1) }

func (m mixture) Synthesize(in outlier.Input) outlier.Output {
	n := in.Features.Shape().Dim(0)
	first := func(x *graph.Node) *graph.Node { return graph.Slice(x, graph.AxisRange(0, m.count)) }
	pairs := func(x *graph.Node, axis int) *graph.Node {
		return graph.BroadcastToDims(graph.InsertAxes(x, axis), m.count, n)
	}
	// Of the objects of other classes, the one nearest to the end of the list.
	other := graph.LogicalAnd(graph.NotEqual(pairs(first(in.Classes), -1), pairs(in.Classes, 0)), pairs(in.Foreground, 0))
	place := graph.Iota(in.Features.Graph(), shapes.Make(dtypes.Int32, m.count, n), 1)
	partner := graph.ArgMax(graph.Where(other, place, graph.MulScalar(graph.OnesLike(place), -1)), -1, dtypes.Int32)
	share := graph.BroadcastToDims(graph.Sigmoid(in.Noise[0]), m.count, in.Features.Shape().Dim(1))
	partners := graph.Gather(in.Features, graph.InsertAxes(partner, -1))
	mixed := graph.Add(graph.Mul(graph.OneMinus(share), first(in.Features)), graph.Mul(share, partners))
	return outlier.Output{Samples: graph.StopGradient(mixed)}
}

// noise draws every feature by itself, from a normal distribution with the mean and the deviation
// that it has over the step's objects.
type noise struct {
	outlier.Stateless
	count, dim int
}

func (n noise) Count() int            { return n.count }
func (n noise) Noise() []shapes.Shape { return outlier.Normals(n.count, n.dim) }

func (n noise) Synthesize(in outlier.Input) outlier.Output {
	objects := graph.BroadcastToDims(graph.InsertAxes(graph.ConvertDType(in.Foreground, dtypes.Float32), -1), in.Features.Shape().Dimensions...)
	count := graph.MaxScalar(graph.ReduceAndKeep(objects, graph.ReduceSum, 0), 1) // [1, dim]
	average := func(x *graph.Node) *graph.Node {
		return graph.Div(graph.ReduceAndKeep(graph.Mul(x, objects), graph.ReduceSum, 0), count)
	}
	mean := average(in.Features)
	variance := average(graph.Square(graph.Sub(in.Features, mean)))
	return outlier.Output{Samples: graph.StopGradient(graph.Add(mean, graph.Mul(graph.Sqrt(variance), in.Noise[0])))}
}
