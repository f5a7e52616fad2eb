package corrupt_test

import (
	"fmt"

	"ffslab/data"
	"ffslab/data/corrupt"
)

// Apply corrupts a single picture.
func ExampleApply() {
	grey := data.NewPixels(2, 2)
	for i := range grey.Data {
		grey.Data[i] = 100
	}
	p, err := corrupt.Apply(grey, "brightness", 1, data.RandomStream(7))
	fmt.Println(p.Data[:3], err)
	_, err = corrupt.Apply(grey, "brightness", 6, data.RandomStream(7))
	fmt.Println(err)
	// Output:
	// [126 126 126] <nil>
	// a corruption of severity 6 is not possible: give 1 to 5
}
