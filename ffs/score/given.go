package score

import "slices"

// Given is a score that the detector computes itself: the column of that name in [Features.Given].
// FFS (Kumar et al., CVPR 2023) and VOS (Du et al., ICLR 2022) have
//
//   - "weighted_energy": log sum_k max(w_k, 0) exp(l_k), with the weights that training learned;
//   - "logistic": the probability 1 / (1 + exp(-(a e + b))) of the logistic layer on that energy,
//     which ranks as weighted_energy does;
//   - "nll": the log-likelihood of the box features under the flow, that is -NLL.
//
// Nothing is fitted. For rows without the column, Score returns an error that wraps [ErrMissing].
type Given string

// Name returns the name of the column.
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
