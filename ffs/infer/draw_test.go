package infer

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distmv"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/outlier"
)

// The flow's draws are what the flow makes of the latents of that seed, in their order, and the
// outliers are the least likely.
func TestDrawByTheFlow(t *testing.T) {
	m := untrained(t)
	s, err := m.Draw(t.Context(), outlier.MethodFlow, 20, 1.5, 5)
	if err != nil {
		t.Fatal(err)
	}
	latents := m.Latents(20, 1.5, 5)
	features, nll, err := m.Decode(latents)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Close(t, "features", slices.Concat(s.Features...), slices.Concat(features...), 1e-5)
	testkit.Close(t, "latents", slices.Concat(s.Latents...), slices.Concat(latents...), 1e-4)
	testkit.Close(t, "NLL", s.NLL, nll, 1e-5)
	least, kept := math.Inf(1), 0
	marks := s.Outliers(3)
	for i, is := range marks {
		if is {
			least, kept = min(least, s.NLL[i]), kept+1
		}
	}
	for i, is := range marks {
		if !is && s.NLL[i] > least {
			t.Errorf("draw %d with NLL %v is left out, one with %v is kept", i, s.NLL[i], least)
		}
	}
	if kept != 3 || slices.Contains(s.Outliers(30), false) {
		t.Errorf("%d outliers, want 3; and all of 30: %v", kept, s.Outliers(30))
	}
	again, err := m.Draw(t.Context(), outlier.MethodFlow, 20, 1.5, 5)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.Features, again.Features); diff != "" {
		t.Errorf("the same seed draws other features:\n%s", diff)
	}
}

// shown are six inliers of two classes.
func shown(t *testing.T, m *Model) (features [][]float32, classes []int) {
	t.Helper()
	features, _, err := m.Decode(m.Latents(60, 1, 4))
	if err != nil {
		t.Fatal(err)
	}
	for i := range features {
		classes = append(classes, i%2)
	}
	return features, classes
}

// The Gaussians' draws come from the means and the one covariance (over n, with VOS's ridge) of the
// inliers that were shown, take turns by class, and leave no trace: the second draw is the first
// again, and the model's own variables stay.
func TestDrawByTheGaussians(t *testing.T) {
	m := untrained(t)
	features, classes := shown(t, m)
	if err := m.SetInliers(features, classes); err != nil {
		t.Fatal(err)
	}
	s, err := m.Draw(t.Context(), outlier.MethodGaussian, 41, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Features) != 41 || s.Class[0] != 0 || s.Class[1] != 1 || !s.OwnDensity || s.All {
		t.Fatalf("%d features, classes %v, %+v", len(s.Features), s.Class[:2], s)
	}
	dim := len(features[0])
	means := [2][]float64{make([]float64, dim), make([]float64, dim)}
	for i, f := range features {
		for j, v := range f {
			means[classes[i]][j] += float64(v) / 30
		}
	}
	centred := mat.NewDense(len(features), dim, nil)
	for i, f := range features {
		for j, v := range f {
			centred.Set(i, j, float64(v)-means[classes[i]][j])
		}
	}
	covariance := mat.NewSymDense(dim, nil)
	covariance.SymOuterK(1./60, centred.T())
	for i := range dim {
		covariance.SetSym(i, i, covariance.At(i, i)+1e-4)
	}
	for i, f := range s.Features {
		normal, ok := distmv.NewNormal(means[s.Class[i]], covariance, nil)
		if !ok {
			t.Fatal("the covariance is not positive definite")
		}
		wide := make([]float64, dim)
		for j, v := range f {
			wide[j] = float64(v)
		}
		testkit.Close(t, "NLL", s.NLL[i], -normal.LogProb(wide), 1e-5)
	}
	if perClass := s.Outliers(2); len(slices.DeleteFunc(perClass, func(is bool) bool { return !is })) != 4 {
		t.Error("two outliers of each of two classes are not four")
	}
	again, err := m.Draw(t.Context(), outlier.MethodGaussian, 41, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s.Features, again.Features); diff != "" {
		t.Errorf("a draw changes the next one:\n%s", diff)
	}
	for v := range m.store.IterVariables() {
		if strings.Contains(v.Path(), "outlier_queue") {
			t.Errorf("drawing left %s in the model", v.Path())
		}
	}
	for i := range classes {
		classes[i] = 0
	}
	if err := m.SetInliers(features, classes); err != nil {
		t.Fatal(err)
	}
	if _, err := m.Draw(t.Context(), outlier.MethodGaussian, 4, 1, 5); !errors.Is(err, ErrNotReady) || !strings.Contains(err.Error(), "[60 0]") {
		t.Errorf("a class without inliers: %v", err)
	}
}

// Langevin's features are less likely than those that it starts from, and their NLL is that of the
// flow; the golden values of the descent itself are package outlier's.
func TestDrawByLangevin(t *testing.T) {
	m := untrained(t)
	features, classes := shown(t, m)
	if err := m.SetInliers(features, classes); err != nil {
		t.Fatal(err)
	}
	s, err := m.Draw(t.Context(), outlier.MethodLangevin, 20, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.Features) != 20 || slices.Contains(s.Outliers(1), false) {
		t.Fatalf("%d features, outliers %v: want 20, all of them outliers", len(s.Features), s.Outliers(1))
	}
	start, err := m.Draw(t.Context(), outlier.MethodFlow, 20, 1, 5)
	if err != nil {
		t.Fatal(err)
	}
	_, encoded, err := m.Encode(s.Features)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Close(t, "NLL", s.NLL, encoded, 1e-4*math.Abs(encoded[0]))
	var before, after float64
	for i := range s.NLL {
		before, after = before+start.NLL[i]/20, after+s.NLL[i]/20
	}
	if !(after > before) {
		t.Errorf("mean NLL %v after the descent, %v before", after, before)
	}
}

func TestDrawRefuses(t *testing.T) {
	m := untrained(t)
	for want, err := range map[string]error{
		"no synthesiser is called \"flo\"; there are flow": second(m.Draw(t.Context(), "flo", 3, 1, 0)),
		"at least 1 is needed":                             second(m.Draw(t.Context(), "flow", 0, 1, 0)),
		"makes no outliers":                                second(m.Draw(t.Context(), "none", 3, 1, 0)),
		"temperature NaN: must be a finite number":         second(m.Draw(t.Context(), "flow", 3, math.NaN(), 0)),
		"temperature +Inf: must be a finite number":        second(m.Draw(t.Context(), "flow", 3, math.Inf(1), 0)),
		"temperature -1: must be a finite number":          second(m.Draw(t.Context(), "flow", 3, -1, 0)),
		"GiB are available: draw at most ":                 second(m.Draw(t.Context(), "flow", 1<<40, 1, 0)),
		`synthesiser "flow": returned features with `:      second(m.Draw(t.Context(), "flow", 3, 1e38, 0)),
		"as many of both":                                  m.SetInliers([][]float32{make([]float32, 16)}, nil),
		"row 0 is of class 2; the model has 2":             m.SetInliers([][]float32{make([]float32, 16)}, []int{2}),
		"row 0 has 3 numbers":                              m.SetInliers([][]float32{make([]float32, 3)}, []int{0}),
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
	}
}

// nan is a user's method, which returns NaN in the second sample, or panics.
type nan struct {
	outlier.Stateless
	panics, fails bool
}

func (nan) Count() int { return 3 }

func (n nan) Noise() []shapes.Shape {
	if n.panics {
		panic("boom")
	}
	return outlier.Normals(3, 16)
}

func (n nan) Synthesize(in outlier.Input) outlier.Output {
	if n.fails {
		panic("boom")
	}
	row := graph.Iota(in.Noise[0].Graph(), shapes.Make(dtypes.Float32, 3, 16), 0)
	return outlier.Output{Samples: graph.StopGradient(graph.Div(graph.SubScalar(row, 1), graph.SubScalar(row, 1)))} // 0/0
}

// What a registered synthesiser must not return is an error that names it.
func TestFaultsOfOwnSynthesisersNameThem(t *testing.T) {
	for name, s := range map[string]nan{"test_nan": {}, "test_panics": {panics: true}, "test_fails": {fails: true}} {
		outlier.Register(outlier.Method{Name: name, FromNoise: true, New: func(outlier.Config) (outlier.Synthesizer, error) { return s, nil }})
	}
	m := untrained(t)
	for method, want := range map[string]string{
		"test_nan":    `synthesiser "test_nan": returned features with NaN, the first in sample 1, at temperature 1`,
		"test_panics": `synthesiser "test_panics": boom`,
		"test_fails":  `synthesiser "test_fails": boom`,
	} {
		if _, err := m.Draw(t.Context(), method, 3, 1, 0); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
}
