package score

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// KLMatching is the negative divergence of the softmax p over the inlier logits from the nearest
// typical softmax of a class (Hendrycks et al., Scaling Out-of-Distribution Detection for
// Real-World Settings, ICML 2022):
//
//	-min_k KL(p || d_k)
//
// d_k is the mean softmax of the inliers that are predicted as class k, rightly or not. A class
// that is never predicted has none.
type KLMatching struct {
	head
	typical [][]float64 // log d_k
}

// Name is "kl_matching".
func (*KLMatching) Name() string { return "kl_matching" }

// Fit needs inliers with logits, or with features and the class layer.
func (s *KLMatching) Fit(inliers Features, layer Layer) error {
	if err := s.head.Fit(inliers, layer); err != nil {
		return err
	}
	logits, err := s.logits(s.Name(), inliers)
	if err != nil {
		return err
	}
	n, classes := logits.Dims()
	sums, counts := make([][]float64, classes), make([]float64, classes)
	for i := range n {
		p := softmax(logits.RawRowView(i), 1)
		k := floats.MaxIdx(p)
		if sums[k] == nil {
			sums[k] = make([]float64, classes)
		}
		floats.Add(sums[k], p)
		counts[k]++
	}
	for k, d := range sums {
		if d == nil {
			continue
		}
		for i := range d {
			// The logarithm of a probability that is always 0 must be finite.
			d[i] = math.Log(max(d[i]/counts[k], math.SmallestNonzeroFloat64))
		}
		s.typical = append(s.typical, d)
	}
	return nil
}

// Score needs logits, or features and the class layer.
func (s *KLMatching) Score(rows Features) ([]float64, error) {
	logits, err := s.logits(s.Name(), rows)
	if err != nil {
		return nil, err
	}
	if len(s.typical) == 0 || len(s.typical[0]) != logits.RawMatrix().Cols {
		return nil, notFitted(s.Name())
	}
	return each(logits, func(l []float64) float64 {
		p := softmax(l, 1)
		own := 0.0
		for _, v := range p {
			if v > 0 {
				own += v * math.Log(v)
			}
		}
		nearest := math.Inf(1)
		for _, d := range s.typical {
			nearest = min(nearest, own-floats.Dot(p, d))
		}
		return -nearest
	}), nil
}
