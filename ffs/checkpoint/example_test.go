package checkpoint_test

import (
	"fmt"
	"log"

	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/checkpoint"
)

// The weights of the original's checkpoint, in a store from which a detector of that size can be
// built.
func Example() {
	file, err := checkpoint.Open("testdata/detector.pth")
	if err != nil {
		log.Fatal(err)
	}
	store := model.NewStore()
	report, err := checkpoint.LoadInto(store, file)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(report)
	fmt.Println(store.GetVariable("/backbone/bottom_up/stem/conv/weight").Shape())
	// Output:
	// loaded 168 tensors; dropped as unused 3 (pixel_mean, pixel_std, roi_heads.weight_energy.bias)
	// (Float32)[3, 3, 3, 16]
}
