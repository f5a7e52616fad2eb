package corrupt

import (
	"math"
	"slices"
	"testing"

	"ffslab/data"
)

// near reports whether all numbers agree to float32 precision.
func near(got []float32, want ...float64) bool {
	return slices.EqualFunc(got, want, func(a float32, b float64) bool { return math.Abs(float64(a)-b) <= 1e-5*max(1, math.Abs(b)) })
}

func layer(h, w int, values ...float32) raster { return raster{h, w, 1, values} }

func TestBorders(t *testing.T) {
	for name, c := range map[string]struct {
		edge border
		want []int // for -5 to 6, of 3 pixels
	}{
		"nearest": {nearest, []int{0, 0, 0, 0, 0, 0, 1, 2, 2, 2, 2, 2}},
		"reflect": {reflect, []int{1, 2, 2, 1, 0, 0, 1, 2, 2, 1, 0, 0}},
		"mirror":  {mirror, []int{1, 0, 1, 2, 1, 0, 1, 2, 1, 0, 1, 2}},
	} {
		for k, want := range c.want {
			if got := c.edge(k-5, 3); got != want {
				t.Errorf("%s: pixel %d of 3 is %d, want %d", name, k-5, got, want)
			}
		}
		for i := -3; i <= 3; i++ {
			if got := c.edge(i, 1); got != 0 {
				t.Errorf("%s: pixel %d of 1 is %d", name, i, got)
			}
		}
	}
}

func TestLevelCutsOff(t *testing.T) {
	for v, want := range map[float32]uint8{-3: 0, 0: 0, 0.2: 51, 1: 255, 7: 255, float32(math.Inf(1)): 255, float32(math.Inf(-1)): 0} {
		if got := level(v); got != want {
			t.Errorf("level of %v is %d, want %d", v, got, want)
		}
	}
	if got := level(float32(math.NaN())); got != 0 {
		t.Errorf("level of NaN is %d", got)
	}
}

func TestDrag(t *testing.T) {
	// The weights of radius 1 and sigma 1, before they are divided by their sum.
	a, b, c := 1.0, math.Exp(-0.5), math.Exp(-2)
	s := a + b + c
	row := layer(1, 4, 1, 0, 0, 8)
	for angle, want := range map[float64][]float64{
		0:   {a / s, c * 8 / s, (b + c) * 8 / s, 8}, // takes from the right
		180: {1, (b + c) / s, c / s, a * 8 / s},     // takes from the left
		45:  {a / s, 0, (b + c) * 8 / s, 8},         // steps of 0.71 and 1.41 pixels go to the nearest: 1 and 1
		90:  {1, 0, 0, 8},                           // up and down there is but this row
	} {
		if got := drag(row, 1, 1, angle); !near(got.v, want...) {
			t.Errorf("at %v degrees it is %v, want %v", angle, got.v, want)
		}
	}
	column := layer(3, 1, 0, 0, 1)
	if got := drag(column, 1, 1, 90); !near(got.v, c/s, (b+c)/s, 1) {
		t.Errorf("downwards it is %v", got.v)
	}
	wide := drag(layer(1, 2, 1, 3), 5, 4, 0)
	if math.Abs(float64(wide.v[1]-3)) > 1e-6 || wide.v[0] <= 1 || wide.v[0] >= 3 {
		t.Errorf("a trail longer than the picture gives %v", wide.v)
	}
}

func TestZoomTaps(t *testing.T) {
	third := float32(1. / 3)
	for _, c := range []struct {
		n      int
		factor float64
		want   []zoomTap
	}{
		{4, 2, []zoomTap{{1, 0}, {1, third}, {1, 2 * third}, {2, 0}}}, // the middle two, as four
		{4, 1, []zoomTap{{0, 0}, {1, 0}, {2, 0}, {3, 0}}},
		{1, 3, []zoomTap{{0, 0}}},
		// The middle two of three, times 2.5, are five; four of them are left of the fifth one's
		// half: the first three.
		{3, 2.5, []zoomTap{{0, 0.25}, {0, 0.5}, {0, 0.75}}},
	} {
		got := zoomTaps(c.n, c.factor)
		same := slices.EqualFunc(got, c.want, func(a, b zoomTap) bool {
			return a.first == b.first && math.Abs(float64(a.second-b.second)) < 1e-6
		})
		if !same {
			t.Errorf("%d pixels times %v come from %v, want %v", c.n, c.factor, got, c.want)
		}
	}
	if got := zoomed(layer(1, 4, 9, 0, 3, 9), 2); !near(got.v, 0, 1, 2, 3) {
		t.Errorf("enlarged it is %v", got.v)
	}
}

func TestPlasma(t *testing.T) {
	whole := plasma(16, 16, 1.5, data.RandomStream(3))
	if slices.Min(whole.v) != 0 || slices.Max(whole.v) != 1 {
		t.Errorf("numbers go from %v to %v", slices.Min(whole.v), slices.Max(whole.v))
	}
	part := plasma(9, 13, 1.5, data.RandomStream(3))
	for i, v := range part.v {
		if v != whole.v[i/13*16+i%13] {
			t.Fatalf("number %d of a part is %v", i, v)
		}
	}
	// The faster detail weakens, the smoother it is.
	rough := func(decay float64) (sum float64) {
		cloud := plasma(64, 64, decay, data.RandomStream(3))
		for y := range cloud.h {
			row := cloud.row(y)
			for x := range cloud.w - 1 {
				sum += math.Abs(float64(row[x+1] - row[x]))
			}
		}
		return sum
	}
	if smooth, coarse := rough(2), rough(1.4); smooth > coarse/2 {
		t.Errorf("steps add up to %v with a decay of 2, %v with 1.4", smooth, coarse)
	}
}

func TestEdges(t *testing.T) {
	step := newRaster(5, 6, 1)
	for i := range step.v {
		if i%6 >= 3 {
			step.v[i] = 200
		}
	}
	found := edges(step, 50, 150)
	for i, is := range found {
		if is != (i%6 == 2) { // of the two equal columns the first
			t.Errorf("pixel %d, %d: edge is %v", i/6, i%6, is)
		}
	}
	if got := distances(found, 5, 6, 20); !near(got.row(3), 2, 1, 0, 1, 2, 3) {
		t.Errorf("distances are %v", got.row(3))
	}
	// A step of 20 gives a gradient of 80, one of 10 a gradient of 40: the one is weak, the other
	// none.
	for size, want := range map[float32]bool{10: false, 20: false, 38: true} {
		for i := range step.v {
			step.v[i] = min(step.v[i], 1) * size
		}
		if got := slices.Contains(edges(step, 50, 150), true); got != want {
			t.Errorf("a step of %v: an edge is found: %v, want %v", size, got, want)
		}
		for i := range step.v {
			step.v[i] *= 200 / size
		}
	}
	// A weak edge counts where it is connected to a strong one.
	for i := range step.v {
		if i%6 >= 3 {
			step.v[i] = 20
			if i/6 >= 3 {
				step.v[i] = 60
			}
		}
	}
	if got := edges(step, 50, 150); !got[2] || !got[4*6+2] {
		t.Errorf("the weak and the strong end of an edge: %v, %v", got[2], got[4*6+2])
	}
}

func TestDistances(t *testing.T) {
	marked := make([]bool, 25)
	marked[12] = true
	got := distances(marked, 5, 5, 2.5)
	want := []float64{2.5, 2.1969, 2, 2.1969, 2.5, 2.1969, 1.4, 1, 1.4, 2.1969, 2, 1, 0, 1, 2, 2.1969, 1.4, 1, 1.4, 2.1969, 2.5, 2.1969, 2, 2.1969, 2.5}
	if !near(got.v, want...) {
		t.Errorf("distances are %v", got.v)
	}
}

func TestRelief(t *testing.T) {
	if got := equalize(layer(1, 4, 1, 1, 2, 4)); !near(got.v, 0, 0, 128, 255) {
		t.Errorf("equalised it is %v", got.v)
	}
	if got := equalize(layer(1, 2, 20, 20)); !near(got.v, 20, 20) {
		t.Errorf("one level equalised is %v", got.v)
	}
	dot := newRaster(5, 5, 1)
	dot.v[12] = 40
	// What is right and below of a dot sees it at its upper left, with the weight -2, and so on.
	if got := emboss(dot); !near(got.v, 0, 0, 0, 0, 0, 0, 80, 40, 0, 0, 0, 40, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) {
		t.Errorf("embossed it is %v", got.v)
	}
}

func TestWaterAndMud(t *testing.T) {
	// Without a drop nothing changes.
	grey := raster{1, 2, 3, []float32{0.5, 0.5, 0.5, 0.2, 0.2, 0.2}}
	if got := water(grey, newRaster(1, 2, 1), 0.6); !near(got.v, 0.5, 0.5, 0.5, 0.2, 0.2, 0.2) {
		t.Errorf("no water makes %v", got.v)
	}
	// One level everywhere has no edge: the relief is flat, and every pixel gets the full share.
	if got := water(newRaster(1, 1, 3), layer(1, 1, 0.8), 0.6); !near(got.v, 0.6*238/255, 0.6*238/255, 0.6*175/255) {
		t.Errorf("water is %v", got.v)
	}
	if got := mud(raster{1, 1, 3, []float32{1, 1, 1}}, layer(1, 1, 0.7)); !near(got.v, 20./255, 42./255, 63./255) {
		t.Errorf("mud is %v", got.v)
	}
	// A lone drop of one pixel is blurred to less than 0.8 and vanishes.
	drop := newRaster(9, 9, 1)
	drop.v[40] = 0.7
	if got := mud(newRaster(9, 9, 3), drop); slices.Max(got.v) != 0 {
		t.Error("a drop of one pixel has left mud")
	}
}

func TestAffine(t *testing.T) {
	from, to := [3][2]float64{{8, 9}, {2, 8}, {1, 3}}, [3][2]float64{{7, 7}, {3, 7}, {2, 1}}
	a := between(from, to)
	for i := range from {
		if y, x := a.at(from[i][0], from[i][1]); math.Hypot(y-to[i][0], x-to[i][1]) > 1e-12 {
			t.Errorf("corner %d goes to %v, %v, want %v", i, y, x, to[i])
		}
	}
	// Nothing moves without a movement, and a picture is never turned inside out, however large it
	// is.
	if y, x := randomAffine(30, 40, 0, data.RandomStream(1)).at(3, 5); math.Hypot(y-3, x-5) > 1e-12 {
		t.Errorf("3, 5 has moved to %v, %v", y, x)
	}
	for seed := range uint64(50) {
		a := randomAffine(30, 40, 100, data.RandomStream(seed))
		if det := a.yy*a.xx - a.yx*a.xy; !(det > 0) || math.IsInf(det, 0) {
			t.Errorf("seed %d: the determinant is %v", seed, det)
		}
	}
}

func TestWarpInterpolates(t *testing.T) {
	r := layer(2, 2, 0, 4, 8, 12)
	shifted := warp(r, nearest, func(y, x int) (float64, float64) { return float64(y) + 0.5, float64(x) + 0.25 })
	if !near(shifted.v, 5, 8, 9, 12) {
		t.Errorf("it is %v", shifted.v)
	}
}

func TestSmooth(t *testing.T) {
	if got := meanRows(layer(1, 3, 1, 2, 6), 1); !near(got.v, 4./3, 3, 14./3) {
		t.Errorf("running means are %v", got.v)
	}
	if got := meanRows(layer(1, 2, 3, 5), 7); !near(got.v, 61./15, 59./15) { // ... 5 5 3 3 5 5 3 | 3 5 | 5 3 3 5 5 3 3
		t.Errorf("running means over more than the picture are %v", got.v)
	}
	// Three running means are close to the Gaussian that they stand for.
	point := newRaster(301, 301, 1)
	point.v[150*301+150] = 1
	sigma := math.Sqrt(32 * 33) // that of three means within 32 pixels
	means, exact := smooth(point, sigma), gaussian(point, sigma, 4, reflect)
	peak, worst := float64(slices.Max(exact.v)), 0.0
	for i := range exact.v {
		worst = max(worst, math.Abs(float64(means.v[i]-exact.v[i]))/peak)
	}
	// At the peak it is (0.75/65)^2 in place of 1/(2 pi sigma^2): 0.883 of it.
	if worst > 0.12 {
		t.Errorf("wrong by %.4f of the peak", worst)
	}
}

func TestGaussianTaps(t *testing.T) {
	taps := gaussianTaps(2, 8)
	sum := taps[0]
	for _, v := range taps[1:] {
		sum += 2 * v
	}
	if math.Abs(float64(sum)-1) > 1e-6 || math.Abs(float64(taps[2]/taps[0])-math.Exp(-0.5)) > 1e-6 {
		t.Errorf("weights %v add up to %v", taps, sum)
	}
}

// The film alone is grey-blue; where a crystal is, it is brighter.
func TestIce(t *testing.T) {
	for _, size := range [][2]int{{100, 130}, {480, 300}} {
		r := ice(size[0], size[1], data.RandomStream(2))
		sum := 0.0
		for i, v := range r.v {
			if !(v >= 0 && v <= 1) {
				t.Fatalf("%v: number %d is %v", size, i, v)
			}
			sum += float64(v)
		}
		if mean := sum / float64(len(r.v)); r.h != size[0] || r.w != size[1] || mean < 0.3 || mean > 0.65 {
			t.Errorf("%v: %dx%d with a mean of %.3f", size, r.h, r.w, mean)
		}
	}
}
