package viz

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Mark is a value on the x axis that a figure points out: the step at which something starts, or a
// threshold.
type Mark struct {
	At    float64 // in the units of the x axis
	Label string
}

// markLines draws marks as dashed vertical lines. The labels stand beside the lines at the top, one
// row lower for each further mark, to the left of a line that is too near the right end.
type markLines []Mark

// Plot implements [plot.Plotter].
func (marks markLines) Plot(c draw.Canvas, p *plot.Plot) {
	toX, _ := p.Transforms(&c)
	for _, m := range marks {
		c.StrokeLine2(dashed(draw.LineStyle{Color: inkColor, Width: 0.8}), toX(m.At), c.Min.Y, toX(m.At), c.Max.Y)
	}
	style := sans(smallSize)
	for i, m := range marks {
		if m.Label == "" {
			continue
		}
		x := toX(m.At)
		left, right := x-c.Min.X, c.Max.X-x
		label := shorten(style, m.Label, max(left, right)-6)
		width := style.Width(label)
		at := vg.Point{X: x + 3, Y: c.Max.Y - style.Font.Size*(1.1+1.4*vg.Length(i))}
		if width+6 > right {
			at.X = x - 3 - width
		}
		// A pale ground keeps the label legible where it crosses curves.
		ground := vg.Rectangle{
			Min: vg.Point{X: at.X - 1, Y: at.Y - 2},
			Max: vg.Point{X: at.X + width + 1, Y: at.Y + style.Font.Size - 0.5},
		}
		c.SetColor(faint(white, 0.85))
		c.Fill(ground.Path())
		c.FillText(style, at, label)
	}
}

// DataRange implements [plot.DataRanger], so that a mark is never outside the axes.
func (marks markLines) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax, ymin, ymax = emptyRange()
	for _, m := range marks {
		xmin, xmax = min(xmin, m.At), max(xmax, m.At)
	}
	return xmin, xmax, ymin, ymax
}
