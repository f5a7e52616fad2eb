package score

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// The search finds what a look at every pair in float64 finds, also among many equal and nearly
// equal vectors, and of sizes beside those of the tiles.
func TestNearest(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	for name, value := range map[string]func(i, j int) float64{
		"random":       func(_, _ int) float64 { return rng.NormFloat64() },
		"large":        func(_, _ int) float64 { return 1e38 * rng.NormFloat64() }, // products exceed float32
		"zeros":        func(_, _ int) float64 { return 0 },
		"equal":        func(_, j int) float64 { return float64(j + 1) },
		"in float32":   func(i, j int) float64 { return float64(j+1) + 1e-9*float64(i%1000) },
		"many of each": func(i, j int) float64 { return float64((i%7+1)*(j+1)%5) + 1 },
	} {
		const size, queries, d, k = 50*bankTile + 7, 2*queryBlock + 3, 6, 20
		x, q := mat.NewDense(size, d, nil), mat.NewDense(queries, d, nil)
		x.Apply(func(i, j int, _ float64) float64 { return value(i, j) }, x)
		q.Apply(func(i, j int, _ float64) float64 { return value(i, j) }, q)
		offset := func(row int) float64 { return -float64(row%3) / 10 }
		b := newBank(x, func(int) float64 { return 2 }, offset)
		found := make([][]neighbour, queries)
		b.nearest(q, k, func(row int, best []neighbour) { found[row] = best })
		for row := range queries {
			var want []float64
			for i := range size {
				want = append(want, 2*floats.Dot(q.RawRowView(row), x.RawRowView(i))+offset(i))
			}
			slices.Sort(want)
			slices.Reverse(want)
			for i, n := range found[row] {
				if n.key != want[i] {
					t.Fatalf("%s: query %d: the best but %d is %v, want %v", name, row, i, n.key, want[i])
				}
			}
			if len(found[row]) != k {
				t.Fatalf("%s: query %d: %d found, want %d", name, row, len(found[row]), k)
			}
		}
	}
}

// The distance of a row from itself is 0, not what is left of a difference of squares.
func TestKNNOfEqualRows(t *testing.T) {
	x := mat.NewDense(3, 2, []float64{1, 3, 1, 3, 2, 6})
	s := &KNN{K: 3}
	if err := s.Fit(Features{X: x}, Layer{}); err != nil {
		t.Fatal(err)
	}
	values, err := s.Score(Features{X: mat.NewDense(2, 2, []float64{1, 3, -3, 1})})
	if err != nil {
		t.Fatal(err)
	}
	if math.Abs(values[0]) > 1e-15 || math.Abs(values[1]+math.Sqrt2) > 1e-15 {
		t.Errorf("distances %v, want 0 and -sqrt(2)", values)
	}
}

// BenchmarkKNN scores 2000 rows among 100 000 inliers of 1024 features. Run it with
//
//	go test ./ffs/score -run '^$' -bench KNN -benchtime 1x
func BenchmarkKNN(b *testing.B) {
	rng := rand.New(rand.NewPCG(6, 6))
	fill := func(n int) *mat.Dense {
		x := mat.NewDense(n, 1024, nil)
		for i := range x.RawMatrix().Data {
			x.RawMatrix().Data[i] = math.Max(0, rng.NormFloat64())
		}
		return x
	}
	inliers, rows := Features{X: fill(100_000)}, Features{X: fill(2000)}
	for b.Loop() {
		s := &KNN{}
		if err := s.Fit(inliers, Layer{}); err != nil {
			b.Fatal(err)
		}
		if _, err := s.Score(rows); err != nil {
			b.Fatal(err)
		}
	}
}

// No score overflows on the largest numbers that are accepted, and larger ones are an error.
func TestLargeNumbers(t *testing.T) {
	rng := rand.New(rand.NewPCG(8, 8))
	random := func(size float64) (Features, Layer) {
		const n, d, k = 40, 16, 3
		f := Features{X: mat.NewDense(n, d, nil), Classes: k, Logits: mat.NewDense(n, k, nil), Labels: all(n)}
		for i := range f.Labels {
			f.Labels[i] %= k
		}
		for _, m := range []*mat.Dense{f.X, f.Logits} {
			m.Apply(func(_, _ int, _ float64) float64 { return size * (2*rng.Float64() - 1) }, m)
		}
		w := mat.NewDense(k, d, nil)
		w.Apply(func(_, _ int, _ float64) float64 { return rng.NormFloat64() }, w)
		return f, Layer{w, []float64{1, 2, 3}}
	}
	for _, name := range Names() {
		s, err := New(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, given := s.(Given); given {
			continue
		}
		f, layer := random(largestNumber)
		if err := s.Fit(f, layer); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		values, err := s.Score(f)
		if err != nil || floats.HasNaN(values) || math.IsInf(floats.Norm(values, math.Inf(1)), 0) {
			t.Errorf("%s: %v (error %v)", name, values, err)
		}
		f, _ = random(2 * largestNumber)
		if _, err := s.Score(f); err == nil {
			t.Errorf("%s accepts larger numbers", name)
		}
	}
}
