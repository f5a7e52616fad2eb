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

// Two runs on the same images: the second one takes the outliers of image 5 for inliers. With three images there is little to tell.
func ExamplePairedBootstrap() {
	inlier := eval.ImageScores{1: {3.1, 2.5}, 2: {4.0}, 3: nil} // nothing was detected in image 3
	first := eval.Sides{Inlier: inlier, Outlier: eval.ImageScores{4: {1.2}, 5: {0.7, 0.3}, 6: {2.7}}}
	second := eval.Sides{Inlier: inlier, Outlier: eval.ImageScores{4: {1.2}, 5: {4.5, 5.0}, 6: {2.7}}}
	d, err := eval.PairedBootstrap(first, second, eval.Bootstrap{Resamples: eval.DefaultResamples})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("AUROC %.2f against %.2f, difference %.2f, 95 %% from %.2f to %.2f\n", d.AUROC.First, d.AUROC.Second, d.AUROC.Difference, d.AUROC.CI95[0], d.AUROC.CI95[1])
	// Output: AUROC 0.92 against 0.42, difference 0.50, 95 % from 0.00 to 1.00
}
