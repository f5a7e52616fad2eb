package score_test

import (
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"

	"ffslab/ffs/score"
)

// median is a score of one's own: the negative distance from the median of the inliers, summed over the features.
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

// A score of one's own is one like the others for every command once an init function has said
// score.Register(func() score.Scorer { return &median{} }): "ffs eval --scores median,energy".
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
