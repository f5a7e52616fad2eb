package viz

import (
	"gonum.org/v1/plot/plotter"
)

// isolines returns the lines at which a surface on a regular grid crosses a level, by marching
// squares: open lines from border to border first, then closed ones, always in the same order.
// (gonum's own contours join their pieces in the random order of a map.) z is [len(y)][len(x)] and
// finite.
func isolines(x, y []float64, z [][]float64, level float64) []plotter.XYs {
	columns, rows := len(x), len(y)
	// A line is a chain of grid edges that it crosses. The edge from grid point (i, j) to the right
	// has the number 2(j*columns + i), the one upwards that number + 1.
	right := func(i, j int) int { return 2 * (j*columns + i) }
	up := func(i, j int) int { return right(i, j) + 1 }
	above := func(i, j int) bool { return z[j][i] >= level }
	links := make([][]int, 2*columns*rows) // of each edge to the next ones of its chain, at most two
	link := func(a, b int) {
		links[a], links[b] = append(links[a], b), append(links[b], a)
	}
	for j := range rows - 1 {
		for i := range columns - 1 {
			var crossed []int // edges of this cell, counter-clockwise from the bottom
			for _, side := range [...]struct {
				edge int
				a, b bool
			}{
				{right(i, j), above(i, j), above(i+1, j)},
				{up(i+1, j), above(i+1, j), above(i+1, j+1)},
				{right(i, j+1), above(i+1, j+1), above(i, j+1)},
				{up(i, j), above(i, j+1), above(i, j)},
			} {
				if side.a != side.b {
					crossed = append(crossed, side.edge)
				}
			}
			switch len(crossed) {
			case 2:
				link(crossed[0], crossed[1])
			case 4: // a saddle: the middle decides which corners belong together
				middle := (z[j][i]+z[j][i+1]+z[j+1][i]+z[j+1][i+1])/4 >= level
				if middle == above(i, j) {
					link(crossed[0], crossed[1])
					link(crossed[2], crossed[3])
				} else {
					link(crossed[3], crossed[0])
					link(crossed[1], crossed[2])
				}
			}
		}
	}

	crossing := func(edge int) plotter.XY {
		i, j := edge/2%columns, edge/2/columns
		if edge%2 == 0 {
			t := (level - z[j][i]) / (z[j][i+1] - z[j][i])
			return plotter.XY{X: x[i] + t*(x[i+1]-x[i]), Y: y[j]}
		}
		t := (level - z[j][i]) / (z[j+1][i] - z[j][i])
		return plotter.XY{X: x[i], Y: y[j] + t*(y[j+1]-y[j])}
	}
	seen := make([]bool, len(links))
	var lines []plotter.XYs
	for _, ends := range []int{1, 2} { // chains with ends, then rings
		for edge := range links {
			if seen[edge] || len(links[edge]) != ends {
				continue
			}
			var chain plotter.XYs
			for at := edge; at >= 0; {
				seen[at] = true
				chain = append(chain, crossing(at))
				next := -1
				for _, candidate := range links[at] {
					if !seen[candidate] {
						next = candidate
						break
					}
				}
				at = next
			}
			if ends == 2 {
				chain = append(chain, chain[0])
			}
			lines = append(lines, chain)
		}
	}
	return lines
}
