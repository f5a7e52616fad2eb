package score

import (
	"math"

	"gonum.org/v1/gonum/floats"
)

// GradNorm is the L1 norm of the gradient of KL(uniform || softmax(l)) with respect to the weights
// of the class layer (Huang et al., On the Importance of Gradients for Detecting Distributional
// Shifts in the Wild, NeurIPS 2021). Over the inlier classes it is the product
//
//	|x|_1 sum_k |p_k - 1/K|,  p = softmax(l)
//
// so nothing is differentiated or fitted. With one class it is always 0.
type GradNorm struct{ head }

// Name is "gradnorm".
func (*GradNorm) Name() string { return "gradnorm" }

// Score needs features, and logits or the class layer.
func (s *GradNorm) Score(rows Features) ([]float64, error) {
	x, logits, err := s.both(s.Name(), rows, 0)
	if err != nil {
		return nil, err
	}
	values := make([]float64, x.RawMatrix().Rows)
	for i := range values {
		p := softmax(logits.RawRowView(i), 1)
		for _, v := range p {
			values[i] += math.Abs(v - 1/float64(len(p)))
		}
		values[i] *= floats.Norm(x.RawRowView(i), 1)
	}
	return values, nil
}
