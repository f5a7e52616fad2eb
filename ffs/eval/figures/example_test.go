package figures_test

import (
	"fmt"
	"os"
	"strings"

	"ffslab/ffs/eval"
	"ffslab/ffs/eval/figures"
	"ffslab/viz"
)

// measured is a report as eval.ReadReport reads it from the metrics.json of a run.
func measured() *eval.Report {
	return &eval.Report{
		Calibration: &eval.Calibration{Detections: 4, ECE: 0.05, Bins: []eval.CalibrationBin{
			{Low: 0.9, High: 1, Detections: 4, Score: 0.95, Precision: 1},
		}},
		Confusion: map[string]*eval.Confusion{"far": {
			Classes: []eval.Category{{ID: 1, Name: "dog"}, {ID: 2, Name: "bus"}},
			Objects: []eval.ConfusionRow{{Category: eval.Category{ID: 9, Name: "pizza"}, Count: 8, TakenFor: []int{0, 2}, Missed: 6}},
		}},
		Outliers: map[string]*eval.Outcome{"far": {Scores: map[string]eval.Separation{
			"energy": {AUROC: 0.75}, "knn": {AUROC: 0.875}, "msp": {AUROC: 0.5},
		}}},
	}
}

// numbers returns what a figure shows as CSV, or why there is no figure.
func numbers(figure *viz.Figure, err error) string {
	if err != nil {
		return err.Error()
	}
	data, err := figure.CSV()
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// All figures of an evaluation.
func ExampleSave() {
	dir, err := os.MkdirTemp("", "figures")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(dir)
	if err := figures.Save(measured(), dir, strings.ToLower); err != nil {
		fmt.Println(err)
		return
	}
	files, err := os.ReadDir(dir)
	for _, f := range files {
		if name, picture := strings.CutSuffix(f.Name(), ".svg"); picture {
			fmt.Println(name)
		}
	}
	fmt.Println(err)
	// Output:
	// confusion-far
	// reliability
	// which-score
	// <nil>
}

// Which score finds unknown objects best, on average over the outlier sets.
func ExampleWhichScore() {
	ranking := measured().Ranking()
	fmt.Println("best:", ranking.Scores[0].Name)
	fmt.Print(numbers(figures.WhichScore(ranking)))
	// Output:
	// best: knn
	// row,series,value,low,high
	// knn,far,87.5,NaN,NaN
	// energy,far,75,NaN,NaN
	// msp,far,50,NaN,NaN
}

// What the unknown pizzas pass for.
func ExampleConfusion() {
	fmt.Print(numbers(figures.Confusion("far", measured().Confusion["far"])))
	// Output:
	// row,column,count,share
	// pizza,dog,0,0
	// pizza,bus,2,0.25
	// pizza,missed,6,0.75
}

// Whether a detection's score is the probability that it is right.
func ExampleReliability() {
	fmt.Print(numbers(figures.Reliability(measured().Calibration)))
	// Output:
	// low,high,count,confidence,precision
	// 0.9,1,4,0.95,1
}
