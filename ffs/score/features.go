package score

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Features are what a detector computed for n boxes. Every part may be absent.
type Features struct {
	// From says where the rows are from, for errors: a file or a set.
	From string
	// X holds the box features, [n, d]: the input of the class layer.
	X *mat.Dense
	// Classes is the number K of inlier classes.
	Classes int
	// Logits is [n, K], or [n, K+1] with the background last.
	Logits *mat.Dense
	// Labels are the classes of the rows, from 0 to K-1. Those of inliers are annotated where they can be.
	Labels []int
	// Given holds columns of n scores that the detector has computed itself, oriented so that higher means more inlier: "weighted_energy",
	// "logistic" and "nll" (the negative NLL) of FFS.
	Given map[string][]float64
}

// Layer is the class layer: logits = W x + B. Its zero value stands for a layer that is not known.
type Layer struct {
	W *mat.Dense // [K, d], or [K+1, d] with the background last
	B []float64  // [K] or [K+1]
}

// Len returns the number of rows.
func (f Features) Len() int {
	switch {
	case f.X != nil:
		return f.X.RawMatrix().Rows
	case f.Logits != nil:
		return f.Logits.RawMatrix().Rows
	}
	for _, column := range f.Given {
		return len(column)
	}
	return len(f.Labels)
}

// largestNumber is the largest feature or logit that is accepted, above all that float32 holds: squares and products of such numbers do not overflow.
const largestNumber = 1e39

// Check returns an error, which names From and the row, if parts contradict each other or a number is not finite, or larger than any of float32.
func (f Features) Check() error {
	n := f.Len()
	fault := func(format string, args ...any) error {
		from := f.From
		if from == "" {
			from = "rows"
		}
		return fmt.Errorf("%s: %s", from, fmt.Sprintf(format, args...))
	}
	for _, part := range []struct {
		name string
		m    *mat.Dense
	}{{"features", f.X}, {"logits", f.Logits}} {
		if part.m == nil {
			continue
		}
		raw := part.m.RawMatrix()
		if raw.Rows != n {
			return fault("%d rows of %s, want %d", raw.Rows, part.name, n)
		}
		for i := range raw.Rows {
			for j, v := range part.m.RawRowView(i) {
				if math.IsNaN(v) || math.Abs(v) > largestNumber {
					return fault("%s: row %d, column %d is %g", part.name, i, j, v)
				}
			}
		}
	}
	if f.Logits != nil && (f.Classes < 1 || f.Logits.RawMatrix().Cols-f.Classes > 1 || f.Logits.RawMatrix().Cols < f.Classes) {
		return fault("logits have %d columns, which fits neither %d classes nor these and the background", f.Logits.RawMatrix().Cols, f.Classes)
	}
	if f.Labels != nil && len(f.Labels) != n {
		return fault("%d classes, want %d, one a row", len(f.Labels), n)
	}
	for i, class := range f.Labels {
		if class < 0 || class >= f.Classes {
			return fault("row %d: class %d is none of %d, which are counted from 0", i, class, f.Classes)
		}
	}
	for name, column := range f.Given {
		if len(column) != n {
			return fault("%d values of %s, want %d", len(column), name, n)
		}
		for i, v := range column {
			if math.IsNaN(v) || math.IsInf(v, 0) {
				return fault("%s: row %d is %g", name, i, v)
			}
		}
	}
	return nil
}

// features returns X, checked: with the number of columns, 0 for any, that a score was fitted on.
func (f Features) features(name string, columns int) (*mat.Dense, error) {
	if f.X == nil {
		return nil, missing(name, "box features", f.From)
	}
	if err := f.Check(); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if got := f.X.RawMatrix().Cols; columns > 0 && got != columns {
		return nil, fmt.Errorf("%s: %s: features have %d columns, but the score is fitted on %d", name, f.From, got, columns)
	}
	return f.X, nil
}

// byClass returns the rows of each class. A class without any is an error.
func (f Features) byClass(name string) ([][]int, error) {
	if f.Labels == nil {
		return nil, missing(name, "classes of the rows", f.From)
	}
	rows := make([][]int, f.Classes)
	for i, class := range f.Labels {
		rows[class] = append(rows[class], i)
	}
	for class, of := range rows {
		if len(of) == 0 {
			return nil, fmt.Errorf("%s: %s: class %d of %d has no features to fit on", name, f.From, class, f.Classes)
		}
	}
	return rows, nil
}

// mean returns the mean of some rows of x.
func mean(x *mat.Dense, rows []int) []float64 {
	sum := make([]float64, x.RawMatrix().Cols)
	for _, i := range rows {
		for j, v := range x.RawRowView(i) {
			sum[j] += v
		}
	}
	for j := range sum {
		sum[j] /= float64(len(rows))
	}
	return sum
}

// all returns the indices of all n rows.
func all(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}
