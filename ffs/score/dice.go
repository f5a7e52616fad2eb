package score

import (
	"cmp"
	"slices"

	"gonum.org/v1/gonum/mat"
)

// DICE is the energy of the inlier logits computed with only the weights that contribute most (Sun
// and Li, DICE: Leveraging Sparsification for Out-of-Distribution Detection, ECCV 2022). It keeps
// the elements W_kj of the class layer whose contribution W_kj mean_i x_ij exceeds the quantile
// Sparsity of all contributions. It keeps all biases.
type DICE struct {
	Sparsity float64 // share of weights dropped; 0 means the paper's 0.9
	head
}

// Name is "dice".
func (*DICE) Name() string { return "dice" }

// Fit needs inliers with features, and the class layer.
func (s *DICE) Fit(inliers Features, layer Layer) error {
	x, err := s.fitFeatures(s.Name(), inliers, layer)
	if err != nil {
		return err
	}
	activation := mean(x, all(x.RawMatrix().Rows))
	contribution := mat.DenseCopyOf(s.w)
	contribution.Apply(func(_, j int, w float64) float64 { return w * activation[j] }, s.w)
	cut := quantile(slices.Clone(packed(contribution)), cmp.Or(s.Sparsity, 0.9))
	sparse := mat.DenseCopyOf(s.w)
	sparse.Apply(func(k, j int, w float64) float64 {
		if contribution.At(k, j) > cut {
			return w
		}
		return 0
	}, sparse)
	s.w = sparse
	return nil
}

// Score needs features.
func (s *DICE) Score(rows Features) ([]float64, error) {
	return shapedEnergy(s.Name(), &s.head, rows, func([]float64) {})
}
