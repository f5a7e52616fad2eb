package loss_test

import (
	"fmt"

	"github.com/gomlx/gomlx/core/graph"

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
	fmt.Println(loss.Names())
	_, err := loss.New("length", options.Options{"target": "far"})
	fmt.Println(err)
	// Output:
	// [condition_number least_singular_value length]
	// length.options.target: cannot use far as float64
}
