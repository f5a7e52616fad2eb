package explore

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distmv"

	"ffslab/ffs/internal/testkit"
)

// TestToyFlowBeatsGaussians fits the flow for a short while: on points that it has not seen it must be a better density than the mixture of the
// classes' Gaussians, and its outliers must be less likely than the inliers.
func TestToyFlowBeatsGaussians(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	toy := &Toy{Classes: crescents(rng)}
	g := fitGaussians(toy.Classes)
	toy.Means, toy.Covariance = g.means, g.covariance
	flow, err := fitToyFlow(testkit.Backend(t), slices.Concat(toy.Classes...), 400, rng)
	if err != nil {
		t.Fatal(err)
	}
	unseen := slices.Concat(crescents(rng)...)
	logP, err := flow.logP(unseen)
	if err != nil {
		t.Fatal(err)
	}
	var mixture []float64
	for _, p := range unseen {
		mixture = append(mixture, toyMixture(t, toy, p))
	}
	if ours, theirs := stat.Mean(logP, nil), stat.Mean(mixture, nil); ours < theirs+0.5 {
		t.Errorf("mean log-likelihood of unseen points: flow %.2f, Gaussians %.2f; want the flow at least 0.5 better", ours, theirs)
	}
	outliers, err := flow.leastLikely(2000, 10, rng)
	if err != nil {
		t.Fatal(err)
	}
	unlikely, err := flow.logP(outliers)
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(logP)
	if fifth := stat.Quantile(0.05, stat.Empirical, logP, nil); slices.Max(unlikely) > fifth {
		t.Errorf("an outlier has log-likelihood %.2f, more than 5 %% of the inliers have (%.2f)", slices.Max(unlikely), fifth)
	}
}

// toyMixture is the log-density of the classes' Gaussians, each of weight 1/3.
func toyMixture(t *testing.T, toy *Toy, p []float64) float64 {
	t.Helper()
	density := 0.0
	for _, mean := range toy.Means {
		normal, ok := distmv.NewNormal(mean, toy.Covariance, nil)
		if !ok {
			t.Fatal("the covariance is not positive definite")
		}
		density += normal.Prob(p) / float64(len(toy.Means))
	}
	return math.Log(density)
}

func TestToyGaussiansAreTheClasses(t *testing.T) {
	toy := &Toy{Classes: [][][]float64{
		{{-1, 0}, {1, 0}, {0, -2}, {0, 2}}, {{9, 5}, {11, 5}, {10, 3}, {10, 7}}, {{-6, 0}, {-4, 0}, {-5, -2}, {-5, 2}},
	}}
	g := fitGaussians(toy.Classes)
	toy.Means, toy.Covariance = g.means, g.covariance
	testkit.Close(t, "means", slices.Concat(toy.Means...), []float64{0, 0, 10, 5, -5, 0}, 1e-12)
	// Over 11, not 12: the estimate of gonum is unbiased for one mean.
	want := mat.NewSymDense(2, []float64{6. / 11, 0, 0, 24. / 11})
	testkit.Close(t, "covariance", toy.Covariance.RawSymmetric().Data, want.RawSymmetric().Data, 1e-12)
	outliers, err := toy.drawGaussians(gaussians{toy.Means, toy.Covariance}, rand.New(rand.NewPCG(1, 0)))
	if err != nil || len(outliers) != toyOutliers {
		t.Fatalf("%d outliers, %v; want %d", len(outliers), err, toyOutliers)
	}
	for _, p := range outliers {
		for _, mean := range toy.Means {
			dx, dy := p[0]-mean[0], p[1]-mean[1]
			// The least likely of 200 lie outside the ellipse that holds 98 % of their class.
			if d := dx*dx/(6./11) + dy*dy/(24./11); d < 7.8 && nearest(p, toy.Means, -1) < 2 {
				t.Errorf("outlier %v has squared Mahalanobis distance %.1f from the class at %v", p, d, mean)
			}
		}
	}
}
