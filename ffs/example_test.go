package main_test

import (
	"context"
	"fmt"
	"log"

	"gonum.org/v1/gonum/stat"

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

// Draw synthetic outliers from the flow of a trained detector, and compare their energy with that
// of known objects: the README's ten lines.
func Example() {
	ctx := context.Background()
	backend := must(device.OpenForDetectors(device.FromEnvironment()))
	model := must(infer.Open(backend, "zoo:digits-flow")) // or the folder of your own run
	scenes := must(data.Open("digits2:val?n=50", data.Options{}))
	known := must(model.ObjectFeatures(ctx, scenes, 0))
	drawn := must(model.Draw(ctx, "flow", 200, 1, 0)) // 200 samples at temperature 1, seed 0
	var inliers, outliers []float64
	for _, object := range known {
		inliers = append(inliers, object.Energy)
	}
	for i, selected := range drawn.Outliers(10) { // the 10 least likely
		if selected {
			outliers = append(outliers, drawn.Scores[i].Energy)
		}
	}
	less := stat.Mean(outliers, nil) < stat.Mean(inliers, nil)
	fmt.Println("synthetic outliers have less energy:", less)
	// Output:
	// synthetic outliers have less energy: true
}

// Train a detector with its flow on the embedded digits.
func Example_train() {
	c := must(config.Load("digits", "train.max_iter=300", "model.outlier.start_iter=150"))
	backend := must(device.OpenForDetectors(device.FromEnvironment()))
	r := must(run.Create("runs/digits", c))
	defer r.Close()
	set := must(data.Open(c.Data.Train, data.Options{}))
	if err := train.Train(context.Background(), train.Options{Backend: backend, Run: r, Data: set}); err != nil {
		log.Fatal(err)
	}
}
