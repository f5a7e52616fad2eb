package score

import "slices"

// Given is the score of that name in [Features.Given]: one that the detector computes itself. Of FFS (Kumar et al., CVPR 2023) and VOS (Du et
// al., ICLR 2022) these are
//
//   - "weighted_energy": log sum_k max(w_k, 0) exp(l_k), with the weights that training learned;
//   - "logistic": the inlier probability of the logistic layer behind it, 1 / (1 + exp(-(a e + b))): it ranks as weighted_energy does;
//   - "nll": the log-likelihood of the box features under the flow, which is -NLL.
//
// Nothing is fitted. Rows without that column are [ErrMissing].
type Given string

// Name returns the column's.
func (g Given) Name() string { return string(g) }

// Fit does nothing.
func (g Given) Fit(Features, Layer) error { return nil }

// Score returns a copy of the column.
func (g Given) Score(rows Features) ([]float64, error) {
	column, ok := rows.Given[string(g)]
	if !ok {
		return nil, missing(string(g), "column of that name", rows.From)
	}
	if err := rows.Check(); err != nil {
		return nil, err
	}
	return slices.Clone(column), nil
}
