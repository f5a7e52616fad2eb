package viz

import (
	"errors"
	"fmt"
	"image/color"
	"math"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Bars compares groups over categories: methods over data sets, or runs over classes.
type Bars struct {
	Title      string
	YLabel     string // with units
	Categories []string
	Groups     []BarGroup
	Decimals   int // of the numbers above the bars; negative leaves them out
}

// BarGroup is one bar in each category.
type BarGroup struct {
	Name   string
	Values []float64 // one for each category; NaN for none
	Errors []float64 // half lengths of the error bars, one for each category; nil for none
	Color  Color
}

// Figure draws the bars from zero, with their numbers where they fit. The CSV has the columns
// category, group, value, error. It fails for no category or group, and for a number of values that
// is not that of the categories.
func (b Bars) Figure() (*Figure, error) {
	if len(b.Categories) == 0 || len(b.Groups) == 0 {
		return nil, errors.New("viz: bars: give at least one category and one group")
	}
	p := &panel{title: b.Title, axes: newNominalPlot(b.Categories, b.YLabel)}
	data := table{header: []string{"category", "group", "value", "error"}}
	width := 0.8 / float64(len(b.Groups)) // of a bar; the categories are 1 apart
	for i, g := range b.Groups {
		if len(g.Values) != len(b.Categories) || g.Errors != nil && len(g.Errors) != len(b.Categories) {
			return nil, fmt.Errorf("viz: bars: group %q: %d values and %d errors for %d categories",
				g.Name, len(g.Values), len(g.Errors), len(b.Categories))
		}
		bars := barSet{
			left: -0.4 + width*float64(i), width: width,
			values: g.Values, errors: g.Errors, fill: g.Color.resolve(i), decimals: b.Decimals,
		}
		for k, category := range b.Categories {
			v, e := g.Values[k], bars.halfLength(k)
			if math.IsInf(v, 0) || !(e >= 0) || math.IsInf(e, 0) {
				return nil, fmt.Errorf("viz: bars: group %q: value %v with error %v in category %q cannot be drawn",
					g.Name, v, e, category)
			}
			data.add(category, g.Name, v, e)
		}
		p.axes.Add(bars)
		if len(b.Groups) > 1 {
			p.explain(g.Name, areaSample{fill: bars.fill})
		}
	}
	// Air for the numbers above the bars.
	air := 0.1 * (p.axes.Y.Max - p.axes.Y.Min)
	p.axes.Y.Max += air
	if p.axes.Y.Min < 0 {
		p.axes.Y.Min -= air
	}
	return p.figure(6, data), nil
}

// barSet is the bars of one group; category k is centred at x = k.
type barSet struct {
	left, width    float64 // relative to the centre of the category
	values, errors []float64
	fill           color.NRGBA
	decimals       int
}

func (b barSet) halfLength(k int) float64 {
	if b.errors == nil {
		return 0
	}
	return b.errors[k]
}

// Plot implements [plot.Plotter].
func (b barSet) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	style := sans(smallSize - 1)
	for k, v := range b.values {
		if math.IsNaN(v) {
			continue
		}
		x0, x1 := toX(float64(k)+b.left), toX(float64(k)+b.left+b.width)
		x0, x1 = x0+0.4, x1-0.4 // a hair between neighbours
		y0, y1 := toY(0), toY(v)
		c.FillPolygon(b.fill, []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}})
		tip := y1
		if e := b.halfLength(k); e > 0 {
			centre := (x0 + x1) / 2
			tip = toY(v + math.Copysign(e, v))
			c.StrokeLine2(draw.LineStyle{Color: inkColor, Width: 0.7}, centre, toY(v-e), centre, toY(v+e))
			for _, end := range []vg.Length{toY(v - e), toY(v + e)} {
				c.StrokeLine2(draw.LineStyle{Color: inkColor, Width: 0.7}, centre-2, end, centre+2, end)
			}
		}
		number := minus(strconv.FormatFloat(v, 'f', max(b.decimals, 0), 64))
		if b.decimals < 0 || style.Width(number) > x1-x0+4 {
			continue
		}
		at := vg.Point{X: (x0+x1)/2 - style.Width(number)/2, Y: tip + 2}
		if v < 0 {
			at.Y = tip - style.Font.Size
		}
		c.FillText(style, at, number)
	}
}

// DataRange implements [plot.DataRanger].
func (b barSet) DataRange() (xmin, xmax, ymin, ymax float64) {
	for k, v := range b.values {
		if !math.IsNaN(v) {
			ymin = min(ymin, v-b.halfLength(k))
			ymax = max(ymax, v+b.halfLength(k))
		}
	}
	return -0.5, float64(len(b.values)) - 0.5, min(ymin, 0), max(ymax, 0)
}
