package viz

import (
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// dots are points of several groups in the order in which they are drawn. Those outside the axes
// are left out.
type dots []dot

type dot struct {
	at    plotter.XY
	style draw.GlyphStyle
	turn  float64 // by which a caller may sort
}

// Plot implements [plot.Plotter].
func (ds dots) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	for _, d := range ds {
		if at := (vg.Point{X: toX(d.at.X), Y: toY(d.at.Y)}); c.Contains(at) {
			c.DrawGlyph(d.style, at)
		}
	}
}

// DataRange implements [plot.DataRanger].
func (ds dots) DataRange() (xmin, xmax, ymin, ymax float64) {
	xmin, xmax, ymin, ymax = emptyRange()
	for _, d := range ds {
		xmin, xmax, ymin, ymax = min(xmin, d.at.X), max(xmax, d.at.X), min(ymin, d.at.Y), max(ymax, d.at.Y)
	}
	return xmin, xmax, ymin, ymax
}

// pointLabels are names beside points, on a pale ground that keeps them legible.
type pointLabels []pointLabel

type pointLabel struct {
	at   plotter.XY
	text string
}

// Plot implements [plot.Plotter].
func (ls pointLabels) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	style := bold(sans(smallSize))
	for _, l := range ls {
		at := vg.Point{X: toX(l.at.X), Y: toY(l.at.Y)}
		if !c.Contains(at) {
			continue
		}
		label := shorten(style, l.text, c.Size().X/3)
		width, away := style.Width(label), vg.Length(4.5)
		if at.X+away+width > c.Max.X { // to the left of a point that is too near the right end
			away = -away - width
		}
		at = vg.Point{X: at.X + away, Y: at.Y - style.Font.Size*0.35}
		c.SetColor(faint(white, 0.8))
		c.Fill(vg.Rectangle{
			Min: vg.Point{X: at.X - 1, Y: at.Y - 1.5}, Max: vg.Point{X: at.X + width + 1, Y: at.Y + style.Font.Size*0.85},
		}.Path())
		c.FillText(style, at, label)
	}
}
