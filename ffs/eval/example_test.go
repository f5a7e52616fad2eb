package eval_test

import (
	"fmt"
	"os"

	"ffslab/data"
	"ffslab/data/box"
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

// Equal scores pass together.
func ExampleOperatingPoints() {
	points, err := eval.OperatingPoints([]float64{3, 2}, []float64{2, 1})
	for _, p := range points {
		fmt.Printf("at least %g: %d of 2 inliers, %d of 2 outliers\n", p.Threshold, p.Inlier, p.Outlier)
	}
	fmt.Println(err)
	// Output:
	// at least 3: 1 of 2 inliers, 0 of 2 outliers
	// at least 2: 2 of 2 inliers, 1 of 2 outliers
	// at least 1: 2 of 2 inliers, 2 of 2 outliers
	// <nil>
}

// Two runs on the same images. The second run takes the outliers of image 5 for inliers; three
// images say little about that.
func ExamplePairedBootstrap() {
	inlier := eval.ImageScores{1: {3.1, 2.5}, 2: {4.0}, 3: nil} // nothing was detected in image 3
	first := eval.Sides{Inlier: inlier, Outlier: eval.ImageScores{4: {1.2}, 5: {0.7, 0.3}, 6: {2.7}}}
	second := eval.Sides{Inlier: inlier, Outlier: eval.ImageScores{4: {1.2}, 5: {4.5, 5.0}, 6: {2.7}}}
	d, err := eval.PairedBootstrap(first, second, eval.Bootstrap{Resamples: eval.DefaultResamples})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("AUROC %.2f against %.2f, difference %.2f, 95 %% from %.2f to %.2f\n",
		d.AUROC.First, d.AUROC.Second, d.AUROC.Difference, d.AUROC.CI95[0], d.AUROC.CI95[1])
	// Output: AUROC 0.92 against 0.42, difference 0.50, 95 % from 0.00 to 1.00
}

// A detector's results on an inlier set with two cats, and on two images of unknown objects.
func ExampleEvaluate() {
	cats := []eval.Category{{ID: 1, Name: "cat"}}
	cat := box.COCO{10, 10, 40, 30}
	inlier := eval.Results{
		Annotations: &eval.Annotations{
			ImageIDs: []data.ID{1, 2}, Categories: cats,
			Objects: []eval.GroundTruth{
				{ImageID: 1, CategoryID: 1, Box: cat, Area: cat.Area()},
				{ImageID: 2, CategoryID: 1, Box: cat, Area: cat.Area()},
			},
		},
		Detections: []eval.Detection{
			{ImageID: 1, CategoryID: 1, Box: cat, Score: 0.9, Logits: []float64{4, 0}},
			{ImageID: 2, CategoryID: 1, Box: cat, Score: 0.8, Logits: []float64{3, 0}},
		},
	}
	unknown := eval.Results{
		Annotations: &eval.Annotations{ImageIDs: []data.ID{1, 2}, Categories: cats},
		Detections: []eval.Detection{
			{ImageID: 1, CategoryID: 1, Box: cat, Score: 0.85, Logits: []float64{2, 0}},
			{ImageID: 2, CategoryID: 1, Box: cat, Score: 0.1, Logits: []float64{-2, 0}}, // too low to count
		},
	}
	report, err := eval.Evaluate(inlier, map[string]eval.Results{"birds": unknown}, eval.Settings{})
	if err != nil {
		fmt.Println(err)
		return
	}
	birds := report.Outliers["birds"]
	fmt.Printf("AP %.2f, score threshold %.2f\n", report.MAP.AP, *report.ScoreThreshold)
	fmt.Printf("%d inliers, %d outliers, AUROC by energy %.2f\n",
		birds.Inliers, birds.Outliers, birds.Scores["energy"].AUROC)
	// Output:
	// AP 1.00, score threshold 0.80
	// 2 inliers, 1 outliers, AUROC by energy 1.00
}

// A table has one form for terminals and documents, one for programs and one for papers.
func ExampleTable() {
	t := eval.NewTable("score", "AUROC ↑")
	t.Add("energy", "0.87")
	t.Add("k_nn", "0.91")
	fmt.Fprint(os.Stdout, t.Markdown(), "\n", t.CSV(), "\n", t.LaTeX())
	// Output:
	// | score  | AUROC ↑ |
	// |:-------|--------:|
	// | energy |    0.87 |
	// | k_nn   |    0.91 |
	//
	// score,AUROC ↑
	// energy,0.87
	// k_nn,0.91
	//
	// \begin{tabular}{lr}
	// \toprule
	// score & AUROC $\uparrow$ \\
	// \midrule
	// energy & 0.87 \\
	// k\_nn & 0.91 \\
	// \bottomrule
	// \end{tabular}
}
