package main_test

import (
	"context"
	"fmt"
	"log"

	"ffslab/data"
	_ "ffslab/data/digits"
	"ffslab/ffs/config"
	"ffslab/ffs/device"
	"ffslab/ffs/infer"
	"ffslab/ffs/run"
	"ffslab/ffs/train"
)

func must[T any](value T, err error) T {
	if err != nil {
		log.Fatal(err)
	}
	return value
}

// Train a detector with its flow on the embedded digits, then draw synthetic outliers from the flow: the README's ten lines.
func Example() {
	c := must(config.Load("digits", "train.max_iter=300", "model.outlier.start_iter=150"))
	backend := must(device.Open(device.FromEnvironment()))
	r := must(run.Create("runs/ten-lines", c))
	set := must(data.Open(c.Data.Train, data.Options{}))
	if err := train.Train(context.Background(), train.Options{Backend: backend, Run: r, Data: set}); err != nil {
		log.Fatal(err)
	}
	model := must(infer.Open(backend, r.Dir))
	s := must(model.Draw(context.Background(), "flow", 200, 1, 0)) // 200 draws at temperature 1 with seed 0
	for i, outlier := range s.Outliers(5) {                        // the 5 least likely
		if outlier {
			fmt.Printf("draw %d: NLL %.1f, energy %.2f\n", i, s.NLL[i], s.Scores[i].Energy)
		}
	}
}
