package score

import (
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// FeatureNorm is the L2 norm |x|_2 of the features (Dhamija et al., Reducing Network Agnostophobia,
// NeurIPS 2018). It fits nothing.
type FeatureNorm struct{}

// Name is "feature_norm".
func (*FeatureNorm) Name() string { return "feature_norm" }

// Fit does nothing.
func (*FeatureNorm) Fit(Features, Layer) error { return nil }

// Score needs features.
func (s *FeatureNorm) Score(rows Features) ([]float64, error) {
	x, err := rows.features(s.Name(), 0)
	if err != nil {
		return nil, err
	}
	return each(x, func(row []float64) float64 { return floats.Norm(row, 2) }), nil
}

// Cosine is the largest cosine between the features and the mean direction of a class:
//
//	max_c x.m_c / (|x| |m_c|)
//
// with m_c the mean of x_i/|x_i| over class c. (Techapanurak et al., Hyperparameter-Free
// Out-of-Distribution Detection Using Cosine Similarity, ACCV 2020, use learned weights in place of
// the means.) A row of zeros has the cosine 0.
type Cosine struct{ directions *mat.Dense }

// Name is "cosine".
func (*Cosine) Name() string { return "cosine" }

// Fit needs inliers with features and classes. A class without features is an error.
func (s *Cosine) Fit(inliers Features, _ Layer) (err error) {
	s.directions, _, err = classDirections(s.Name(), inliers)
	return err
}

// classDirections returns the mean directions of the classes, scaled to length 1, and the lengths
// of the means, between 0 and 1.
func classDirections(name string, inliers Features) (*mat.Dense, []float64, error) {
	x, err := inliers.features(name, 0)
	if err != nil {
		return nil, nil, err
	}
	classes, err := inliers.byClass(name)
	if err != nil {
		return nil, nil, err
	}
	u := unit(x)
	means, lengths := mat.NewDense(len(classes), x.RawMatrix().Cols, nil), make([]float64, len(classes))
	for c, rows := range classes {
		m := mean(u, rows)
		means.SetRow(c, m)
		lengths[c] = floats.Norm(m, 2)
	}
	return unit(means), lengths, nil
}

// Score needs features.
func (s *Cosine) Score(rows Features) ([]float64, error) {
	cosines, err := classCosines(s.Name(), s.directions, rows)
	if err != nil {
		return nil, err
	}
	return each(cosines, floats.Max), nil
}

// classCosines returns the cosines [n, K] between the rows and the directions.
func classCosines(name string, directions *mat.Dense, rows Features) (*mat.Dense, error) {
	if directions == nil {
		return nil, notFitted(name)
	}
	x, err := rows.features(name, directions.RawMatrix().Cols)
	if err != nil {
		return nil, err
	}
	var cosines mat.Dense
	cosines.Mul(unit(x), directions.T())
	return &cosines, nil
}

// VMF is the largest log-density of the feature direction u = x/|x| under the von Mises-Fisher
// distributions of the classes (Du et al., SIREN: Shaping Representations for Detecting
// Out-of-Distribution Objects, NeurIPS 2022, which learns them in training):
//
//	max_c log Z_d(kappa_c) + kappa_c m_c.u
//
// m_c is the mean direction of the class. kappa_c = R (d - R^2) / (1 - R^2) is its concentration,
// where R is the length of the mean of its directions (Banerjee et al., JMLR 2005), at most 1 -
// 1e-4, which a class with one member reaches. Z_d(kappa) normalises the density. If all classes
// are equally concentrated, VMF ranks as [Cosine] does.
type VMF struct {
	directions   *mat.Dense
	kappas, logs []float64 // concentrations, log Z_d(kappa)
}

// Name is "vmf".
func (*VMF) Name() string { return "vmf" }

// Fit needs inliers with features and classes. A class without features is an error.
func (s *VMF) Fit(inliers Features, _ Layer) error {
	directions, lengths, err := classDirections(s.Name(), inliers)
	if err != nil {
		return err
	}
	s.directions, s.kappas, s.logs = directions, nil, nil
	d := float64(directions.RawMatrix().Cols)
	for _, r := range lengths {
		r = min(r, 1-1e-4)
		kappa := r * (d - r*r) / (1 - r*r)
		s.kappas = append(s.kappas, kappa)
		s.logs = append(s.logs, logNormaliser(d, kappa))
	}
	return nil
}

// logNormaliser returns log Z_d(kappa) = (d/2 - 1) log kappa - (d/2) log 2 pi - log
// I_{d/2-1}(kappa), and for kappa = 0 that of the uniform density.
func logNormaliser(d, kappa float64) float64 {
	order := d/2 - 1
	if kappa < 1e-8 {
		surface, _ := math.Lgamma(d / 2)
		return surface - math.Log(2) - d/2*math.Log(math.Pi)
	}
	return order*math.Log(kappa) - d/2*math.Log(2*math.Pi) - logBesselI(order, kappa)
}

// logBesselI returns the logarithm of the modified Bessel function I_v(x) for v >= -1/2 and x > 0.
// It sums the power series, whose terms are all positive:
//
//	I_v(x) = sum_m (x/2)^(2m+v) / (m! Gamma(m+v+1))
//
// The terms are largest where m (m + v) = x^2 / 4; the sum starts there and goes both ways.
func logBesselI(v, x float64) float64 {
	quarter := x * x / 4
	top := math.Floor((math.Sqrt(v*v+4*quarter) - v) / 2)
	factorial, _ := math.Lgamma(top + 1)
	gamma, _ := math.Lgamma(top + v + 1)
	largest := (2*top+v)*math.Log(x/2) - factorial - gamma
	sum := 1.0
	for term, m := 1.0, top+1; term > 1e-17*sum; m++ {
		term *= quarter / (m * (m + v))
		sum += term
	}
	for term, m := 1.0, top; m > 0 && term > 1e-17*sum; m-- {
		term *= m * (m + v) / quarter
		sum += term
	}
	return largest + math.Log(sum)
}

// Score needs features.
func (s *VMF) Score(rows Features) ([]float64, error) {
	cosines, err := classCosines(s.Name(), s.directions, rows)
	if err != nil {
		return nil, err
	}
	return each(cosines, func(row []float64) float64 {
		best := math.Inf(-1)
		for c, cosine := range row {
			best = max(best, s.logs[c]+s.kappas[c]*cosine)
		}
		return best
	}), nil
}
