package viz

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/floats"
)

// TSNEOptions are the choices of [TSNE]; the zero value is a good start.
type TSNEOptions struct {
	// Perplexity is about how many neighbours of a row count, from 1 to a third of the other rows;
	// 0: 30, or what fewer rows allow.
	Perplexity float64
	Iterations int    // of gradient descent; 0: 1000
	Seed       uint64 // of the start
}

// Embedding is a map of rows into the plane that keeps neighbours together. Unlike a [Projection]
// it holds for those rows only, and distances between far groups, and the sizes of groups, mean
// little.
type Embedding struct {
	XY         [][2]float64 // of each row; centred, in units without meaning
	Perplexity float64      // that was used
	KL         float64      // Kullback-Leibler divergence that is left, in nats: lower is a more faithful map
}

// maxEmbedded bounds memory (200 MB) and time (some minutes).
const maxEmbedded = 5000

const (
	exaggeration      = 12.0 // of the attraction at first, so that groups gather before they spread
	exaggeratedRounds = 250
)

// TSNE maps rows ([n][D], n from 4 to 5000) into the plane by t-SNE: van der Maaten and Hinton,
// "Visualizing Data using t-SNE", JMLR 9 (2008), in its exact form, which takes of the order of n²
// steps an iteration, some seconds in all for a thousand rows. Distances are Euclidean; rows of
// many columns are compared faster, and with less noise, in their first 50 principal components
// ([PCA]).
//
// The start is normal with a standard deviation of 1e-4. The first 250 iterations, or a quarter of
// fewer, exaggerate attraction 12 times; the learning rate is max(n / 48, 50), after Belkina et
// al., Nature Communications 10 (2019). The same rows and options give the same map on any number
// of processors. It fails for rows of different lengths, non-finite entries, rows that are all
// equal, and options out of range.
func TSNE(rows [][]float64, o TSNEOptions) (*Embedding, error) {
	if err := checkRows("t-SNE", rows); err != nil {
		return nil, err
	}
	n := len(rows)
	if n < 4 || n > maxEmbedded {
		return nil, fmt.Errorf("viz: t-SNE: %d rows: give 4 to %d, a sample of more", n, maxEmbedded)
	}
	most := float64(n-1) / 3
	if o.Perplexity == 0 {
		o.Perplexity = min(30, most)
	}
	if !(o.Perplexity >= 1 && o.Perplexity <= most) {
		return nil, fmt.Errorf("viz: t-SNE: perplexity %v of %d rows: choose 1 to %.4g", o.Perplexity, n, most)
	}
	if o.Iterations < 0 {
		return nil, fmt.Errorf("viz: t-SNE: %d iterations: choose a positive number", o.Iterations)
	}
	if o.Iterations == 0 {
		o.Iterations = 1000
	}
	p, err := affinities(rows, o.Perplexity)
	if err != nil {
		return nil, err
	}
	r := rand.New(rand.NewPCG(o.Seed, 0))
	y := make([]float64, 2*n)
	for i := range y {
		y[i] = 1e-4 * r.NormFloat64()
	}
	p.descend(y, o.Iterations)
	e := &Embedding{XY: make([][2]float64, n), Perplexity: o.Perplexity, KL: p.divergence(y)}
	for i := range e.XY {
		e.XY[i] = [2]float64{y[2*i], y[2*i+1]}
	}
	return e, nil
}

// Points are the rows from, from + 1, ... to - 1 as a group of a [Scatter]. It fails for rows that
// the embedding has not.
func (e *Embedding) Points(name string, from, to int) (Points, error) {
	if from < 0 || from > to || to > len(e.XY) {
		return Points{}, fmt.Errorf("viz: embedding: group %q: rows %d to %d of %d", name, from, to, len(e.XY))
	}
	g := Points{Name: name}
	for _, xy := range e.XY[from:to] {
		g.X, g.Y = append(g.X, xy[0]), append(g.Y, xy[1])
	}
	return g, nil
}

// affinity holds the joint probabilities p[i][j] of neighbours, symmetric, with a zero diagonal and
// the sum 1.
type affinity [][]float64

// affinities returns the affinities of rows: each row's neighbours get a normal distribution around
// it, as wide as the perplexity asks, and the two conditional probabilities of a pair are averaged.
func affinities(rows [][]float64, perplexity float64) (affinity, error) {
	n := len(rows)
	conditional := make([][]float64, n)
	var apart atomic.Bool
	eachRow(n, func(i int) {
		d := make([]float64, n)
		for j, row := range rows {
			for k, v := range row {
				d[j] += (v - rows[i][k]) * (v - rows[i][k])
			}
			if d[j] > 0 {
				apart.Store(true)
			}
		}
		conditional[i] = neighbours(d, i, math.Log(perplexity))
	})
	if !apart.Load() {
		return nil, errors.New("viz: t-SNE: all rows are equal: there are no neighbours")
	}
	for i := range n {
		for j := range i {
			p := (conditional[i][j] + conditional[j][i]) / float64(2*n)
			conditional[i][j], conditional[j][i] = p, p
		}
	}
	return conditional, nil
}

// neighbours turns squared distances from row i into probabilities exp(-beta d) / sum with the
// given entropy in nats, by bisection of beta. Where equal distances leave no such beta the nearest
// possible entropy is taken.
func neighbours(d []float64, i int, entropy float64) []float64 {
	nearest, mean := math.Inf(1), 0.0
	for j, v := range d {
		if j != i {
			nearest, mean = min(nearest, v), mean+v/float64(len(d)-1)
		}
	}
	p := make([]float64, len(d))
	low, high := 0.0, math.Inf(1)
	beta := 1.0
	if mean > nearest {
		beta = 1 / (mean - nearest)
	}
	for range 100 {
		sum, weighted := 0.0, 0.0
		for j, v := range d {
			if j != i {
				p[j] = math.Exp(-beta * (v - nearest)) // the common factor keeps the sum at 1 or above
				sum += p[j]
				weighted += p[j] * (v - nearest)
			}
		}
		floats.Scale(1/sum, p)
		excess := math.Log(sum) + beta*weighted/sum - entropy
		if math.Abs(excess) < 1e-7 {
			break
		}
		if excess > 0 { // too wide
			low = beta
		} else {
			high = beta
		}
		if beta = (low + high) / 2; math.IsInf(beta, 1) {
			beta = 2 * low
		}
	}
	return p
}

// descend moves the points y (x and y of the first, of the second, ...) down the gradient, with
// momentum and with gains that grow while a coordinate keeps its direction (Jacobs, Neural Networks
// 1, 1988).
func (p affinity) descend(y []float64, iterations int) {
	rate := max(float64(len(p))/(4*exaggeration), 50)
	gradient, step, gain := make([]float64, len(y)), make([]float64, len(y)), make([]float64, len(y))
	for i := range gain {
		gain[i] = 1
	}
	early := min(exaggeratedRounds, iterations/4)
	for iteration := range iterations {
		attraction, momentum := 1.0, 0.8
		if iteration < early {
			attraction, momentum = exaggeration, 0.5
		}
		p.gradient(y, attraction, gradient)
		for i, g := range gradient {
			if g*step[i] < 0 {
				gain[i] += 0.2
			} else {
				gain[i] = max(0.8*gain[i], 0.01)
			}
			step[i] = momentum*step[i] - rate*gain[i]*g
			y[i] += step[i]
		}
		recentre(y)
	}
}

// gradient writes that of the divergence, its attraction exaggerated by a factor:
//
//	dC/dy_i = 4 sum_j (attraction p_ij - q_ij) w_ij (y_i - y_j)
//	w_ij = 1 / (1 + |y_i - y_j|²)
//	q_ij = w_ij / sum w
func (p affinity) gradient(y []float64, attraction float64, gradient []float64) {
	n := len(p)
	sums, repulsion := make([]float64, n), make([]float64, 2*n)
	eachRow(n, func(i int) {
		xi, yi := y[2*i], y[2*i+1]
		var sum, ax, ay, rx, ry float64
		for j, pij := range p[i] {
			dx, dy := xi-y[2*j], yi-y[2*j+1]
			w := 1 / (1 + dx*dx + dy*dy)
			sum += w
			a, r := pij*w, w*w
			ax, ay = ax+a*dx, ay+a*dy
			rx, ry = rx+r*dx, ry+r*dy
		}
		sums[i] = sum - 1 // w_ii
		gradient[2*i], gradient[2*i+1] = ax, ay
		repulsion[2*i], repulsion[2*i+1] = rx, ry
	})
	total := floats.Sum(sums) // in one order, however the rows were shared out
	for k := range gradient {
		gradient[k] = 4 * (attraction*gradient[k] - repulsion[k]/total)
	}
}

// divergence is the cost: sum of p log(p / q).
func (p affinity) divergence(y []float64) float64 {
	n := len(p)
	sums, costs := make([]float64, n), make([]float64, n)
	eachRow(n, func(i int) {
		for j, pij := range p[i] {
			if j == i {
				continue
			}
			dx, dy := y[2*i]-y[2*j], y[2*i+1]-y[2*j+1]
			square := dx*dx + dy*dy
			sums[i] += 1 / (1 + square)
			if pij > 0 {
				costs[i] += pij * (math.Log(pij) + math.Log1p(square))
			}
		}
	})
	return floats.Sum(costs) + math.Log(floats.Sum(sums)) // the p add up to 1
}

// recentre moves the mean of the points to the origin.
func recentre(y []float64) {
	var mx, my float64
	n := float64(len(y) / 2)
	for i := 0; i < len(y); i += 2 {
		mx, my = mx+y[i], my+y[i+1]
	}
	for i := 0; i < len(y); i += 2 {
		y[i], y[i+1] = y[i]-mx/n, y[i+1]-my/n
	}
}

// eachRow calls f for the rows 0 ... n-1 on all processors. Each row is computed by one call, so
// that the numbers do not depend on how many processors there are.
func eachRow(n int, f func(i int)) {
	const block = 16
	var workers errgroup.Group
	workers.SetLimit(runtime.GOMAXPROCS(0))
	for begin := 0; begin < n; begin += block {
		workers.Go(func() error {
			for i := begin; i < min(begin+block, n); i++ {
				f(i)
			}
			return nil
		})
	}
	_ = workers.Wait() // f has no errors
}
