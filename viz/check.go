package viz

import (
	"fmt"
	"math"

	"gonum.org/v1/plot/plotter"
)

// Group is a named sample of numbers: the scores of inliers, say.
type Group struct {
	Name   string
	Values []float64
	Color  Color
}

// finite returns the finite values and how many others there are.
func finite(values []float64) (kept []float64, others int) {
	kept = make([]float64, 0, len(values))
	for _, v := range values {
		if isFinite(v) {
			kept = append(kept, v)
		}
	}
	return kept, len(values) - len(kept)
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// sameLength reports coordinates that do not pair up.
func sameLength(kind, name, xName, yName string, x, y []float64) error {
	if len(x) != len(y) {
		return fmt.Errorf("viz: %s %q: %d values of %s but %d of %s: give one for each", kind, name, len(x), xName, len(y), yName)
	}
	return nil
}

// checkRows reports rows that are no matrix of finite numbers.
func checkRows(kind string, rows [][]float64) error {
	for i, row := range rows {
		if len(row) != len(rows[0]) || len(row) == 0 {
			return fmt.Errorf("viz: %s: row %d has %d columns, row 0 has %d: all have the same, at least one", kind, i, len(row), len(rows[0]))
		}
		for j, v := range row {
			if !isFinite(v) {
				return fmt.Errorf("viz: %s: row %d, column %d is %v: leave the row out", kind, i, j, v)
			}
		}
	}
	return nil
}

// checkMarks reports marks that have no place on an axis.
func checkMarks(kind string, marks []Mark) error {
	for _, m := range marks {
		if !isFinite(m.At) {
			return fmt.Errorf("viz: %s: mark %q is at %v: give a finite value", kind, m.Label, m.At)
		}
	}
	return nil
}

// emptyRange is the data range of nothing; it leaves the axes as they are.
func emptyRange() (xmin, xmax, ymin, ymax float64) {
	return math.Inf(1), math.Inf(-1), math.Inf(1), math.Inf(-1)
}

// points pairs coordinates up.
func points(x, y []float64) plotter.XYs {
	xys := make(plotter.XYs, len(x))
	for i := range x {
		xys[i] = plotter.XY{X: x[i], Y: y[i]}
	}
	return xys
}

// maxDrawn is how many points of a line are drawn: more than a column's width can resolve.
const maxDrawn = 1200

// thin returns a line of at most maxDrawn points that looks like xys: it keeps the lowest and the
// highest point of equal stretches, and both ends. xys is sorted by x.
func thin(xys plotter.XYs) plotter.XYs {
	if len(xys) <= maxDrawn {
		return xys
	}
	const stretches = maxDrawn/2 - 1
	drawn := plotter.XYs{xys[0]}
	for s := range stretches {
		part := xys[len(xys)*s/stretches : len(xys)*(s+1)/stretches]
		low, high := 0, 0
		for i, p := range part {
			if p.Y < part[low].Y {
				low = i
			}
			if p.Y > part[high].Y {
				high = i
			}
		}
		drawn = append(drawn, part[min(low, high)])
		if low != high {
			drawn = append(drawn, part[max(low, high)])
		}
	}
	return append(drawn, xys[len(xys)-1])
}
