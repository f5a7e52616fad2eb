package score

import (
	"cmp"

	"gonum.org/v1/gonum/floats"
)

// NNGuide is the energy E(x) of the inlier logits times the mean similarity of the features to
// those of inliers, weighted by the energies of the inliers (Park et al., Nearest Neighbor Guidance
// for Out-of-Distribution Detection, ICCV 2023):
//
//	E(x) mean_{i in N(x)} E(x_i) x.x_i / (|x| |x_i|)
//
// N(x) are the K inliers with the largest E(x_i) x.x_i / |x_i|, among at most [MaxBank]. The search
// is exact. The paper searches a random hundredth of the training set. The energies of a detector
// can be negative; the score is then a product of two signs.
type NNGuide struct {
	K int // 0 means the paper's 10; at most the number of inliers
	head
	bank *bank
}

// Name is "nnguide".
func (*NNGuide) Name() string { return "nnguide" }

// Fit needs inliers with features, and logits or the class layer.
func (s *NNGuide) Fit(inliers Features, layer Layer) error {
	if err := s.head.Fit(inliers, layer); err != nil {
		return err
	}
	x, logits, err := s.both(s.Name(), inliers, 0)
	if err != nil {
		return err
	}
	s.bank = newBank(x,
		func(row int) float64 { return energy(logits.RawRowView(row), 1) * inverseLength(x.RawRowView(row)) },
		func(int) float64 { return 0 })
	return nil
}

// Score needs features, and logits or the class layer.
func (s *NNGuide) Score(rows Features) ([]float64, error) {
	if s.bank == nil {
		return nil, notFitted(s.Name())
	}
	x, logits, err := s.both(s.Name(), rows, s.bank.single.Cols)
	if err != nil {
		return nil, err
	}
	values := make([]float64, x.RawMatrix().Rows)
	s.bank.nearest(unit(x), cmp.Or(s.K, 10), func(row int, best []neighbour) {
		keys := make([]float64, len(best))
		for i, n := range best {
			keys[i] = n.key
		}
		values[row] = energy(logits.RawRowView(row), 1) * floats.Sum(keys) / float64(len(keys))
	})
	return values, nil
}
