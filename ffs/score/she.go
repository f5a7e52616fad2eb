package score

import (
	"gonum.org/v1/gonum/floats"
)

// SHE is the simplified Hopfield energy, the product with the mean features of the predicted class
// (Zhang et al., Out-of-Distribution Detection Based on In-Distribution Data Patterns Memorization
// with Modern Hopfield Energy, ICLR 2023):
//
//	x.S_c,  c = argmax_k l_k
//
// S_c is the mean of the inliers of class c that are predicted as c, or of all inliers of the class
// if none is. (pytorch-ood fails then.)
type SHE struct {
	head
	patterns [][]float64
}

// Name is "she".
func (*SHE) Name() string { return "she" }

// Fit needs inliers with features and classes, and logits or the class layer. A class without
// features is an error.
func (s *SHE) Fit(inliers Features, layer Layer) error {
	if err := s.head.Fit(inliers, layer); err != nil {
		return err
	}
	x, logits, err := s.both(s.Name(), inliers, 0)
	if err != nil {
		return err
	}
	classes, err := inliers.byClass(s.Name())
	if err != nil {
		return err
	}
	s.patterns = nil
	for class, rows := range classes {
		var right []int
		for _, i := range rows {
			if floats.MaxIdx(logits.RawRowView(i)) == class {
				right = append(right, i)
			}
		}
		if len(right) == 0 {
			right = rows
		}
		s.patterns = append(s.patterns, mean(x, right))
	}
	return nil
}

// Score needs features, and logits or the class layer.
func (s *SHE) Score(rows Features) ([]float64, error) {
	if s.patterns == nil {
		return nil, notFitted(s.Name())
	}
	x, logits, err := s.both(s.Name(), rows, len(s.patterns[0]))
	if err != nil {
		return nil, err
	}
	values := make([]float64, x.RawMatrix().Rows)
	for i := range values {
		values[i] = floats.Dot(x.RawRowView(i), s.patterns[floats.MaxIdx(logits.RawRowView(i))])
	}
	return values, nil
}
