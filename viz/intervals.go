package viz

import (
	"errors"
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Intervals compares estimates and their intervals, row by row (a forest plot): scores on several
// outlier sets, say.
type Intervals struct {
	Title  string
	XLabel string // with units
	Rows   []string
	Series []IntervalSeries
	Marks  []Mark
}

// IntervalSeries is one estimate in each row. Where a value is NaN nothing is drawn, where an end
// is NaN no interval.
type IntervalSeries struct {
	Name      string
	Values    []float64
	Low, High []float64 // ends of the intervals; nil for none at all
	Color     Color
}

// Figure draws the rows from top to bottom, and the series of a row under one another. The CSV has
// the columns row, series, value, low, high. It fails for no row or series, a number of values that
// is not that of the rows, and infinite values.
func (v Intervals) Figure() (*Figure, error) {
	if len(v.Rows) == 0 || len(v.Series) == 0 {
		return nil, errors.New("viz: intervals: give at least one row and one series")
	}
	p := &panel{title: v.Title, axes: newAxes(v.XLabel, "")}
	y := &p.axes.Y
	above := 0.0 // rows for the marks' labels, so that they hide no value
	for _, m := range v.Marks {
		if m.Label != "" {
			above += 0.75
		}
	}
	y.Min, y.Max = -0.5, float64(len(v.Rows))-0.5+above
	y.Tick.Color = color.Transparent // only a distance
	ticks := make(plot.ConstantTicks, len(v.Rows))
	for i, name := range v.Rows {
		ticks[i] = plot.Tick{Value: float64(len(v.Rows) - 1 - i), Label: shorten(y.Tick.Label, name, 110)}
	}
	y.Tick.Marker = ticks
	grid := plotter.NewGrid()
	grid.Vertical, grid.Horizontal = draw.LineStyle{Color: gridColor, Width: 0.5}, draw.LineStyle{}
	p.axes.Add(grid)
	data := table{header: []string{"row", "series", "value", "low", "high"}}
	for s, series := range v.Series {
		if len(series.Values) != len(v.Rows) || (series.Low != nil || series.High != nil) && (len(series.Low) != len(v.Rows) || len(series.High) != len(v.Rows)) {
			return nil, fmt.Errorf("viz: intervals: series %q: %d values, %d and %d ends for %d rows", series.Name, len(series.Values), len(series.Low), len(series.High), len(v.Rows))
		}
		glyphs := intervalGlyphs{color: series.Color.resolve(s)}
		for i, value := range series.Values {
			low, high := math.NaN(), math.NaN()
			if series.Low != nil {
				low, high = series.Low[i], series.High[i]
			}
			if math.IsInf(value, 0) || math.IsInf(low, 0) || math.IsInf(high, 0) {
				return nil, fmt.Errorf("viz: intervals: series %q: row %q: %v [%v, %v] cannot be drawn", series.Name, v.Rows[i], value, low, high)
			}
			data.add(v.Rows[i], series.Name, value, low, high)
			if math.IsNaN(value) {
				continue
			}
			aside := 0.7 * ((float64(s)+0.5)/float64(len(v.Series)) - 0.5)
			glyphs.points = append(glyphs.points, intervalPoint{float64(len(v.Rows)-1-i) - aside, value, low, high})
		}
		p.axes.Add(glyphs)
		if len(v.Series) > 1 {
			p.explain(series.Name, glyphSample(glyphs.glyph()))
		}
	}
	if len(v.Marks) > 0 {
		p.axes.Add(markLines(v.Marks))
	}
	padLinear(&p.axes.X)
	return p.figure(2.5+0.42*(float64(len(v.Rows))+above), data), nil
}

type intervalPoint struct{ y, value, low, high float64 }

// intervalGlyphs draws the points of a series and their intervals.
type intervalGlyphs struct {
	points []intervalPoint
	color  color.NRGBA
}

func (g intervalGlyphs) glyph() draw.GlyphStyle {
	return draw.GlyphStyle{Color: g.color, Radius: 1.8, Shape: draw.CircleGlyph{}}
}

// Plot implements [plot.Plotter].
func (g intervalGlyphs) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	for _, at := range g.points {
		if !math.IsNaN(at.low) && !math.IsNaN(at.high) {
			c.StrokeLine2(draw.LineStyle{Color: g.color, Width: 0.8}, toX(at.low), toY(at.y), toX(at.high), toY(at.y))
		}
		c.DrawGlyph(g.glyph(), vg.Point{X: toX(at.value), Y: toY(at.y)})
	}
}

// DataRange implements [plot.DataRanger]. The rows are there whether they have points or not.
func (g intervalGlyphs) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax, ymin, ymax = emptyRange()
	for _, at := range g.points {
		for _, x := range []float64{at.low, at.value, at.high} {
			if !math.IsNaN(x) {
				xmin, xmax = min(xmin, x), max(xmax, x)
			}
		}
	}
	return xmin, xmax, ymin, ymax
}
