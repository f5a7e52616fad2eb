package eval

import (
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"
	"gonum.org/v1/gonum/stat"

	"ffslab/data"
)

// DefaultResamples is the default number of resamples. It leaves 25 resamples beyond either end of
// a 95 % interval.
const DefaultResamples = 1000

// Bootstrap says how intervals are estimated. Images are drawn with replacement, as many as the set
// has, each with everything that was detected in it, since the detections of one image are not
// independent. Every measure is computed anew on each resample. The score threshold, which decides
// which detections count, stays that of the whole set (Efron and Tibshirani, "An Introduction to
// the Bootstrap", 1993, chapters 8 and 13).
type Bootstrap struct {
	// Resamples is the number of resamples; 0 switches the bootstrap off.
	Resamples int `json:"resamples"`
	// Seed decides what is drawn: the same seed draws the same images of a set for every measure,
	// whatever the number of cores.
	Seed uint64 `json:"seed"`
}

// maxResamples bounds what fits the memory. Intervals of more do not get better.
const maxResamples = 1_000_000

// Check returns an error if the number of resamples is not possible.
func (b Bootstrap) Check() error {
	if b.Resamples < 0 || b.Resamples > maxResamples {
		return fmt.Errorf("%d resamples: give from 0 to %d", b.Resamples, maxResamples)
	}
	return nil
}

// Interval is a 95 % percentile interval: the 2.5th and the 97.5th percentile of the resamples,
// each the smallest value that at least this share of them does not exceed.
type Interval [2]float64

// newInterval returns the interval of the values of at least one resample, which it sorts.
func newInterval(values []float64) Interval {
	slices.Sort(values)
	return Interval{stat.Quantile(0.025, stat.Empirical, values, nil), stat.Quantile(0.975, stat.Empirical, values, nil)}
}

// draws says how often each image of each side is in a resample.
type draws [][]int32

// collect computes a row of measures on every resample, on all cores, and returns one slice of
// values for each measure. newMeasure returns the function that one core uses. That function
// returns false if the resample holds too little to measure, which leaves the resample out. collect
// returns nil if half of the resamples or more are left out, or if the bootstrap is off.
func (b Bootstrap) collect(images []int, measures int, newMeasure func() func(draws, []float64) bool) [][]float64 {
	if b.Resamples <= 0 {
		return nil
	}
	rows, ok := make([]float64, b.Resamples*measures), make([]bool, b.Resamples)
	var group errgroup.Group
	workers := runtime.GOMAXPROCS(0)
	for first := range workers {
		group.Go(func() error {
			measure := newMeasure()
			drawn := make(draws, len(images))
			for side, n := range images {
				drawn[side] = make([]int32, n)
			}
			for i := first; i < b.Resamples; i += workers {
				drawn.draw(b.Seed, i)
				ok[i] = measure(drawn, rows[i*measures:(i+1)*measures])
			}
			return nil
		})
	}
	_ = group.Wait() // no worker fails

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

// draw draws resample i. Each side has its own stream, so that what is drawn on one does not depend
// on the size of the other.
func (d draws) draw(seed uint64, i int) {
	for side, counts := range d {
		clear(counts)
		r := data.RandomStream(seed, uint64(i), uint64(side))
		for range counts {
			counts[r.IntN(len(counts))]++
		}
	}
}
