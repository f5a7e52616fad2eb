package digits_test

import (
	"context"
	"fmt"

	"ffslab/data"
	_ "ffslab/data/digits" // makes "digits:..." known
)

// Open a generated set and take the first batch of a training on it.
func Example() {
	scenes, err := data.Open("digits:train?n=100", data.Options{})
	if err != nil {
		fmt.Println(err)
		return
	}
	batches, err := data.Train(context.Background(), scenes, data.Config{
		BatchSize:  8,
		ShortEdges: []int{192}, LongEdge: 192,
		Canvases: []data.Canvas{{Height: 192, Width: 192}},
		MaxBoxes: 6,
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer batches.Close()
	batch, err := batches.Next()
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(len(scenes.Images), "scenes of", len(scenes.Categories), "classes")
	fmt.Println(batch.BatchSize, "pictures on", batch.Canvas, "of", len(batch.Images), "bytes")
	// Output:
	// 100 scenes of 6 classes
	// 8 pictures on {192 192} of 884736 bytes
}
