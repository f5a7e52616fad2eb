package viz

import (
	"cmp"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// regions are the probabilities of the regions that ellipses and contours enclose, from the
// innermost. Ellipses and contours use the same, so that a Gaussian and a flow can be compared line
// by line.
var regions = []float64{0.5, 0.9, 0.99}

// regionStyle draws the inner regions with stronger lines.
func regionStyle(c Color, i, region int) draw.LineStyle {
	widths := [...]vg.Length{1.3, 0.9, 0.6}
	return draw.LineStyle{Color: c.resolve(i), Width: widths[region]}
}

// Gaussian is a normal distribution in the plane, drawn as the ellipses that hold 50, 90 and 99 %
// of it.
type Gaussian struct {
	Name  string // groups with the same name share one legend entry; "" has none
	Mean  [2]float64
	Cov   [2][2]float64 // symmetric and positive definite
	Color Color
}

// addTo draws the ellipses. The points at squared Mahalanobis distance r² enclose 1 - exp(-r²/2) of
// a normal distribution in the plane.
func (g Gaussian) addTo(p *panel, i int) error {
	a, b, d := g.Cov[0][0], g.Cov[0][1], g.Cov[1][1]
	if !(a > 0 && a*d-b*b > 0) || b != g.Cov[1][0] || !isFinite(g.Mean[0]+g.Mean[1]+a+d) {
		return fmt.Errorf("viz: Gaussian %q: covariance %v is not symmetric and positive definite, or not finite", g.Name, g.Cov)
	}
	// Cov = L L^T with L lower triangular: the ellipse is the image of a circle.
	l00 := math.Sqrt(a)
	l10 := b / l00
	l11 := math.Sqrt(d - l10*l10)
	for region, mass := range regions {
		r := math.Sqrt(-2 * math.Log(1-mass))
		ellipse := make(plotter.XYs, 97)
		for k := range ellipse {
			sin, cos := math.Sincos(2 * math.Pi * float64(k) / float64(len(ellipse)-1))
			ellipse[k] = plotter.XY{X: g.Mean[0] + r*l00*cos, Y: g.Mean[1] + r*(l10*cos+l11*sin)}
		}
		p.axes.Add(&plotter.Line{XYs: ellipse, LineStyle: regionStyle(g.Color, i, region)})
	}
	p.explainOnce(g.Name, lineSample(regionStyle(g.Color, i, 0)))
	return nil
}

// Density is any density in the plane, known on a regular grid, drawn as the contours that enclose
// 50, 90 and 99 % of what the grid holds of it. The grid should reach well beyond that.
type Density struct {
	Name  string
	X, Y  []float64   // grid lines, ascending and evenly spaced, at least 3 each
	LogP  [][]float64 // [len(Y)][len(X)] natural logarithm of the density, up to a constant; may be -Inf
	Color Color
}

// NewDensity evaluates a density on an n by n grid over two intervals. The function gets all n²
// points (x, y) at once, as a model likes it, and returns their log-densities in the same order.
func NewDensity(name string, xRange, yRange [2]float64, n int, logP func(points [][]float64) ([]float64, error)) (Density, error) {
	x, y, logPs, err := evaluateGrid(xRange, yRange, n, logP)
	if err != nil {
		return Density{}, fmt.Errorf("viz: density %q: %w", name, err)
	}
	return Density{Name: name, X: x, Y: y, LogP: logPs}, nil
}

// evaluateGrid calls f with the n by n points of a regular grid over two intervals, and returns the
// grid lines and its values as [n][n], row by row of y.
func evaluateGrid(xRange, yRange [2]float64, n int, f func(points [][]float64) ([]float64, error)) (x, y []float64, z [][]float64, err error) {
	if n < 3 || !(xRange[0] < xRange[1]) || !(yRange[0] < yRange[1]) {
		return nil, nil, nil, fmt.Errorf("grid of %d lines over %v x %v: need 3 lines and ascending ranges", n, xRange, yRange)
	}
	x, y, z = make([]float64, n), make([]float64, n), make([][]float64, n)
	for i := range n {
		t := float64(i) / float64(n-1)
		x[i] = xRange[0]*(1-t) + xRange[1]*t
		y[i] = yRange[0]*(1-t) + yRange[1]*t
	}
	var at [][]float64
	for _, v := range y {
		for _, u := range x {
			at = append(at, []float64{u, v})
		}
	}
	values, err := f(at)
	if err != nil {
		return nil, nil, nil, err
	}
	if len(values) != len(at) {
		return nil, nil, nil, fmt.Errorf("%d values for %d points", len(values), len(at))
	}
	for i := range n {
		z[i] = values[i*n : (i+1)*n]
	}
	return x, y, z, nil
}

// addTo draws the contours and returns the grid point of the highest density.
func (d Density) addTo(p *panel, i int) (mode [2]float64, err error) {
	levels, mode, err := d.levels()
	if err != nil {
		return mode, err
	}
	// Contours are drawn on the log-density, cut a little under the lowest level: -Inf cannot be
	// interpolated.
	floor := slices.Min(levels) - 5
	surface := make([][]float64, len(d.LogP))
	for j, row := range d.LogP {
		surface[j] = make([]float64, len(row))
		for k, v := range row {
			surface[j][k] = max(v, floor)
		}
	}
	for region, level := range levels {
		for _, line := range isolines(d.X, d.Y, surface, level) {
			p.axes.Add(&plotter.Line{XYs: line, LineStyle: regionStyle(d.Color, i, region)})
		}
	}
	p.explainOnce(d.Name, lineSample(regionStyle(d.Color, i, 0)))
	return mode, nil
}

// levels returns the log-densities at which the region above holds each of the regions'
// probabilities.
func (d Density) levels() (levels []float64, mode [2]float64, err error) {
	fail := func(format string, args ...any) ([]float64, [2]float64, error) {
		return nil, mode, fmt.Errorf("viz: density %q: %s", d.Name, fmt.Sprintf(format, args...))
	}
	if len(d.X) < 3 || len(d.Y) < 3 || len(d.LogP) != len(d.Y) {
		return fail("grid of %d by %d lines with %d rows: need 3 lines each and a row for each y", len(d.X), len(d.Y), len(d.LogP))
	}
	var all []float64
	highest := math.Inf(-1)
	for j, row := range d.LogP {
		if len(row) != len(d.X) {
			return fail("row %d has %d values for %d grid lines", j, len(row), len(d.X))
		}
		for k, v := range row {
			if math.IsNaN(v) || math.IsInf(v, 1) {
				return fail("log-density at (%v, %v) is %v", d.X[k], d.Y[j], v)
			}
			if v > highest {
				highest, mode = v, [2]float64{d.X[k], d.Y[j]}
			}
		}
		all = append(all, row...)
	}
	if math.IsInf(highest, -1) {
		return fail("it is zero everywhere on the grid: move the grid")
	}
	slices.SortFunc(all, func(a, b float64) int { return cmp.Compare(b, a) })
	total := 0.0
	for _, v := range all {
		total += math.Exp(v - highest)
	}
	mass := 0.0
	for _, v := range all {
		mass += math.Exp(v - highest)
		for len(levels) < len(regions) && mass >= regions[len(levels)]*total*(1-1e-12) {
			levels = append(levels, v)
		}
	}
	return levels, mode, nil
}
