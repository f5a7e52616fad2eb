package eval_test

import (
	"fmt"

	"ffslab/ffs/eval"
)

func ExampleSeparate() {
	inlier := []float64{3.1, 2.5, 4.0, 2.9} // energies of detections, higher = more inlier
	outlier := []float64{1.2, 2.7, 0.3}
	s, err := eval.Separate(inlier, outlier)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("AUROC %.3f, FPR95 %.3f, unknown below %.1f\n", s.AUROC, s.FPR95, s.ThresholdTPR95)
	// Output: AUROC 0.917, FPR95 0.333, unknown below 2.5
}
