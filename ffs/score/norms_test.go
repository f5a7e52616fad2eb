package score

import (
	"math"
	"testing"

	"gonum.org/v1/gonum/mat"
)

// The norms are those of the papers: L2 of the features, L1 of the gradient.
func TestNorms(t *testing.T) {
	rows := Features{Classes: 2, X: mat.NewDense(1, 2, []float64{3, -4}), Logits: mat.NewDense(1, 2, []float64{math.Log(3), 0})} // p = 3/4, 1/4
	for want, s := range map[float64]Scorer{5: &FeatureNorm{}, 7 * 0.5: &GradNorm{}} {
		got, err := s.Score(rows)
		if err != nil || math.Abs(got[0]-want) > 1e-12 {
			t.Errorf("%s = %v, %v; want %g", s.Name(), got, err, want)
		}
	}
}
