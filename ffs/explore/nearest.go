package explore

import (
	"cmp"
	"slices"

	"gonum.org/v1/gonum/floats"
	"gonum.org/v1/gonum/mat"
)

// nearestFinder finds the rows that lie nearest to others, by Euclidean distance.
type nearestFinder struct {
	rows    *mat.Dense // [n][dim]
	squares []float64  // of the rows' lengths
}

// newNearestFinder takes rows [n][dim], n at least 1.
func newNearestFinder(rows [][]float32) *nearestFinder {
	f := &nearestFinder{rows: dense(rows)}
	for i := range rows {
		row := f.rows.RowView(i)
		f.squares = append(f.squares, mat.Dot(row, row))
	}
	return f
}

// find returns, for each of the others [m][dim], the places of the k nearest rows, the nearest first, the earlier first among equals; of all rows if there are
// fewer.
func (f *nearestFinder) find(others [][]float32, k int) [][]int {
	var products mat.Dense // the distance is |row|^2 - 2 row.other + |other|^2, of which the last is the same for all rows
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

// distances returns the Euclidean distance of each of the others [m][dim] to its nearest row.
func (f *nearestFinder) distances(others [][]float32) []float64 {
	distances := make([]float64, len(others))
	at := dense(others)
	for i, near := range f.find(others, 1) {
		distances[i] = f.distance(at.RawRowView(i), near[0])
	}
	return distances
}

// toOthers returns the distance of each row to the nearest other row; there are at least two.
func (f *nearestFinder) toOthers() []float64 {
	n, _ := f.rows.Dims()
	distances := make([]float64, n)
	rows := make([][]float32, n)
	for i := range rows {
		for _, v := range f.rows.RawRowView(i) {
			rows[i] = append(rows[i], float32(v))
		}
	}
	for i, near := range f.find(rows, 2) {
		other := near[0]
		if other == i {
			other = near[1]
		}
		distances[i] = f.distance(f.rows.RawRowView(i), other)
	}
	return distances
}

func (f *nearestFinder) distance(from []float64, row int) float64 {
	return floats.Distance(from, f.rows.RawRowView(row), 2)
}

func dense(rows [][]float32) *mat.Dense {
	out := mat.NewDense(len(rows), len(rows[0]), nil)
	for i, row := range rows {
		for j, v := range row {
			out.Set(i, j, float64(v))
		}
	}
	return out
}
