package score

import "gonum.org/v1/gonum/floats"

// FDBD is the mean distance from the decision boundaries between the predicted class and the
// others, divided by the distance from the mean of the inliers (Liu and Qin, Fast Decision Boundary
// based Out-of-Distribution Detector, ICML 2024):
//
//	1/(K-1) sum_{k != c} (l_c - l_k) / |W_c - W_k| / |x - mu|,  c = argmax_k l_k
//
// Classes with equal weights have no boundary and add 0. FDBD needs at least two classes.
type FDBD struct {
	head
	mean []float64
}

// Name is "fdbd".
func (*FDBD) Name() string { return "fdbd" }

// Fit needs inliers with features, and the class layer.
func (s *FDBD) Fit(inliers Features, layer Layer) error {
	x, err := s.fitFeatures(s.Name(), inliers, layer)
	if err != nil {
		return err
	}
	if inliers.Classes < 2 {
		return missing(s.Name(), "second class", inliers.From)
	}
	s.mean = mean(x, all(x.RawMatrix().Rows))
	return nil
}

// Score needs features.
func (s *FDBD) Score(rows Features) ([]float64, error) {
	if s.mean == nil {
		return nil, notFitted(s.Name())
	}
	x, err := s.features(s.Name(), rows)
	if err != nil {
		return nil, err
	}
	logits := s.apply(x)
	values := make([]float64, x.RawMatrix().Rows)
	for i := range values {
		l := logits.RawRowView(i)
		c := floats.MaxIdx(l)
		for k := range l {
			if width := floats.Distance(s.w.RawRowView(c), s.w.RawRowView(k), 2); width > 0 {
				values[i] += (l[c] - l[k]) / width
			}
		}
		values[i] /= float64(len(l)-1) * max(floats.Distance(x.RawRowView(i), s.mean, 2), 1e-8)
	}
	return values, nil
}
