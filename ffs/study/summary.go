package study

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"

	"ffslab/ffs/eval"
)

// Row is one measure of one method over all seeds.
type Row struct {
	Method string `json:"method"`
	Measure
	// Values are those of the seeds, in the order of Result.Seeds.
	Values []*float64 `json:"values"`
	Spread
	// Difference is the difference from the baseline; nil for the baseline itself.
	Difference *Difference `json:"difference,omitempty"`
}

// Difference is the value of a method minus that of the baseline.
type Difference struct {
	// Values are the differences between runs of the same seed, CI95 their intervals if the images,
	// the same for both runs, are resampled.
	Values []*float64       `json:"values"`
	CI95   []*eval.Interval `json:"ci95"`
	// Spread is the spread between seeds, which includes the randomness of training.
	Spread
	// BeyondNoise says whether neither the choice of the images nor that of the seed explains the
	// difference: the intervals of all seeds exclude 0 on the same side, and so does the 95 %
	// interval of the mean over the seeds (Student's t). It is nil with fewer than two seeds, or
	// without intervals. It does not correct for the number of comparisons.
	BeyondNoise *bool `json:"beyond_noise"`
}

// Spread is the mean over the seeds that have a value, nil without any, and their sample deviation
// (divided by n - 1), nil for fewer than two.
type Spread struct {
	Mean      *float64 `json:"mean"`
	Deviation *float64 `json:"deviation"`
}

// newSpread ignores nil values.
func newSpread(values []*float64) (s Spread, n int) {
	var present []float64
	for _, v := range values {
		if v != nil {
			present = append(present, *v)
		}
	}
	if len(present) == 0 {
		return s, 0
	}
	mean, deviation := stat.MeanStdDev(present, nil)
	s.Mean = &mean
	if len(present) > 1 {
		s.Deviation = &deviation
	}
	return s, len(present)
}

// summarise computes the rows from the values of the cells.
func (r *Result) summarise() {
	r.Rows = []Row{}
	for _, method := range r.Methods {
		for _, m := range measures(r.Outliers, r.scores()) {
			row := Row{Method: method, Measure: m, Values: make([]*float64, len(r.Seeds))}
			for i, seed := range r.Seeds {
				row.Values[i] = lookUp(r.values[cell{method, seed}], m)
			}
			var n int
			if row.Spread, n = newSpread(row.Values); n == 0 {
				continue
			}
			if method != r.Baseline {
				row.Difference = r.difference(row)
			}
			r.Rows = append(r.Rows, row)
		}
	}
}

// scores returns the names of all outlier scores that any cell has, in the order of the tables.
func (r *Result) scores() []string {
	var names []string
	for _, values := range r.values {
		for m := range values {
			if m.Score != "" && !slices.Contains(names, m.Score) {
				names = append(names, m.Score)
			}
		}
	}
	eval.SortScores(names)
	return names
}

// difference compares a row with that of the baseline.
func (r *Result) difference(row Row) *Difference {
	d := &Difference{Values: make([]*float64, len(r.Seeds)), CI95: make([]*eval.Interval, len(r.Seeds))}
	for i, seed := range r.Seeds {
		base := lookUp(r.values[cell{r.Baseline, seed}], row.Measure)
		if base == nil || row.Values[i] == nil {
			continue
		}
		difference := *row.Values[i] - *base
		d.Values[i] = &difference
		d.CI95[i] = lookUp(r.intervals[cell{row.Method, seed}], row.Measure)
	}
	var n int
	d.Spread, n = newSpread(d.Values)
	d.BeyondNoise = d.beyondNoise(n)
	return d
}

func (d *Difference) beyondNoise(n int) *bool {
	if n < 2 {
		return nil
	}
	side := math.Copysign(1, *d.Mean)
	beyond := math.Abs(*d.Mean) > d.halfLength()
	for i, v := range d.Values {
		if v == nil {
			continue
		}
		if d.CI95[i] == nil {
			return nil
		}
		beyond = beyond && d.CI95[i][0]*side > 0 && d.CI95[i][1]*side > 0
	}
	return &beyond
}

// halfLength is that of the 95 % interval of the mean over the seeds (Student's t); there are at
// least two.
func (d *Difference) halfLength() float64 {
	n := 0
	for _, v := range d.Values {
		if v != nil {
			n++
		}
	}
	return HalfLength(*d.Deviation, n)
}

// HalfLength is that of the 95 % interval of a mean (Student's t) of n values, at least two, with a
// sample deviation.
func HalfLength(deviation float64, n int) float64 {
	return distuv.StudentsT{Sigma: 1, Nu: float64(n - 1)}.Quantile(0.975) * deviation / math.Sqrt(float64(n))
}

// lookUp returns nil if the map lacks the key.
func lookUp[V any](values map[Measure]V, m Measure) *V {
	v, ok := values[m]
	if !ok {
		return nil
	}
	return &v
}
