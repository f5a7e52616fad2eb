package viz

import (
	"image/color"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// steps draws a histogram as one outline, over a pale area if there is a fill.
type steps struct {
	edges, heights []float64 // one edge more than heights
	fill           color.Color
	outline        draw.LineStyle
}

// Plot implements [plot.Plotter].
func (s steps) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	outline := []vg.Point{{X: toX(s.edges[0]), Y: toY(0)}}
	for i, h := range s.heights {
		outline = append(outline,
			vg.Point{X: toX(s.edges[i]), Y: toY(h)}, vg.Point{X: toX(s.edges[i+1]), Y: toY(h)})
	}
	outline = append(outline, vg.Point{X: toX(s.edges[len(s.heights)]), Y: toY(0)})
	if s.fill != nil {
		c.FillPolygon(s.fill, c.ClipPolygonXY(outline))
	}
	c.StrokeLines(s.outline, c.ClipLinesXY(outline)...)
}

// DataRange implements [plot.DataRanger].
func (s steps) DataRange() (xmin, xmax, ymin, ymax float64) {
	return s.edges[0], s.edges[len(s.edges)-1], 0, slices.Max(s.heights)
}

// band fills the area between two lines over the same x.
type band struct {
	x, low, high []float64
	fill         color.Color
}

// Plot implements [plot.Plotter].
func (b band) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	var area []vg.Point
	for i, x := range b.x {
		area = append(area, vg.Point{X: toX(x), Y: toY(b.low[i])})
	}
	for i, x := range slices.Backward(b.x) {
		area = append(area, vg.Point{X: toX(x), Y: toY(b.high[i])})
	}
	c.FillPolygon(b.fill, c.ClipPolygonXY(area))
}

// DataRange implements [plot.DataRanger].
func (b band) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax = plotter.Range(plotter.Values(b.x))
	return xmin, xmax, slices.Min(b.low), slices.Max(b.high)
}
