package score_test

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"ffslab/ffs/score"
)

// median is a user's own score: the negative distance from the median of the inliers, summed over
// the features.
type median struct{ center []float64 }

func (*median) Name() string { return "median" }

func (m *median) Fit(inliers score.Features, _ score.Layer) error {
	for j := range inliers.X.RawMatrix().Cols {
		column := slices.Sorted(slices.Values(mat.Col(nil, j, inliers.X)))
		m.center = append(m.center, column[len(column)/2])
	}
	return nil
}

func (m *median) Score(rows score.Features) ([]float64, error) {
	values := make([]float64, rows.Len())
	for i := range values {
		for j, v := range rows.X.RawRowView(i) {
			values[i] -= math.Abs(v - m.center[j])
		}
	}
	return values, nil
}

// A score of your own works with every command once an init function calls score.Register(func()
// score.Scorer { return &median{} }), as in "ffs eval --scores median,energy".
func ExampleScorer() {
	s := &median{}
	inliers := score.Features{X: mat.NewDense(3, 2, []float64{0, 1, 1, 1, 2, 5})}
	if err := s.Fit(inliers, score.Layer{}); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(s.Score(score.Features{X: mat.NewDense(2, 2, []float64{1, 1, 4, 0})}))
	// Output: [0 -4] <nil>
}

func ExampleKNN() {
	knn := &score.KNN{K: 1}
	inliers := score.Features{X: mat.NewDense(2, 2, []float64{1, 0, 0, 2})}
	if err := knn.Fit(inliers, score.Layer{}); err != nil {
		fmt.Println(err)
		return
	}
	values, err := knn.Score(score.Features{X: mat.NewDense(2, 2, []float64{0, 7, -3, 0})})
	fmt.Printf("%.3f %v\n", values, err)
	// Output: [0.000 -1.414] <nil>
}

// Scores are chosen by name. A score that needs what the detector does not give does not apply.
func ExampleNew() {
	logits := mat.NewDense(2, 3, []float64{4, 0, 1, 0, 0, 3}) // two classes, and the background last
	rows := score.Features{From: "detections.json", Classes: 2, Logits: logits}
	for _, name := range []string{"energy", "msp", "knn"} {
		s, err := score.New(name)
		if err == nil {
			err = s.Fit(score.Features{}, score.Layer{})
		}
		var values []float64
		if err == nil {
			values, err = s.Score(rows)
		}
		if errors.Is(err, score.ErrMissing) {
			fmt.Println("does not apply:", err)
			continue
		}
		fmt.Printf("%s %.3f\n", name, values)
	}
	// Output:
	// energy [4.018 0.693]
	// msp [0.982 0.500]
	// does not apply: knn: no box features in the rows
}

// Check says which number of which row is at fault.
func ExampleFeatures_Check() {
	rows := score.Features{From: "features.npz", X: mat.NewDense(2, 2, []float64{1, 2, 3, math.NaN()})}
	fmt.Println(rows.Check())
	// Output: features.npz: features: row 1, column 1 is NaN
}
