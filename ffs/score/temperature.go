package score

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// ScaledMSP is the largest softmax probability of the inlier logits, max_k softmax(l / T)_k, at the
// temperature T that makes the classes of the inliers likeliest (Guo et al., On Calibration of
// Modern Neural Networks, ICML 2017):
//
//	T = argmin -sum_i log softmax(l_i / T)_{y_i},  0.01 <= T <= 100
//
// The bounds matter if all inliers are classified rightly, where T would be 0. pytorch-ood stops
// its search early; repeated calls converge to this T.
type ScaledMSP struct {
	head
	t float64
}

// Name is "scaled_msp".
func (*ScaledMSP) Name() string { return "scaled_msp" }

// Fit needs inliers with classes, and with logits or with features and the class layer.
func (s *ScaledMSP) Fit(inliers Features, layer Layer) error {
	if err := s.head.Fit(inliers, layer); err != nil {
		return err
	}
	logits, err := s.logits(s.Name(), inliers)
	if err != nil {
		return err
	}
	if inliers.Labels == nil {
		return missing(s.Name(), "classes of the rows", inliers.From)
	}
	s.t = likeliestTemperature(logits, inliers.Labels)
	return nil
}

// likeliestTemperature finds the root of the derivative of the likelihood, which is monotone in
// 1/T, by bisection.
func likeliestTemperature(logits *mat.Dense, labels []int) float64 {
	derivative := func(inverse float64) float64 {
		sum := 0.0
		for i, class := range labels {
			l := logits.RawRowView(i)
			sum += floats.Dot(softmax(l, 1/inverse), l) - l[class]
		}
		return sum
	}
	low, high := math.Log(0.01), math.Log(100.0)
	for range 60 { // to the last bit
		middle := (low + high) / 2
		if derivative(math.Exp(middle)) < 0 {
			low = middle
		} else {
			high = middle
		}
	}
	return math.Exp(-(low + high) / 2)
}

// Temperature returns T, and 0 before Fit.
func (s *ScaledMSP) Temperature() float64 { return s.t }

// Score needs logits, or features and the class layer.
func (s *ScaledMSP) Score(rows Features) ([]float64, error) {
	if s.t == 0 {
		return nil, notFitted(s.Name())
	}
	return s.eachLogits(s.Name(), rows, func(l []float64) float64 { return floats.Max(softmax(l, s.t)) })
}
