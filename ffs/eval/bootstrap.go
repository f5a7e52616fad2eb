package eval

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"gonum.org/v1/gonum/stat"

	"ffslab/data"
)

// DefaultResamples is how often a bootstrap resamples unless told otherwise:
// enough for the 2.5 % at either end of a 95 % interval to be 25 resamples.
const DefaultResamples = 1000

// Bootstrap says how intervals are estimated: IMAGES are drawn with
// replacement, as many as the set has, and everything that was detected in an
// image comes along with it, since the detections of one image are not
// independent of one another. Every measure is computed anew on each resample;
// the score threshold, which decides which detections count, stays that of the
// whole set (Efron and Tibshirani, "An Introduction to the Bootstrap", 1993,
// chapters 8 and 13).
type Bootstrap struct {
	// Resamples is how many there are; 0 switches the bootstrap off.
	Resamples int `json:"resamples"`
	// Seed decides what is drawn: the same seed draws the same images of a set
	// for every measure, whatever the number of cores.
	Seed uint64 `json:"seed"`
}

// Interval is a 95 % percentile interval: the 2.5th and the 97.5th percentile
// of the resamples, each the smallest value that at least this share of them
// does not exceed.
type Interval [2]float64

// newInterval sorts the values of the resamples, of which there must be some.
func newInterval(values []float64) Interval {
	slices.Sort(values)
	return Interval{stat.Quantile(0.025, stat.Empirical, values, nil), stat.Quantile(0.975, stat.Empirical, values, nil)}
}

// draws says how often each image of each side is in a resample.
type draws [][]int32

// collect computes a row of measures on every resample, on all cores, and
// returns them as columns: one slice of values a measure. newMeasure makes what
// one core needs; a measure returns false where the resample holds too little
// to measure, and is left out. It returns nil if that is so in half of
// the resamples or more, or the bootstrap is off.
func (b Bootstrap) collect(images []int, measures int, newMeasure func() func(draws, []float64) bool) [][]float64 {
	if b.Resamples <= 0 {
		return nil
	}
	rows, ok := make([]float64, b.Resamples*measures), make([]bool, b.Resamples)
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), b.Resamples) {
		workers.Go(func() {
			measure := newMeasure()
			drawn := make(draws, len(images))
			for side, n := range images {
				drawn[side] = make([]int32, n)
			}
			for i := int(next.Add(1)) - 1; i < b.Resamples; i = int(next.Add(1)) - 1 {
				drawn.draw(b.Seed, i)
				ok[i] = measure(drawn, rows[i*measures:(i+1)*measures])
			}
		})
	}
	workers.Wait()

	columns := make([][]float64, measures)
	kept := 0
	for i := range ok {
		if !ok[i] {
			continue
		}
		kept++
		for m := range columns {
			columns[m] = append(columns[m], rows[i*measures+m])
		}
	}
	if 2*kept <= b.Resamples {
		return nil
	}
	return columns
}

// draw fills in resample number i. Each side has a stream of its own, so what
// is drawn on one does not depend on the size of the other.
func (d draws) draw(seed uint64, i int) {
	for side, counts := range d {
		clear(counts)
		r := data.RandomStream(seed, uint64(i), uint64(side))
		for range counts {
			counts[r.IntN(len(counts))]++
		}
	}
}
