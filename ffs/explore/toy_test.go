package explore

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distmv"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/outlier"
)

// TestToyFlowBeatsGaussians fits the flow for a short while: on points that it has not seen it must
// be a better density than the mixture of the classes' Gaussians, and its outliers must be less
// likely than the inliers.
func TestToyFlowBeatsGaussians(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 0))
	toy := &Toy{Classes: crescents(rng)}
	toy.Means, toy.Covariance = classGaussians(toy.Classes)
	flow, err := fitToyFlow(testkit.Backend(t), slices.Concat(toy.Classes...), 400, rng)
	if err != nil {
		t.Fatal(err)
	}
	toy.flow = flow
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
	outliers, err := toy.synthesize(testkit.Backend(t), outlier.Config{Method: outlier.MethodFlow, SampleFrom: 2000, Select: 10}, rng)
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
	toy.Means, toy.Covariance = classGaussians(toy.Classes)
	testkit.Close(t, "means", slices.Concat(toy.Means...), []float64{0, 0, 10, 5, -5, 0}, 1e-12)
	want := mat.NewSymDense(2, []float64{6. / 12, 0, 0, 24. / 12})
	testkit.Close(t, "covariance", toy.Covariance.RawSymmetric().Data, want.RawSymmetric().Data, 1e-12)
	toy.flow = &toyFlow{store: model.NewStore()}
	const each = 30
	outliers, err := toy.synthesize(testkit.Backend(t), outlier.Config{
		Method: outlier.MethodGaussian, SampleFrom: each * toyKept, Select: each, Queue: 4,
	}, rand.New(rand.NewPCG(1, 0)))
	if err != nil || len(outliers) != 3*each {
		t.Fatalf("%d outliers, %v; want %d", len(outliers), err, 3*each)
	}
	for _, p := range outliers {
		for _, mean := range toy.Means {
			dx, dy := p[0]-mean[0], p[1]-mean[1]
			// The least likely of 200 lie outside the ellipse that holds 98 % of their class.
			if d := dx*dx/(6./12) + dy*dy/(24./12); d < 7.8 && newNearestFinder(narrow(toy.Means)).distances(narrow([][]float64{p}), nil)[0] < 2 {
				t.Errorf("outlier %v has squared Mahalanobis distance %.1f from the class at %v", p, d, mean)
			}
		}
	}
}
