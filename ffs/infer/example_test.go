package infer_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"ffslab/data"
	_ "ffslab/data/digits" // makes "digits2:..." a data set
	"ffslab/ffs/device"
	"ffslab/ffs/infer"
)

// open returns a trained detector that is part of the program, and scenes that it has not seen.
func open(scenes string) (*infer.Model, *data.Dataset) {
	backend, err := device.OpenForDetectors(device.FromEnvironment())
	if err != nil {
		log.Fatal(err)
	}
	model, err := infer.Open(backend, "zoo:digits-flow") // or a run folder
	if err != nil {
		log.Fatal(err)
	}
	set, err := data.Open(scenes, data.Options{})
	if err != nil {
		log.Fatal(err)
	}
	return model, set
}

// Detect the digits of four scenes, and print the sure ones with their class.
func ExampleModel_Detect() {
	model, scenes := open("digits2:val?n=4")
	defer model.Close()
	classes := model.Config.Model.Classes
	sure := make([]string, len(scenes.Images)) // images come in the order of their canvases
	err := model.Detect(context.Background(), scenes, nil, func(found infer.ImageDetections) error {
		for _, d := range found.Detections {
			if d.Score > 0.9 && d.Scores["energy"] > 0 {
				sure[found.Index] += " " + classes[d.CategoryID-1]
			}
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	for i, names := range sure {
		fmt.Printf("scene %d:%s\n", i, names)
	}
	// Output:
	// scene 0: 3 3 5
	// scene 1: 3 1 5 3
	// scene 2: 1
	// scene 3: 2 2 4 4
}

// Encode box features as latents of the flow and decode them; score them; draw outliers.
func ExampleModel_Draw() {
	ctx := context.Background()
	model, scenes := open("digits2:val?n=20")
	defer model.Close()
	objects, err := model.ObjectFeatures(ctx, scenes, 30)
	if err != nil {
		log.Fatal(err)
	}
	var features [][]float32
	var known float64 // mean energy of annotated objects
	for _, o := range objects {
		features = append(features, o.Features)
		known += o.Energy / float64(len(objects))
	}
	latents, _, err := model.Encode(features)
	if err != nil {
		log.Fatal(err)
	}
	decoded, _, err := model.Decode(latents)
	if err != nil {
		log.Fatal(err)
	}
	var apart float64
	for i, row := range decoded {
		for j, x := range row {
			apart = max(apart, math.Abs(float64(x-features[i][j])))
		}
	}
	drawn, err := model.Draw(ctx, "flow", 100, 1, 0) // 100 samples at temperature 1, seed 0
	if err != nil {
		log.Fatal(err)
	}
	var selected, energy float64
	for i, outlier := range drawn.Outliers(5) { // the 5 least likely
		if outlier {
			selected++
			energy += drawn.Scores[i].Energy
		}
	}
	fmt.Println("objects:", len(objects))
	fmt.Println("Decode inverts Encode:", apart < 0.01)
	fmt.Println("outliers:", selected)
	fmt.Println("their energy is below that of objects:", energy/selected < known)
	// Output:
	// objects: 30
	// Decode inverts Encode: true
	// outliers: 5
	// their energy is below that of objects: true
}

// Go on where an interrupted evaluation stopped: only the images that are not done are detected.
func ExampleModel_DetectRemaining() {
	model, scenes := open("digits2:val?n=4")
	defer model.Close()
	batches, err := model.Batches(scenes)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("images of a batch:", batches)
	done := map[int]bool{0: true, 1: true}
	err = model.DetectRemaining(context.Background(), scenes, nil, done, func(batch []infer.ImageDetections) error {
		for _, found := range batch {
			fmt.Println("image", found.Index)
		}
		return nil
	})
	fmt.Println(err)
	// Unordered output:
	// images of a batch: [[0 1 2 3]]
	// image 2
	// image 3
	// <nil>
}
