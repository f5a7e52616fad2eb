package score

import (
	"cmp"
	"math"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// ViM is the energy of the inlier logits minus a virtual logit, which grows with the part of the
// features outside the principal space of the inliers (Wang et al., ViM: Out-of-Distribution with
// Virtual-logit Matching, CVPR 2022):
//
//	log sum_k exp(l_k) - alpha |R^T (x - o)|
//
// The origin o = -W^+ b is where all logits are 0. The columns of R are the eigenvectors of mean_i
// (x_i - o)(x_i - o)^T without those of the Dim largest eigenvalues, and
//
//	alpha = |mean_i max_k l_ik| / mean_i |R^T (x_i - o)|
//
// The absolute value is ours: the paper's classifiers have positive logits, but the inlier logits
// of a detector may be negative. If the inliers lie in the principal space, the denominator is
// 1e-12 mean_i |x_i - o|.
type ViM struct {
	Dim int // of the principal space; 0 means the paper's: 1000 if d >= 2048, 512 if d >= 768, else d/2
	head
	residual residual
	alpha    float64
}

// Name is "vim".
func (*ViM) Name() string { return "vim" }

// Fit needs inliers with features, and the class layer.
func (s *ViM) Fit(inliers Features, layer Layer) error {
	x, err := s.fitFeatures(s.Name(), inliers, layer)
	if err != nil {
		return err
	}
	s.residual = newResidual(x, &s.head, s.Dim)
	lengths := s.residual.lengths(x)
	n := float64(len(lengths))
	outside := floats.Sum(lengths) / n
	whole := floats.Sum(each(x, func(row []float64) float64 { return floats.Distance(row, s.residual.origin, 2) })) / n
	if whole > 0 {
		s.alpha = math.Abs(floats.Sum(each(s.apply(x), floats.Max))/n) / max(outside, 1e-12*whole)
	}
	return nil
}

// Score needs features.
func (s *ViM) Score(rows Features) ([]float64, error) {
	x, err := s.features(s.Name(), rows)
	if err != nil {
		return nil, err
	}
	values := each(s.apply(x), func(l []float64) float64 { return energy(l, 1) })
	floats.AddScaled(values, -s.alpha, s.residual.lengths(x))
	return values, nil
}

// Residual is the virtual logit of [ViM] alone, -|R^T (x - o)|, which that paper proposes too.
type Residual struct {
	Dim int // as in ViM
	head
	residual residual
}

// Name is "residual".
func (*Residual) Name() string { return "residual" }

// Fit needs inliers with features, and the class layer.
func (s *Residual) Fit(inliers Features, layer Layer) error {
	x, err := s.fitFeatures(s.Name(), inliers, layer)
	if err != nil {
		return err
	}
	s.residual = newResidual(x, &s.head, s.Dim)
	return nil
}

// Score needs features.
func (s *Residual) Score(rows Features) ([]float64, error) {
	x, err := s.features(s.Name(), rows)
	if err != nil {
		return nil, err
	}
	values := s.residual.lengths(x)
	floats.Scale(-1, values)
	return values, nil
}

// residual is the space outside the principal space.
type residual struct {
	origin []float64
	axes   *mat.Dense // [d, d - dim]
}

func newResidual(x *mat.Dense, h *head, dim int) residual {
	n, d := x.Dims()
	standard := d / 2
	switch {
	case d >= 2048:
		standard = 1000
	case d >= 768:
		standard = 512
	}
	dim = cmp.Or(dim, standard)
	if dim >= d {
		dim = d / 2
	}
	r := residual{origin: origin(h)}
	moments := mat.NewSymDense(d, nil)
	moments.SymRankK(moments, 1/float64(n), r.centred(x).T())
	var eigen mat.EigenSym
	eigen.Factorize(moments, true) // eigenvalues ascend
	var vectors mat.Dense
	eigen.VectorsTo(&vectors)
	r.axes = mat.DenseCopyOf(vectors.Slice(0, d, 0, d-dim))
	return r
}

// origin returns -W^+ b, without the singular values of W that are lost in rounding.
func origin(h *head) []float64 {
	var svd mat.SVD
	k, d := h.w.Dims()
	o := make([]float64, d)
	if !svd.Factorize(h.w, mat.SVDThin) {
		return o
	}
	values := svd.Values(nil)
	var u, v mat.Dense
	svd.UTo(&u)
	svd.VTo(&v)
	cut := values[0] * float64(max(k, d)) * 0x1p-52 // as PyTorch and NumPy choose
	for j, value := range values {
		if value <= cut {
			continue
		}
		along := 0.0
		for i, b := range h.b {
			along += u.At(i, j) * b
		}
		for i := range o {
			o[i] -= v.At(i, j) * along / value
		}
	}
	return o
}

func (r residual) centred(x *mat.Dense) *mat.Dense {
	c := mat.DenseCopyOf(x)
	for i := range c.RawMatrix().Rows {
		floats.Sub(c.RawRowView(i), r.origin)
	}
	return c
}

func (r residual) lengths(x *mat.Dense) []float64 {
	var outside mat.Dense
	outside.Mul(r.centred(x), r.axes)
	return each(&outside, func(row []float64) float64 { return floats.Norm(row, 2) })
}
