package score

import (
	"cmp"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// KNN is the negative distance from the k-th nearest inlier after features are scaled to length 1
// (Sun et al., Out-of-Distribution Detection with Deep Nearest Neighbors, ICML 2022):
//
//	-|| x/|x| - x_(k)/|x_(k)| ||
//
// The search is exact, among at most [MaxBank] inliers. A row of zeros keeps length 0.
type KNN struct {
	K    int // 0 means the paper's 50; at most the number of inliers
	bank *bank
}

// Name is "knn".
func (*KNN) Name() string { return "knn" }

// Fit needs inliers with features.
func (s *KNN) Fit(inliers Features, _ Layer) error {
	x, err := inliers.features(s.Name(), 0)
	if err != nil {
		return err
	}
	// |q - b|^2 = |q|^2 - 2 (q.b - |b|^2 / 2): the nearest b has the largest q.b - |b|^2 / 2.
	s.bank = newBank(x,
		func(row int) float64 { return inverseLength(x.RawRowView(row)) },
		func(row int) float64 {
			length := floats.Norm(x.RawRowView(row), 2) * inverseLength(x.RawRowView(row))
			return -length * length / 2
		})
	return nil
}

// inverseLength returns 1/|x|, but 1e12 if |x| is less than 1e-12, as pytorch-ood does.
func inverseLength(x []float64) float64 { return 1 / max(floats.Norm(x, 2), 1e-12) }

// unit returns the rows of x scaled to length 1.
func unit(x *mat.Dense) *mat.Dense {
	u := mat.DenseCopyOf(x)
	for i := range u.RawMatrix().Rows {
		floats.Scale(inverseLength(x.RawRowView(i)), u.RawRowView(i))
	}
	return u
}

// Score needs features.
func (s *KNN) Score(rows Features) ([]float64, error) {
	if s.bank == nil {
		return nil, notFitted(s.Name())
	}
	x, err := rows.features(s.Name(), s.bank.single.Cols)
	if err != nil {
		return nil, err
	}
	queries := unit(x)
	values := make([]float64, x.RawMatrix().Rows)
	s.bank.nearest(queries, cmp.Or(s.K, 50), func(row int, best []neighbour) {
		// Subtract the vectors: the difference of squares above is 1e-8, not 0, for equal ones.
		farthest := 0.0
		for _, n := range best {
			b, sum := s.bank.scale[n.index], 0.0
			for j, v := range s.bank.x.RawRowView(s.bank.rows[n.index]) {
				difference := queries.At(row, j) - b*v
				sum += difference * difference
			}
			farthest = max(farthest, sum)
		}
		values[row] = 0 - math.Sqrt(farthest) // not -0
	})
	return values, nil
}
