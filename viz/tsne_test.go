package viz

import (
	"math"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// clusters are normal groups around means that lie far apart in 10 dimensions, one after the other.
func clusters(groups, each int) [][]float64 {
	r := rand.New(rand.NewPCG(3, 4))
	var rows [][]float64
	for g := range groups {
		for range each {
			row := make([]float64, 10)
			for k := range row {
				row[k] = r.NormFloat64()
			}
			row[g] += 12
			rows = append(rows, row)
		}
	}
	return rows
}

// The gradient is that of the divergence, by central differences; with exaggerated attraction, that
// of the divergence with a part of it repeated.
func TestTSNEGradient(t *testing.T) {
	p, err := affinities(clusters(3, 5), 4)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(9, 9))
	y := make([]float64, 2*len(p))
	for i := range y {
		y[i] = r.NormFloat64()
	}
	got := make([]float64, len(y))
	for _, attraction := range []float64{1, 12} {
		// sum p log p - attraction sum p log w + log sum w, whose attraction is the middle term.
		cost := func() float64 {
			extra := 0.0
			for i, row := range p {
				for j, pij := range row {
					extra += pij * math.Log1p((y[2*i]-y[2*j])*(y[2*i]-y[2*j])+(y[2*i+1]-y[2*j+1])*(y[2*i+1]-y[2*j+1]))
				}
			}
			return p.divergence(y) + (attraction-1)*extra
		}
		p.gradient(y, attraction, got)
		for k := range y {
			const h = 1e-5
			at := y[k]
			y[k] = at + h
			above := cost()
			y[k] = at - h
			below := cost()
			y[k] = at
			if want := (above - below) / (2 * h); math.Abs(got[k]-want) > 1e-8 {
				t.Errorf("attraction %v: derivative %d is %v, by differences %v", attraction, k, got[k], want)
			}
		}
	}
}

// The probabilities are symmetric, add up to 1, and those of a row have the perplexity that was
// asked for.
func TestAffinities(t *testing.T) {
	rows := clusters(2, 10)
	rows[1] = rows[0] // equal rows are legal
	p, err := affinities(rows, 5)
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for i, row := range p {
		if row[i] != 0 {
			t.Errorf("row %d is its own neighbour", i)
		}
		for j := range row {
			sum += row[j]
			if row[j] != p[j][i] {
				t.Errorf("p[%d][%d] = %v but p[%d][%d] = %v", i, j, row[j], j, i, p[j][i])
			}
		}
	}
	if math.Abs(sum-1) > 1e-12 {
		t.Errorf("the sum is %v", sum)
	}
	// Squared distances 0 (the row itself), 1, 1, 4: an entropy of log(2.5) needs exp(-3 beta) = u
	// with log(2 + u) - u log(u) / (2 + u) = log(2.5).
	q := neighbours([]float64{0, 1, 1, 4}, 0, math.Log(2.5))
	entropy := 0.0
	for _, v := range q[1:] {
		entropy -= v * math.Log(v)
	}
	if u := q[3] / q[1]; q[0] != 0 || q[1] != q[2] || math.Abs(entropy-math.Log(2.5)) > 1e-6 || math.Abs(math.Log(2+u)-u*math.Log(u)/(2+u)-math.Log(2.5)) > 1e-6 {
		t.Errorf("neighbours %v with entropy %v, want %v", q, entropy, math.Log(2.5))
	}
}

// Separated groups stay separated: every point is nearer to all of its group than to any of
// another. The map leaves less than 35 % of the divergence that there is with all points at one
// place.
func TestTSNESeparates(t *testing.T) {
	rows := clusters(4, 30)
	e, err := TSNE(rows, TSNEOptions{Perplexity: 10, Iterations: 500})
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range e.XY {
		distance := func(j int) float64 { return math.Hypot(a[0]-e.XY[j][0], a[1]-e.XY[j][1]) }
		within, between := 0.0, math.Inf(1)
		for j := range e.XY {
			if j/30 == i/30 {
				within = max(within, distance(j))
			} else {
				between = min(between, distance(j))
			}
		}
		if within >= between {
			t.Errorf("point %d is %.3g from one of its group and %.3g from one of another", i, within, between)
		}
	}
	p, err := affinities(rows, 10)
	if err != nil {
		t.Fatal(err)
	}
	start := make([]float64, 2*len(rows))
	if random := p.divergence(start); !(e.KL > 0 && e.KL < 0.35*random) {
		t.Errorf("KL %v, with all points at one place %v", e.KL, random)
	}
}

// The same seed gives the same numbers whatever the number of processors, another one others.
func TestTSNEIsDeterministic(t *testing.T) {
	rows := clusters(3, 17)
	embed := func(processors int, seed uint64) *Embedding {
		t.Helper()
		defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(processors))
		e, err := TSNE(rows, TSNEOptions{Seed: seed, Iterations: 60})
		if err != nil {
			t.Fatal(err)
		}
		return e
	}
	first := embed(1, 5)
	if diff := cmp.Diff(first, embed(3, 5)); diff != "" {
		t.Errorf("on 1 and on 3 processors (-1 +3):\n%s", diff)
	}
	if slices.Equal(first.XY, embed(1, 6).XY) {
		t.Error("two seeds give one map")
	}
	mean := [2]float64{}
	for _, xy := range first.XY {
		mean[0], mean[1] = mean[0]+xy[0], mean[1]+xy[1]
	}
	if math.Hypot(mean[0], mean[1]) > 1e-9 {
		t.Errorf("the map is not centred: %v", mean)
	}
}
