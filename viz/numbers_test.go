package viz

import (
	"image/color"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/stat/distuv"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

func labels(ticks []plot.Tick) []string {
	var out []string
	for _, t := range ticks {
		if t.Label != "" {
			out = append(out, t.Label)
		}
	}
	return out
}

func TestTicks(t *testing.T) {
	for _, c := range []struct {
		ticker    plot.Ticker
		low, high float64
		want      []string
	}{
		{linearTicks{}, 0, 1, []string{"0", "0.2", "0.4", "0.6", "0.8", "1.0"}},
		{linearTicks{}, -1.1, 1.1, []string{"−1.0", "−0.5", "0", "0.5", "1.0"}},
		{linearTicks{}, 0, 24000, []string{"0", "5k", "10k", "15k", "20k"}},
		{linearTicks{}, 83.1, 83.32, []string{"83.10", "83.15", "83.20", "83.25", "83.30"}},
		{linearTicks{}, 0, 3e-7, []string{"0", "5e−08", "1e−07", "1.5e−07", "2e−07", "2.5e−07", "3e−07"}},
		{linearTicks{}, 1, 1, nil},
		{logTicks{}, 0.05, 2000, []string{"0.1", "1", "10", "100", "1000"}},
		{logTicks{}, 0.15, 2.5, []string{"0.2", "0.5", "1", "2"}},
		{logTicks{}, -1, 2, nil},
		{logTicks{}, 1e3, 2e6, []string{"1000", "10k", "100k", "1M"}},
		{placeTicks{}, math.Log(5), math.Log(110), []string{"5", "10", "20", "50", "100"}},
	} {
		if diff := cmp.Diff(c.want, labels(c.ticker.Ticks(c.low, c.high))); diff != "" {
			t.Errorf("%T from %v to %v (-want +got):\n%s", c.ticker, c.low, c.high, diff)
		}
	}
}

// A thinned line keeps its ends, its extremes and its order.
func TestThin(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	long := make(plotter.XYs, 20000)
	for i := range long {
		long[i] = plotter.XY{X: float64(i), Y: r.NormFloat64()}
	}
	long[777].Y, long[13131].Y = 9, -9
	short := thin(long)
	if len(short) > maxDrawn {
		t.Errorf("%d points are left", len(short))
	}
	for _, want := range []plotter.XY{long[0], long[777], long[13131], long[len(long)-1]} {
		if !slices.Contains(short, want) {
			t.Errorf("%v is lost", want)
		}
	}
	if !slices.IsSortedFunc(short, func(a, b plotter.XY) int { return int(a.X - b.X) }) {
		t.Error("the points are out of order")
	}
}

// The average of a constant is that constant from the first step on, and of a step function the
// weighted sum.
func TestMovingAverage(t *testing.T) {
	nan := math.NaN()
	got := movingAverage([]float64{3, 3, nan, 3, 0}, 0.5)
	// After three values of 3 and a 0, the weights are 8, 4, 2, 1 from the newest: (1+2+4)*3 / 15.
	want := []float64{3, 3, nan, 3, 21.0 / 15}
	for i := range want {
		if math.Abs(got[i]-want[i]) > 1e-15 || math.IsNaN(got[i]) != math.IsNaN(want[i]) {
			t.Errorf("value %d is %v, want %v", i, got[i], want[i])
		}
	}
}

func TestBins(t *testing.T) {
	edges, err := Histogram{Bins: 4, Range: [2]float64{0, 2}}.edges([]float64{-1, 0.2, 2, 7})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{0, 0.5, 1, 1.5, 2}, edges); diff != "" {
		t.Error(diff)
	}
	counts, outside := binCounts([]float64{0, 0.49, 0.5, 1.99, 2, 2.01, -0.01}, edges)
	if diff := cmp.Diff([]int{2, 1, 0, 2}, counts); diff != "" || outside != 2 {
		t.Errorf("%d outside, counts (-want +got):\n%s", outside, diff)
	}
	if edges, err := (Histogram{}).edges([]float64{5, 5, 5}); err != nil || edges[0] != 4.5 || edges[len(edges)-1] != 5.5 {
		t.Errorf("equal values: edges %v, error %v", edges, err)
	}
}

// The contour levels of a normal density are those of the ellipses that hold the same probability.
func TestContoursAgreeWithEllipses(t *testing.T) {
	d, err := NewDensity("normal", [2]float64{-6, 6}, [2]float64{-6, 6}, 301, func(at [][]float64) ([]float64, error) {
		out := make([]float64, len(at))
		for i, p := range at {
			out[i] = 1000 - ((p[0]-1)*(p[0]-1)+p[1]*p[1])/2 // the constant must not matter
		}
		return out, nil
	})
	if err != nil {
		t.Fatal(err)
	}
	levels, mode, err := d.levels()
	if err != nil {
		t.Fatal(err)
	}
	if math.Hypot(mode[0]-1, mode[1]) > 1e-9 {
		t.Errorf("mode at %v, want (1, 0)", mode)
	}
	for i, mass := range regions {
		if got, want := levels[i]-1000, math.Log(1-mass); math.Abs(got-want) > 0.01 {
			t.Errorf("level of %v is %v below the top, want %v", mass, got, want)
		}
	}
}

// A ring and a line from border to border are found whole, and a saddle is not mixed up.
func TestIsolines(t *testing.T) {
	x := []float64{0, 1, 2, 3, 4}
	ring := [][]float64{{0, 0, 0, 0, 0}, {0, 1, 1, 1, 0}, {0, 1, 1, 1, 0}, {0, 1, 1, 1, 0}, {0, 0, 0, 0, 0}}
	lines := isolines(x, x, ring, 0.25)
	if len(lines) != 1 || len(lines[0]) != 13 || lines[0][0] != lines[0][12] {
		t.Errorf("ring: %v", lines)
	}
	for _, p := range lines[0] {
		if d := max(math.Abs(p.X-2), math.Abs(p.Y-2)); math.Abs(d-1.75) > 1e-12 {
			t.Errorf("ring passes through %v", p)
		}
	}
	slope := [][]float64{{0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}, {0, 1, 2, 3, 4}}
	want := []plotter.XYs{{{X: 2.5, Y: 0}, {X: 2.5, Y: 1}, {X: 2.5, Y: 2}}}
	if diff := cmp.Diff(want, isolines(x, x[:3], slope, 2.5)); diff != "" {
		t.Error(diff)
	}
	// The middle of a saddle is 0.5: under a level of 0.25 the high corners are joined and the
	// lines cut off the low ones.
	saddle := [][]float64{{1, 0}, {0, 1}}
	for level, want := range map[float64][2]plotter.XY{
		0.25: {{X: 0.125, Y: 0.875}, {X: 0.875, Y: 0.125}},
		0.75: {{X: 0.125, Y: 0.125}, {X: 0.875, Y: 0.875}},
	} {
		var middles [2]plotter.XY
		for i, line := range isolines(x[:2], x[:2], saddle, level) {
			middles[i] = plotter.XY{X: (line[0].X + line[1].X) / 2, Y: (line[0].Y + line[1].Y) / 2}
		}
		if middles[0].X > middles[1].X {
			middles[0], middles[1] = middles[1], middles[0]
		}
		if middles != want {
			t.Errorf("saddle at %v: lines through %v, want %v", level, middles, want)
		}
	}
}

// Every rank of a small sample is drawn; a large one keeps both ends, stays in order and has few.
func TestDrawnRanks(t *testing.T) {
	if got := drawnRanks(5); !slices.Equal(got, []int{0, 1, 2, 3, 4}) {
		t.Errorf("5 values: %v", got)
	}
	for _, n := range []int{401, 5000, 1000000} {
		got := drawnRanks(n)
		if got[0] != 0 || got[1] > 1 || got[len(got)-1] != n-1 || len(got) > 400 || len(got) < 100 || !slices.IsSorted(got) {
			t.Errorf("%d values: %d ranks from %d to %d", n, len(got), got[0], got[len(got)-1])
		}
	}
}

// PCA finds the plane that the data were made in, whether there are more rows or more columns.
func TestPCA(t *testing.T) {
	for _, size := range []struct{ n, dim int }{{200, 12}, {12, 200}} {
		r := rand.New(rand.NewPCG(5, 6))
		u, v := make([]float64, size.dim), make([]float64, size.dim)
		u[2], u[3] = 0.6, -0.8
		v[0] = -1
		rows := make([][]float64, size.n)
		var su, sv, total float64
		a, b := make([]float64, size.n), make([]float64, size.n)
		for i := range rows {
			a[i], b[i] = 5*r.NormFloat64(), r.NormFloat64()
		}
		// Uncorrelated coordinates with mean zero make u and v the exact components.
		centre(a)
		centre(b)
		dot, square := 0.0, 0.0
		for i := range a {
			dot, square = dot+a[i]*b[i], square+a[i]*a[i]
		}
		for i := range b {
			b[i] -= dot / square * a[i]
		}
		for i := range rows {
			rows[i] = make([]float64, size.dim)
			for j := range rows[i] {
				rows[i][j] = 7 + a[i]*u[j] + b[i]*v[j]
			}
			su, sv = su+a[i]*a[i], sv+b[i]*b[i]
		}
		total = su + sv
		p, err := PCA(rows, 2)
		if err != nil {
			t.Fatal(err)
		}
		approx := cmp.Comparer(func(x, y float64) bool { return math.Abs(x-y) < 1e-9 })
		want := &Projection{Mean: slices.Repeat([]float64{7}, size.dim), Components: [][]float64{make([]float64, size.dim), make([]float64, size.dim)}, Explained: []float64{su / total, sv / total}}
		want.Components[0][2], want.Components[0][3], want.Components[1][0] = -0.6, 0.8, 1 // the largest entry is positive
		if diff := cmp.Diff(want, p, approx); diff != "" {
			t.Errorf("%d rows of %d (-want +got):\n%s", size.n, size.dim, diff)
		}
		g, err := p.Points("g", rows[:1])
		if err != nil || math.Abs(g.X[0]+a[0]) > 1e-9 || math.Abs(g.Y[0]+b[0]) > 1e-9 {
			t.Errorf("projected to %v, error %v; want (%v, %v)", g, err, -a[0], -b[0])
		}
		if _, err := PCA(rows, 3); err == nil {
			t.Error("three components of a plane were found")
		}
	}
}

// The leading directions are those that gonum finds among all, for a spectrum that falls slowly and
// for one with equal values.
func TestLeadingDirections(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	slow := mat.NewDense(90, 60, nil)
	for i := range 90 {
		for j := range 60 {
			slow.Set(i, j, r.NormFloat64())
		}
	}
	equal := mat.NewDense(5, 5, []float64{2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0})
	for name, x := range map[string]*mat.Dense{"slow": slow, "equal": equal} {
		var scatter mat.SymDense
		scatter.SymOuterK(1, x.T())
		var eigen mat.EigenSym
		if !eigen.Factorize(&scatter, true) {
			t.Fatal("gonum does not converge")
		}
		all := eigen.Values(nil)
		values, vectors := leadingDirections(x, 3)
		for c, value := range values {
			if want := all[len(all)-1-c]; math.Abs(value-want) > 1e-9*want {
				t.Errorf("%s: eigenvalue %d is %v, want %v", name, c, value, want)
			}
			var image mat.VecDense
			v := mat.NewVecDense(len(vectors[c]), vectors[c])
			image.MulVec(&scatter, v)
			image.AddScaledVec(&image, -value, v)
			if residual := mat.Norm(&image, 2); residual > 1e-8*value || math.Abs(mat.Norm(v, 2)-1) > 1e-12 {
				t.Errorf("%s: vector %d has a residual of %v", name, c, residual)
			}
		}
		if len(values) != 3 {
			t.Errorf("%s: %d directions", name, len(values))
		}
	}
}

func centre(v []float64) {
	mean := 0.0
	for _, x := range v {
		mean += x / float64(len(v))
	}
	for i := range v {
		v[i] -= mean
	}
}

// One heavy tail does not flatten a QQ plot, and the legend counts what is beyond it; a sample that
// is far off as a whole is shown.
func TestQQRange(t *testing.T) {
	values := make([]float64, 200)
	for i := range values {
		values[i] = distuv.UnitNormal.Quantile((float64(i) + 0.5) / 200)
	}
	values[199] = 1e6
	low, high := qqRange(distuv.UnitNormal, [][]float64{values})
	if !(low > -6 && high < 6 && high > 2.9) {
		t.Errorf("a single 1e6 among 200 normal values: axis from %v to %v", low, high)
	}
	for i := range values {
		values[i] = 500 + float64(i)
	}
	if _, high = qqRange(distuv.UnitNormal, [][]float64{values}); high < 690 {
		t.Errorf("values from 500 to 699: axis to %v", high)
	}
}

// The bins of a logarithmic axis are equally wide on it, and hold every value once.
func TestLogHistogram(t *testing.T) {
	h := Histogram{LogX: true, Bins: 3, Groups: []Group{{Name: "g", Values: []float64{1, 5, 10, 50, 100, 1000}}}}
	edges, err := h.edges(h.Groups[0].Values)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []float64{1, 10, 100, 1000} {
		if math.Abs(edges[i]-want) > 1e-9*want {
			t.Errorf("edge %d is %v, want %v", i, edges[i], want)
		}
	}
	if counts, outside := binCounts(h.Groups[0].Values, edges); outside != 0 || counts[0]+counts[1]+counts[2] != 6 {
		t.Errorf("counts %v, %d outside", counts, outside)
	}
}

// Points of equally large groups are mixed; those of a small one are drawn late.
func TestScatterMixesGroups(t *testing.T) {
	large := make([]float64, 300)
	s := Scatter{Groups: []Points{{Name: "a", X: make([]float64, 5), Y: make([]float64, 5)}, {Name: "b", X: large, Y: large}, {Name: "c", X: large, Y: large}}}
	p := &panel{axes: newPlot("", "")}
	weak, _, _, err := s.dots(p, 1, func(string, float64, float64) {})
	if err != nil {
		t.Fatal(err)
	}
	place := map[color.Color]float64{} // mean place in the order
	for i, d := range weak {
		place[d.style.Color] += float64(i) / float64(len(weak))
	}
	a, b, c := place[faint(Blue.resolve(0), 1)]/5, place[faint(Vermillion.resolve(0), 1)]/300, place[faint(Green.resolve(0), 1)]/300
	if math.Abs(b-c) > 0.1 || a < 0.9 {
		t.Errorf("mean places %v of the small group, %v and %v of the large ones", a, b, c)
	}
}
