package score

import (
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"ffslab/ffs/internal/registry"
	"ffslab/ffs/internal/testkit"
)

// made returns n rows of d features of so many classes, which the layer tells apart, and the layer
// with a background.
func made(rng *rand.Rand, n, d, classes int) (Features, Layer) {
	layer := Layer{W: mat.NewDense(classes+1, d, nil), B: make([]float64, classes+1)}
	for i := range layer.W.RawMatrix().Data {
		layer.W.RawMatrix().Data[i] = rng.NormFloat64()
	}
	f := Features{From: "made", X: mat.NewDense(n, d, nil), Classes: classes, Given: map[string][]float64{}}
	for i := range n {
		class := i % classes
		f.Labels = append(f.Labels, class)
		for j, w := range layer.W.RawRowView(class) {
			f.X.Set(i, j, math.Abs(w)+0.3*rng.ExpFloat64())
		}
	}
	for _, name := range []string{"weighted_energy", "logistic", "nll"} {
		for i := range n {
			f.Given[name] = append(f.Given[name], float64(i))
		}
	}
	return f, layer
}

// Whatever features are like, no score is NaN or infinite, and equal rows get equal scores.
func TestScoresAreFinite(t *testing.T) {
	for name, spoil := range map[string]func(f *Features, l *Layer){
		"as they are": func(*Features, *Layer) {},
		"all zero":    func(f *Features, _ *Layer) { f.X.Zero() },
		"all equal":   func(f *Features, _ *Layer) { f.X.Apply(func(_, j int, _ float64) float64 { return float64(j) }, f.X) },
		"huge":        func(f *Features, _ *Layer) { f.X.Scale(1e8, f.X) },
		"tiny":        func(f *Features, _ *Layer) { f.X.Scale(1e-12, f.X) },
		"negative":    func(f *Features, _ *Layer) { f.X.Scale(-1, f.X) },
		"balanced rows": func(f *Features, _ *Layer) {
			f.X.Apply(func(i, j int, v float64) float64 { return float64(j%2*2-1) * float64(i+1) }, f.X)
		},
		"layer of zeros": func(_ *Features, l *Layer) { l.W.Zero() },
		"equal classes":  func(_ *Features, l *Layer) { l.W.Apply(func(_, j int, _ float64) float64 { return float64(j) }, l.W) },
		"far apart":      func(_ *Features, l *Layer) { l.W.Scale(1e4, l.W) },
		"rank of one row": func(f *Features, _ *Layer) {
			f.X.Apply(func(i, j int, _ float64) float64 { return float64((i + 1) * (j + 1)) }, f.X)
		},
	} {
		for _, size := range [][3]int{{60, 8, 3}, {6, 20, 3}, {12, 1, 2}, {5, 3, 5}} {
			f, layer := made(rand.New(rand.NewPCG(1, 1)), size[0], size[1], size[2])
			spoil(&f, &layer)
			rows := f
			twice := mat.NewDense(2*size[0], size[1], nil)
			twice.Stack(f.X, f.X)
			rows.X, rows.Labels = twice, nil
			rows.Given = map[string][]float64{}
			for name, column := range f.Given {
				rows.Given[name] = slices.Concat(column, column)
			}
			for _, s := range newAll(t) {
				if err := s.Fit(f, layer); err != nil {
					t.Errorf("%s, %v, %s: %v", name, size, s.Name(), err)
					continue
				}
				values, err := s.Score(rows)
				if err != nil || len(values) != rows.Len() {
					t.Errorf("%s, %v, %s: %d values, error %v", name, size, s.Name(), len(values), err)
					continue
				}
				for i, v := range values {
					if math.IsNaN(v) || math.IsInf(v, 0) {
						t.Errorf("%s, %v, %s: row %d has %g", name, size, s.Name(), i, v)
						break
					}
				}
				if !slices.Equal(values[:size[0]], values[size[0]:]) {
					t.Errorf("%s, %v, %s: equal rows have different scores", name, size, s.Name())
				}
			}
		}
	}
}

func newAll(t *testing.T) []Scorer {
	var scorers []Scorer
	for _, name := range Names() {
		s, err := New(name)
		if err != nil {
			t.Fatal(err)
		}
		if s.Name() != name {
			t.Errorf("the scorer of %q calls itself %q", name, s.Name())
		}
		scorers = append(scorers, s)
	}
	return scorers
}

// Far rows score lower than inliers by every score that is fitted on features.
func TestDirection(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 2))
	inliers, layer := made(rng, 300, 16, 4)
	far := Features{X: mat.NewDense(300, 16, nil), Classes: 4}
	for i := range far.X.RawMatrix().Data {
		far.X.RawMatrix().Data[i] = 2 * rng.ExpFloat64()
	}
	for _, s := range []Scorer{&Mahalanobis{}, &RelativeMahalanobis{}, &KNN{}, &Cosine{}, &VMF{}, &ViM{}, &Residual{}, &KLMatching{}} {
		if err := s.Fit(inliers, layer); err != nil {
			t.Fatal(err)
		}
		in, err := s.Score(inliers)
		if err != nil {
			t.Fatal(err)
		}
		out, err := s.Score(far)
		if err != nil {
			t.Fatal(err)
		}
		higher := 0
		for i := range in {
			if in[i] > out[i] {
				higher++
			}
		}
		if higher < 170 {
			t.Errorf("%s: %d of 300 inliers score higher than a far row", s.Name(), higher)
		}
	}
}

// The background's logit and its row of the layer change no score.
func TestBackgroundIsLeftOut(t *testing.T) {
	inliers, rows, layer := reference(t, testkit.Golden(t, "testdata/scores.npz"), "plain")
	k, d := inliers.Classes, layer.W.RawMatrix().Cols
	for name := range inliersOnly {
		inliers.Given, rows.Given = map[string][]float64{name: make([]float64, inliers.Len())}, map[string][]float64{name: make([]float64, rows.Len())}
	}
	without := Layer{W: mat.DenseCopyOf(layer.W.Slice(0, k, 0, d)), B: layer.B[:k]}
	for _, name := range Names() {
		if inliersOnly[name] {
			continue
		}
		var values [2][]float64
		for i, layer := range []Layer{layer, without} {
			s, _ := New(name)
			if err := s.Fit(inliers, layer); err != nil {
				t.Fatal(err)
			}
			var err error
			if values[i], err = s.Score(rows); err != nil {
				t.Fatal(err)
			}
		}
		if !slices.Equal(values[0], values[1]) {
			t.Errorf("%s depends on the background", name)
		}
	}
}

var inliersOnly = map[string]bool{"weighted_energy": true, "logistic": true, "nll": true}

// Logits that come with the rows count, with or without the background's.
func TestLogitsOfRows(t *testing.T) {
	logits := mat.NewDense(2, 3, []float64{1, 2, 9, 0, 0, 9})
	for _, f := range []Features{{Logits: logits, Classes: 2}, {Logits: mat.DenseCopyOf(logits.Slice(0, 2, 0, 2)), Classes: 2}} {
		for s, want := range map[Scorer][]float64{
			&Energy{}:   {math.Log(math.E + math.E*math.E), math.Log(2)},
			&MSP{}:      {math.E / (1 + math.E), 0.5},
			&MaxLogit{}: {2, 0},
		} {
			got, err := s.Score(f)
			if err != nil {
				t.Fatal(err)
			}
			testkit.Close(t, s.Name(), got, want, 1e-15)
		}
	}
}

// What cannot be scored is one line that names the source and the row or the class.
func TestFaultsAreErrors(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	fresh := func() (Features, Layer) { return made(rng, 20, 4, 2) }
	for name, c := range map[string]struct {
		score         string
		inliers, rows func(f *Features, l *Layer)
		want          []string
	}{
		"NaN to fit on": {score: "knn", inliers: func(f *Features, _ *Layer) { f.X.Set(3, 2, math.NaN()) }, want: []string{"made", "row 3", "column 2", "NaN"}},
		"Inf to score":  {score: "mahalanobis", rows: func(f *Features, _ *Layer) { f.X.Set(7, 1, math.Inf(1)) }, want: []string{"made", "row 7", "column 1", "Inf"}},
		"NaN logit": {score: "energy", rows: func(f *Features, _ *Layer) {
			f.Logits = mat.NewDense(20, 3, nil)
			f.Logits.Set(19, 2, math.NaN())
		}, want: []string{"made", "logits", "row 19", "NaN"}},
		"other columns":           {score: "knn", rows: func(f *Features, _ *Layer) { f.X = mat.NewDense(20, 5, nil) }, want: []string{"made", "5 columns", "fitted on 4"}},
		"class without features":  {score: "mahalanobis", inliers: func(f *Features, _ *Layer) { f.Classes = 3; clear(f.Given) }, want: []string{"made", "class 2 of 3", "no features"}},
		"label beyond":            {score: "she", inliers: func(f *Features, _ *Layer) { f.Labels[4] = 2 }, want: []string{"made", "row 4", "class 2"}},
		"logits of other classes": {score: "msp", rows: func(f *Features, _ *Layer) { f.Logits = mat.NewDense(20, 5, nil) }, want: []string{"made", "5 columns", "2 classes"}},
		"rows apart":              {score: "nnguide", rows: func(f *Features, _ *Layer) { f.Logits = mat.NewDense(19, 2, nil) }, want: []string{"made", "19", "20"}},
		"layer apart":             {score: "react", inliers: func(_ *Features, l *Layer) { l.W = mat.NewDense(3, 7, nil) }, want: []string{"made", "4 columns", "7"}},
		"layer's bias":            {score: "vim", inliers: func(_ *Features, l *Layer) { l.B = l.B[:1] }, want: []string{"3 rows", "1 biases", "2 classes"}},
		"given, short":            {score: "nll", rows: func(f *Features, _ *Layer) { f.Given["nll"] = make([]float64, 3) }, want: []string{"made", "3 values of nll", "20"}},
	} {
		inliers, layer := fresh()
		rows, _ := fresh()
		if c.inliers != nil {
			c.inliers(&inliers, &layer)
		}
		if c.rows != nil {
			c.rows(&rows, &layer)
		}
		s, err := New(c.score)
		if err != nil {
			t.Fatal(err)
		}
		if err = s.Fit(inliers, layer); err == nil {
			_, err = s.Score(rows)
		}
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %q does not name %q", name, err, part)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %q has several lines", name, err)
		}
	}
}

// A score that a detector gives nothing for says so in a way that callers can tell from a fault.
func TestMissing(t *testing.T) {
	rows := Features{From: "a.json", Logits: mat.NewDense(3, 2, nil), Classes: 2}
	applies := map[string]bool{}
	for _, name := range Names() {
		s, _ := New(name)
		err := s.Fit(rows, Layer{})
		if err == nil {
			_, err = s.Score(rows)
		}
		switch {
		case err == nil:
			applies[name] = true
		case !errors.Is(err, ErrMissing) || !strings.Contains(err.Error(), "a.json"):
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"energy", "msp", "max_logit", "entropy", "gen", "kl_matching"} {
		if !applies[name] {
			t.Errorf("%s does not apply to logits alone", name)
		}
		delete(applies, name)
	}
	if len(applies) > 0 {
		t.Errorf("%v apply to logits alone", applies)
	}
}

type own struct{}

func (own) Name() string                           { return "own" }
func (own) Fit(Features, Layer) error              { return nil }
func (own) Score(rows Features) ([]float64, error) { return make([]float64, rows.Len()), nil }

func TestRegister(t *testing.T) {
	builtIn := scorers
	scorers = registry.New[func() Scorer]("score")
	defer func() { scorers = builtIn }()
	Register(func() Scorer { return &Energy{} })
	Register(func() Scorer { return own{} })
	if s, err := New("own"); err != nil || s != (own{}) {
		t.Errorf("New returns %v, %v", s, err)
	}
	if _, err := New("owm"); err == nil || !strings.Contains(err.Error(), `"owm"`) || !strings.Contains(err.Error(), "energy, own") {
		t.Errorf("an unknown score: %v", err)
	}
	defer func() {
		if fault, _ := recover().(string); !strings.Contains(fault, `"own"`) || strings.Count(fault, "score_test.go:") != 2 {
			t.Errorf("registered twice: %v", fault)
		}
	}()
	Register(func() Scorer { return own{} })
}
