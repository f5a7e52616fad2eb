package npz_test

import (
	"fmt"
	"os"
	"path/filepath"

	"ffslab/ffs/npz"
)

// Arrays written here are read by numpy.load("features.npz"), and the other way round.
func Example() {
	dir, err := os.MkdirTemp("", "npz")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "features.npz")
	err = npz.Write(path, npz.Arrays{
		"features": npz.New([]float32{1, 2, 3, 4, 5, 6}, 2, 3),
		"class":    npz.New([]int64{7, 1}, 2),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	arrays, err := npz.Read(path)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(arrays.Names(), arrays["features"].Shape, arrays["class"].Ints())
	fmt.Println(arrays["features"].Tensor().Shape()) // for a graph of GoMLX
	// Output:
	// [class features] [2 3] [7 1]
	// (Float32)[2, 3]
}
