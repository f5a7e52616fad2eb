package explore

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distmv"
)

// gaussians are VOS's model of the inliers: a Gaussian for each class, with one covariance for all.
type gaussians struct {
	means      [][]float64
	covariance *mat.SymDense
}

// fitGaussians estimates the class means, and the covariance around them, of classes [K][any][dim]. Classes without a point are left out.
func fitGaussians(classes [][][]float64) gaussians {
	var g gaussians
	var centred []float64
	for _, class := range classes {
		if len(class) == 0 {
			continue
		}
		centre := mean(class)
		g.means = append(g.means, centre)
		for _, p := range class {
			for j, v := range p {
				centred = append(centred, v-centre[j])
			}
		}
	}
	dim := len(g.means[0])
	g.covariance = mat.NewSymDense(dim, nil)
	stat.CovarianceMatrix(g.covariance, mat.NewDense(len(centred)/dim, dim, centred), nil)
	return g
}

// widened adds to the variance in every direction, so that there is a density where the points do not fill the space (VOS adds 1e-4).
func (g gaussians) widened(by float64) gaussians {
	covariance := mat.NewSymDense(g.covariance.SymmetricDim(), nil)
	covariance.CopySym(g.covariance)
	for i := range covariance.SymmetricDim() {
		covariance.SetSym(i, i, covariance.At(i, i)+by)
	}
	return gaussians{g.means, covariance}
}

// normals are the Gaussians of the classes, which draw from rng.
func (g gaussians) normals(rng *rand.Rand) ([]*distmv.Normal, error) {
	var normals []*distmv.Normal
	for _, mean := range g.means {
		normal, ok := distmv.NewNormal(mean, g.covariance, rng)
		if !ok {
			return nil, errors.New("the points of the classes do not fill the space: their covariance has no inverse")
		}
		normals = append(normals, normal)
	}
	return normals, nil
}

// draw returns n draws of each class in turn, with their NLL under their own class's Gaussian.
func (g gaussians) draw(n int, rng *rand.Rand) (points [][]float64, nll []float64, err error) {
	normals, err := g.normals(rng)
	for _, normal := range normals {
		for range n {
			p := normal.Rand(nil)
			points, nll = append(points, p), append(nll, -normal.LogProb(p))
		}
	}
	return points, nll, err
}

// byClass sorts the features [n][dim] by their class.
func byClass(f *Features) [][][]float64 {
	members := make([][][]float64, len(f.Classes))
	for i, row := range widen(f.Rows) {
		members[f.Class[i]] = append(members[f.Class[i]], row)
	}
	return members
}

// leastLikely returns the k points of the highest NLL, the earlier first among equals.
func leastLikely(points [][]float64, nll []float64, k int) [][]float64 {
	order := make([]int, len(points))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(nll[b], nll[a]) })
	var kept [][]float64
	for _, i := range order[:min(k, len(order))] {
		kept = append(kept, points[i])
	}
	return kept
}
