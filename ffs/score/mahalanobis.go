package score

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// Mahalanobis is the negative half of the squared distance from the nearest class mean, under the
// scatter that the classes share (Lee et al., A Simple Unified Framework for Detecting
// Out-of-Distribution Samples and Adversarial Attacks, NeurIPS 2018):
//
//	-1/2 min_c (x - mu_c)^T S^-1 (x - mu_c)
//	S = sum_c sum_{i in c} (x_i - mu_c)(x_i - mu_c)^T + 1e-6 I
//
// As in pytorch-ood, S is not divided by the number of rows, which scales all scores by the same
// factor. The ridge 1e-6 makes S invertible even if columns are constant, depend on each other or
// outnumber the rows. A direction in which the inliers never vary has the weight 1e6: leave such
// columns out.
type Mahalanobis struct {
	space   whitening
	centers *mat.Dense // [K, d], whitened means
}

// Name is "mahalanobis".
func (*Mahalanobis) Name() string { return "mahalanobis" }

// Fit needs inliers with features and classes. A class without features is an error.
func (s *Mahalanobis) Fit(inliers Features, _ Layer) error { return s.fit(s.Name(), inliers) }

func (s *Mahalanobis) fit(name string, inliers Features) error {
	x, err := inliers.features(name, 0)
	if err != nil {
		return err
	}
	classes, err := inliers.byClass(name)
	if err != nil {
		return err
	}
	_, d := x.Dims()
	means := mat.NewDense(len(classes), d, nil)
	for c, rows := range classes {
		means.SetRow(c, mean(x, rows))
	}
	s.space = whiten(x, func(i int) []float64 { return means.RawRowView(inliers.Labels[i]) })
	s.centers = s.space.apply(means)
	return nil
}

// Score needs features.
func (s *Mahalanobis) Score(rows Features) ([]float64, error) {
	distances, err := s.distances(s.Name(), rows)
	floats.Scale(-0.5, distances)
	return distances, err
}

// distances returns the squared distances from the nearest class.
func (s *Mahalanobis) distances(name string, rows Features) ([]float64, error) {
	if s.centers == nil {
		return nil, notFitted(name)
	}
	x, err := rows.features(name, s.centers.RawMatrix().Cols)
	if err != nil {
		return nil, err
	}
	return each(s.space.apply(x), func(row []float64) float64 {
		nearest := math.Inf(1)
		for c := range s.centers.RawMatrix().Rows {
			nearest = min(nearest, squaredDistance(row, s.centers.RawRowView(c)))
		}
		return nearest
	}), nil
}

func squaredDistance(a, b []float64) float64 {
	sum := 0.0
	for i, v := range a {
		sum += (v - b[i]) * (v - b[i])
	}
	return sum
}

// RelativeMahalanobis is the squared distance from the mean of all inliers minus the squared
// distance from the nearest class (Ren et al., A Simple Fix to Mahalanobis Distance for Improving
// Near-OOD Detection, 2021):
//
//	(x - mu)^T S_0^-1 (x - mu) - min_c (x - mu_c)^T S^-1 (x - mu_c)
//
// S and its ridge are those of [Mahalanobis]; S_0 is the scatter around the mean mu of all inliers.
type RelativeMahalanobis struct {
	classes Mahalanobis
	space   whitening
	center  []float64 // whitened
}

// Name is "relative_mahalanobis".
func (*RelativeMahalanobis) Name() string { return "relative_mahalanobis" }

// Fit needs inliers with features and classes. A class without features is an error.
func (s *RelativeMahalanobis) Fit(inliers Features, _ Layer) error {
	if err := s.classes.fit(s.Name(), inliers); err != nil {
		return err
	}
	n, d := inliers.X.Dims()
	center := mean(inliers.X, all(n))
	s.space = whiten(inliers.X, func(int) []float64 { return center })
	s.center = s.space.apply(mat.NewDense(1, d, center)).RawRowView(0)
	return nil
}

// Score needs features.
func (s *RelativeMahalanobis) Score(rows Features) ([]float64, error) {
	distances, err := s.classes.distances(s.Name(), rows)
	if err != nil {
		return nil, err
	}
	whitened := s.space.apply(rows.X)
	for i := range distances {
		distances[i] = squaredDistance(whitened.RawRowView(i), s.center) - distances[i]
	}
	return distances, nil
}
