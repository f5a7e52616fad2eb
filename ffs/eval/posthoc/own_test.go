package posthoc

import (
	"math"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"ffslab/ffs/eval"
	"ffslab/ffs/score"
)

// own is a score of a user.
type own struct {
	name   string
	fit    func() error
	values func(n int) []float64
}

func (o own) Name() string { return o.name }

func (o own) Fit(score.Features, score.Layer) error {
	if o.fit != nil {
		return o.fit()
	}
	return nil
}

func (o own) Score(rows score.Features) ([]float64, error) { return o.values(rows.Len()), nil }

// A registered score that panics, or returns what it must not, is an error that names it.
func TestFaultsOfOwnScoresAreErrors(t *testing.T) {
	three := func(int) []float64 { return make([]float64, 3) }
	for want, s := range map[string]own{
		`score "few": returned 3 values for 4 rows, want one for each`: {name: "few", values: three},
		`score "none": returned 0 values for 4 rows`:                   {name: "none", values: func(int) []float64 { return nil }},
		`score "many": returned 5 values for 4 rows`:                   {name: "many", values: func(n int) []float64 { return make([]float64, n+1) }},
		`score "nan": returned NaN for row 3, want a finite number`:    {name: "nan", values: func(int) []float64 { return []float64{0, 1, 2, math.NaN()} }},
		`score "panics": boom`:                                         {name: "panics", values: func(int) []float64 { panic("boom") }},
		`score "index": runtime error: index out of range [4]`:         {name: "index", values: func(n int) []float64 { return []float64{make([]float64, n)[n]} }},
	} {
		score.Register(func() score.Scorer { return s })
		fitted, err := Fit([]string{s.name}, score.Features{}, score.Layer{})
		if err != nil {
			t.Fatal(err)
		}
		err = fitted.Score(make([]eval.Detection, 4), score.Features{X: mat.NewDense(4, 1, nil)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}

	score.Register(func() score.Scorer { return own{name: "unfit", fit: func() error { panic("boom") }} })
	fitted, err := Fit([]string{"unfit"}, score.Features{}, score.Layer{})
	if err != nil || fitted.NotMeasured["unfit"] != "boom" {
		t.Errorf("a panic of Fit: %v, error %v", fitted, err)
	}
	calls := 0
	score.Register(func() score.Scorer {
		if calls++; calls > 1 {
			return nil
		}
		return own{name: "nil"}
	})
	if _, err := Resolve([]string{"nil"}); err == nil || !strings.HasPrefix(err.Error(), `score "nil": the registered function returned nil`) {
		t.Errorf("a nil score: %v", err)
	}
}
