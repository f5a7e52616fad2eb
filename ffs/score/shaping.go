package score

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// shapedEnergy returns the energies of the logits that the class layer computes from shaped
// features.
func shapedEnergy(name string, h *head, rows Features, shape func(row []float64)) ([]float64, error) {
	x, err := h.features(name, rows)
	if err != nil {
		return nil, err
	}
	shaped := mat.DenseCopyOf(x)
	for i := range shaped.RawMatrix().Rows {
		shape(shaped.RawRowView(i))
	}
	return each(h.apply(shaped), func(l []float64) float64 { return energy(l, 1) }), nil
}

// ReAct is the energy of the inlier logits W min(x, c) + b, that is with features clipped at c (Sun
// et al., ReAct: Out-of-distribution Detection With Rectified Activations, NeurIPS 2021). The clip
// c is the quantile Keep of all numbers in the features of the inliers, interpolated linearly.
type ReAct struct {
	Keep float64 // quantile at which features are clipped; 0 means the paper's 0.9
	head
	cut float64
}

// Name is "react".
func (*ReAct) Name() string { return "react" }

// Fit needs inliers with features, and the class layer.
func (s *ReAct) Fit(inliers Features, layer Layer) error {
	x, err := s.fitFeatures(s.Name(), inliers, layer)
	if err != nil {
		return err
	}
	s.cut = quantile(slices.Clone(packed(x)), cmp.Or(s.Keep, 0.9))
	return nil
}

// Score needs features.
func (s *ReAct) Score(rows Features) ([]float64, error) {
	return shapedEnergy(s.Name(), &s.head, rows, func(row []float64) {
		for j, v := range row {
			row[j] = min(v, s.cut)
		}
	})
}

// packed returns the elements of m, row by row.
func packed(m *mat.Dense) []float64 {
	raw := m.RawMatrix()
	if raw.Stride == raw.Cols {
		return raw.Data[:raw.Rows*raw.Cols]
	}
	return mat.DenseCopyOf(m).RawMatrix().Data
}

// quantile returns the p-quantile of the values, interpolated linearly between the values at floor
// and ceil of p (n-1), as NumPy does. (gonum's stat.LinInterp interpolates otherwise and needs
// sorted values; there may be a hundred million.) It reorders the values.
func quantile(values []float64, p float64) float64 {
	position := p * float64(len(values)-1)
	low := int(position)
	a := selectNth(values, low)
	if low+1 == len(values) {
		return a
	}
	b := slices.Min(values[low+1:])
	return a + (b-a)*(position-float64(low))
}

// selectNth reorders the values so that the n-th smallest is at index n, no larger value is before
// it and no smaller one after it. It returns the n-th smallest.
func selectNth(values []float64, n int) float64 {
	for low, high := 0, len(values)-1; low < high; {
		pivot := values[low+(high-low)/2]
		i, j := low, high
		for i <= j {
			for values[i] < pivot {
				i++
			}
			for values[j] > pivot {
				j--
			}
			if i <= j {
				values[i], values[j] = values[j], values[i]
				i++
				j--
			}
		}
		switch {
		case n <= j:
			high = j
		case n >= i:
			low = i
		default:
			return values[n]
		}
	}
	return values[n]
}

// largest returns the indices of the n - round(prune n) largest elements of a row of n, at least
// one. Of equal elements it takes the first ones. Halves are rounded to even.
func largest(row []float64, prune float64) []int {
	order := all(len(row))
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(row[j], row[i]) })
	return order[:max(1, len(row)-int(math.RoundToEven(prune*float64(len(row)))))]
}

// maxExponent keeps exp(s1/s2) finite if the elements kept sum to nearly 0.
const maxExponent = 100

// exponent returns the sum of the row divided by the sum of its kept elements, at most maxExponent;
// and 1 for a row of zeros.
func exponent(row []float64, kept []int) float64 {
	some := 0.0
	for _, j := range kept {
		some += row[j]
	}
	whole := floats.Sum(row)
	if whole == some { // 0/0, too
		return 1
	}
	ratio := whole / some
	if math.IsNaN(ratio) {
		return 1
	}
	return min(ratio, maxExponent)
}

// keep sets all elements of the row to 0 except those at the kept indices.
func keep(row []float64, kept []int) {
	old := slices.Clone(row)
	clear(row)
	for _, j := range kept {
		row[j] = old[j]
	}
}

// ASHP is the energy of the inlier logits of features of which all but the largest are set to 0
// (Djurisic et al., Extremely Simple Activation Shaping for Out-of-Distribution Detection, ICLR
// 2023: ASH-P). It is meant for features that are not negative. It fits nothing.
type ASHP struct {
	Prune float64 // share of features set to 0; 0 means the paper's 0.6
	head
}

// Name is "ash_p".
func (*ASHP) Name() string { return "ash_p" }

// Score needs features and the class layer.
func (s *ASHP) Score(rows Features) ([]float64, error) {
	return shapedEnergy(s.Name(), &s.head, rows, func(row []float64) { keep(row, largest(row, cmp.Or(s.Prune, 0.6))) })
}

// ASHS is [ASHP] with the kept features multiplied by exp(s1 / s2), the sums before and after
// pruning (the same paper: ASH-S). The exponent is at most 100.
type ASHS struct {
	Prune float64 // share of features set to 0; 0 means the paper's 0.9
	head
}

// Name is "ash_s".
func (*ASHS) Name() string { return "ash_s" }

// Score needs features and the class layer.
func (s *ASHS) Score(rows Features) ([]float64, error) {
	return shapedEnergy(s.Name(), &s.head, rows, func(row []float64) {
		kept := largest(row, cmp.Or(s.Prune, 0.9))
		e := exponent(row, kept)
		keep(row, kept)
		floats.Scale(math.Exp(e), row)
	})
}

// SCALE is the energy of the inlier logits of the features times exp(s1 / s2), where s1 is the sum
// of all features and s2 that without the share Prune of the smallest (Xu et al., Scaling for
// Training Time and Post-hoc Out-of-distribution Detection Enhancement, ICLR 2024). The exponent is
// at most 100. It is meant for features that are not negative. It fits nothing.
type SCALE struct {
	Prune float64 // 0 means the paper's 0.85
	head
}

// Name is "scale".
func (*SCALE) Name() string { return "scale" }

// Score needs features and the class layer.
func (s *SCALE) Score(rows Features) ([]float64, error) {
	return shapedEnergy(s.Name(), &s.head, rows, func(row []float64) {
		floats.Scale(math.Exp(exponent(row, largest(row, cmp.Or(s.Prune, 0.85)))), row)
	})
}
