package explore

import (
	"cmp"
	"math"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// nearestFinder finds the rows nearest to other features by Euclidean distance.
type nearestFinder struct {
	rows    *mat.Dense // [n][dim]
	squares []float64  // squared lengths of the rows
}

// newNearestFinder returns a finder of rows [n][dim], n at least 1.
func newNearestFinder(rows [][]float32) *nearestFinder {
	f := &nearestFinder{rows: dense(rows)}
	for i := range rows {
		row := f.rows.RowView(i)
		f.squares = append(f.squares, mat.Dot(row, row))
	}
	return f
}

// find returns, for each of the others [m][dim], the indices of the k nearest rows, nearest first;
// of all rows if there are fewer. Of rows at the same distance the earlier comes first.
func (f *nearestFinder) find(others [][]float32, k int) [][]int {
	var products mat.Dense // |row|^2 - 2 row.other orders the rows as the distance does
	products.Mul(dense(others), f.rows.T())
	near := make([][]int, len(others))
	for i := range near {
		distance := func(j int) float64 { return f.squares[j] - 2*products.At(i, j) }
		var best []int
		for j := range f.squares {
			if len(best) == k && distance(j) >= distance(best[k-1]) {
				continue
			}
			at, _ := slices.BinarySearchFunc(best, j, func(a, b int) int { return cmp.Or(cmp.Compare(distance(a), distance(b)), cmp.Compare(a, b)) })
			best = slices.Insert(best, at, j)
			best = best[:min(k, len(best))]
		}
		near[i] = best
	}
	return near
}

// distances returns the Euclidean distance of each of the others [m][dim] to its nearest row. self,
// unless nil, holds the row that each of them is itself, which does not count. The distance is NaN
// if there is no other row.
func (f *nearestFinder) distances(others [][]float32, self []int) []float64 {
	distances := make([]float64, len(others))
	from := dense(others)
	for i, near := range f.find(others, 2) {
		distances[i] = math.NaN()
		for _, row := range near {
			if self == nil || row != self[i] {
				distances[i] = floats.Distance(from.RawRowView(i), f.rows.RawRowView(row), 2)
				break
			}
		}
	}
	return distances
}

// dense returns rows [n][dim], n at least 1, as a matrix.
func dense(rows [][]float32) *mat.Dense {
	out := mat.NewDense(len(rows), len(rows[0]), nil)
	for i, row := range rows {
		for j, v := range row {
			out.Set(i, j, float64(v))
		}
	}
	return out
}
