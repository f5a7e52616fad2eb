package score

import (
	"fmt"
	"math"

	"gonum.org/v1/gonum/mat"
)

// Features holds what a detector computed for n boxes. Every part may be absent.
type Features struct {
	// From says where the rows come from, in errors: a file or an image set.
	From string
	// X holds the box features [n, d], the input of the class layer.
	X *mat.Dense
	// Classes is the number K of inlier classes.
	Classes int
	// Logits is [n, K], or [n, K+1] with the background last.
	Logits *mat.Dense
	// Labels are the annotated classes [n] of inliers to fit on, 0 to K-1. Score ignores them.
	Labels []int
	// Given holds scores that the detector computed itself, n numbers each, higher for more inlier.
	// FFS has "weighted_energy", "logistic" and "nll" (the negative NLL).
	Given map[string][]float64
}

// Layer is the class layer: logits = W x + B. The zero Layer is an unknown one.
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

// largestNumber bounds the features and logits that are accepted. It exceeds every float32, and
// squares and products of such numbers do not overflow.
const largestNumber = 1e39

// Check returns an error if parts contradict each other, or if a number is not finite or larger
// than any float32. The error names From and the row.
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
		return fault("logits have %d columns, but there are %d classes: want a column for each, and perhaps one for the background", f.Logits.RawMatrix().Cols, f.Classes)
	}
	if f.Labels != nil && len(f.Labels) != n {
		return fault("%d labels, want %d, one for each row", len(f.Labels), n)
	}
	for i, class := range f.Labels {
		if class < 0 || class >= f.Classes {
			return fault("row %d: class %d is out of range: there are %d classes, from 0", i, class, f.Classes)
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

// features returns X after Check. If columns is not 0, X must have that many columns, which the
// score was fitted on.
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

// byClass returns the indices of the rows of each class. A class without rows is an error.
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

// mean returns the mean of the given rows of x.
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

// all returns 0 to n-1.
func all(n int) []int {
	rows := make([]int, n)
	for i := range rows {
		rows[i] = i
	}
	return rows
}
