package loss_test

import (
	"fmt"
	"log"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ffslab/ffs/device"
	"ffslab/ffs/loss"
	"ffslab/ffs/options"
)

// A term that keeps foreground features at a length, model.loss.length: {weight: 0.1, options:
// {target: 4}}.
func ExampleRegister() {
	loss.Register(loss.Term{
		Name: "length", Summary: "squared distance of the foreground features' length from a target",
		New: func(o options.Options) (loss.Func, error) {
			settings := struct{ Target float64 }{Target: 1}
			if err := o.Decode(&settings); err != nil {
				return nil, err
			}
			return func(in loss.Input) *graph.Node {
				length := graph.Sqrt(graph.ReduceSum(graph.Square(in.Features), -1))
				return in.MeanForeground(graph.Square(graph.AddScalar(length, -settings.Target)))
			}, nil
		},
	})
	fmt.Println(loss.Names(), "the last of", loss.Origin("length"))
	_, err := loss.New("length", options.Options{"target": "far"})
	fmt.Println(err)
	// Output:
	// [condition_number least_singular_value length] the last of ffslab/ffs/loss_test
	// length.options.target: cannot use far as float64
}

// evaluate runs a graph without inputs on this machine and returns its scalars.
func evaluate(build func(g *graph.Graph) []*graph.Node) []float32 {
	backend, err := device.Open(device.FromEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	exec, err := graph.NewExec(backend, build)
	if err != nil {
		log.Fatal(err)
	}
	defer exec.Finalize()
	outputs, err := exec.Call()
	if err != nil {
		log.Fatal(err)
	}
	values := make([]float32, len(outputs))
	for i, output := range outputs {
		values[i] = tensors.ToScalar[float32](output)
	}
	return values
}

// The parts of a step add up to the whole step, if a term takes means by MeanProposals and
// MeanForeground, and what depends on parameters alone by Once.
func ExampleInput() {
	term := func(in loss.Input) *graph.Node {
		small := in.MeanProposals(graph.ReduceMean(graph.Square(in.Logits), -1))
		return graph.Add(small, in.Once(graph.ReduceAllSum(graph.Square(in.ClassWeight))))
	}
	values := evaluate(func(g *graph.Graph) []*graph.Node {
		part := func(share float64, logits [][]float32, valid []bool) *graph.Node {
			return term(loss.Input{
				Logits: graph.Const(g, logits), Valid: graph.Const(g, valid), ProposalCount: graph.Const(g, int32(2)),
				ClassWeight: graph.Const(g, [][]float32{{1, 1}}), Share: share,
			})
		}
		return []*graph.Node{
			part(1, [][]float32{{1, 1}, {3, 3}, {9, 9}}, []bool{true, true, false}), // the last row is padding
			part(0.5, [][]float32{{1, 1}}, []bool{true}),
			part(0.5, [][]float32{{3, 3}, {9, 9}}, []bool{true, false}),
		}
	})
	fmt.Printf("%.1f = %.1f + %.1f\n", values[0], values[1], values[2])
	// Output: 7.0 = 1.5 + 5.5
}

// The singular values of a class layer's weight, to which a term can give gradients.
func ExampleExtremeSingularValues() {
	values := evaluate(func(g *graph.Graph) []*graph.Node {
		least, greatest := loss.ExtremeSingularValues(graph.Const(g, [][]float32{{3, 0, 0}, {0, 4, 0}}))
		return []*graph.Node{least, greatest}
	})
	fmt.Printf("%.2f %.2f\n", values[0], values[1])
	// Output: 3.00 4.00
}
