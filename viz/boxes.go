package viz

import (
	"errors"
	"fmt"
	"image/color"
	"slices"
	"strings"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// BoxPlot compares how groups are spread: the same measure over seeds for several methods, say.
type BoxPlot struct {
	Title  string
	YLabel string // with units
	Groups []Group
}

// fewValues is the size up to which a group's values are all drawn: a box of three seeds says
// little.
const fewValues = 30

// Figure draws for each group the median, a box over the middle half, and whiskers from the 5th to
// the 95th percentile; of up to 30 values all are drawn, too. The names carry the group's size, in
// a second row. Quantiles interpolate linearly. The CSV has the columns group, n, mean, p05, p25,
// median, p75, p95. It fails for no group and for a group without finite values.
func (b BoxPlot) Figure() (*Figure, error) {
	if len(b.Groups) == 0 {
		return nil, errors.New("viz: box plot: no groups: give at least one")
	}
	data := table{header: []string{"group", "n", "mean", "p05", "p25", "median", "p75", "p95"}}
	names := make([]string, len(b.Groups))
	boxes := make([]plot.Plotter, len(b.Groups))
	for i, g := range b.Groups {
		values, lost := finite(g.Values)
		if len(values) == 0 {
			return nil, fmt.Errorf("viz: box plot: group %q: none of its %d values is finite: leave the group out", g.Name, len(g.Values))
		}
		names[i] = strings.Replace(groupLabel(g.Name, len(values), 0, lost), " (n =", "\n(n =", 1)
		box := boxGlyph{at: float64(i), color: g.Color.resolve(i)}
		mean := stat.Mean(values, nil)
		if len(values) <= fewValues {
			box.values = slices.Clone(values)
		}
		slices.Sort(values)
		for q, probability := range []float64{0.05, 0.25, 0.5, 0.75, 0.95} {
			box.quantiles[q] = quantile(values, probability)
		}
		q := box.quantiles
		data.add(g.Name, len(values), mean, q[0], q[1], q[2], q[3], q[4])
		boxes[i] = box
	}
	p := &panel{title: b.Title, axes: newNominalPlot(names, b.YLabel)}
	p.axes.Add(boxes...)
	padLinear(&p.axes.Y)
	return p.figure(6, data), nil
}

// quantile interpolates between the order statistics of sorted values; the smallest is the quantile
// of 0, the largest of 1.
func quantile(sorted []float64, probability float64) float64 {
	at := probability * float64(len(sorted)-1)
	i := min(int(at), len(sorted)-1)
	j := min(i+1, len(sorted)-1)
	return sorted[i] + (at-float64(i))*(sorted[j]-sorted[i])
}

// boxGlyph is one box with its whiskers.
type boxGlyph struct {
	at        float64
	quantiles [5]float64 // 5, 25, 50, 75, 95 %
	values    []float64  // drawn as points, in their given order
	color     color.NRGBA
}

// Plot implements [plot.Plotter].
func (b boxGlyph) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	left, centre, right := toX(b.at-0.25), toX(b.at), toX(b.at+0.25)
	var y [5]vg.Length
	for i, q := range b.quantiles {
		y[i] = toY(q)
	}
	style := draw.LineStyle{Color: b.color, Width: 0.8}
	c.StrokeLine2(style, centre, y[0], centre, y[1])
	c.StrokeLine2(style, centre, y[3], centre, y[4])
	corners := []vg.Point{{X: left, Y: y[1]}, {X: right, Y: y[1]}, {X: right, Y: y[3]}, {X: left, Y: y[3]}, {X: left, Y: y[1]}}
	c.FillPolygon(faint(b.color, 0.25), corners)
	c.StrokeLines(style, corners)
	c.StrokeLine2(draw.LineStyle{Color: b.color, Width: 1.6}, left, y[2], right, y[2])
	// The points are spread sideways in their order, so that equal values stay apart.
	dot := draw.GlyphStyle{Color: b.color, Radius: 1.4, Shape: draw.CircleGlyph{}}
	for i, v := range b.values {
		aside := 0.0
		if len(b.values) > 1 {
			aside = 0.36 * (float64(i)/float64(len(b.values)-1) - 0.5)
		}
		c.DrawGlyph(dot, vg.Point{X: toX(b.at + aside), Y: toY(v)})
	}
}

// DataRange implements [plot.DataRanger].
func (b boxGlyph) DataRange() (xmin, xmax, ymin, ymax float64) {
	ymin, ymax = b.quantiles[0], b.quantiles[4]
	for _, v := range b.values {
		ymin, ymax = min(ymin, v), max(ymax, v)
	}
	return b.at - 0.5, b.at + 0.5, ymin, ymax
}
