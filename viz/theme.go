package viz

import (
	"fmt"
	"image/color"
	"math"

	xfont "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/font/liberation"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Widths of a figure in centimetres, as journals and conferences print them.
const (
	ColumnWidth = 8.5  // one column of a two-column page
	PageWidth   = 17.5 // the whole page
)

// Color names one colour of the palette of Okabe and Ito ("Color Universal Design", 2008), which
// stays distinguishable with any form of colour blindness. The zero value Auto takes the next
// colour in turn.
type Color int

// The palette in the order of Auto, which never chooses Grey.
const (
	Auto Color = iota
	Blue
	Vermillion
	Green
	Orange
	Purple
	Sky
	Black
	Grey
)

// The same thing has the same colour in every figure of the project.
const (
	InlierColor    = Blue       // known classes, inlier detections
	UnknownColor   = Vermillion // objects of no known class
	SyntheticColor = Orange     // outlier features that a synthesiser made
	TruthColor     = Green      // annotations
)

var palette = [...]color.NRGBA{
	Blue:       {R: 0x00, G: 0x72, B: 0xB2, A: 0xFF},
	Vermillion: {R: 0xD5, G: 0x5E, B: 0x00, A: 0xFF},
	Green:      {R: 0x00, G: 0x9E, B: 0x73, A: 0xFF},
	Orange:     {R: 0xE6, G: 0x9F, B: 0x00, A: 0xFF},
	Purple:     {R: 0xCC, G: 0x79, B: 0xA7, A: 0xFF},
	Sky:        {R: 0x56, G: 0xB4, B: 0xE9, A: 0xFF},
	Black:      {R: 0x20, G: 0x20, B: 0x20, A: 0xFF},
	Grey:       {R: 0x7A, G: 0x7A, B: 0x7A, A: 0xFF},
}

// Hex returns the colour in the form of style sheets, "#0072B2". Auto is the first of the palette.
func (c Color) Hex() string {
	rgb := c.resolve(0)
	return fmt.Sprintf("#%02X%02X%02X", rgb.R, rgb.G, rgb.B)
}

// resolve returns the colour itself, or for Auto the i-th one in turn.
func (c Color) resolve(i int) color.NRGBA {
	if c <= Auto || int(c) >= len(palette) {
		c = Blue + Color(i%int(Black))
	}
	return palette[c]
}

// tint mixes the colour with white: 0 is white, 1 the colour itself.
func tint(c color.NRGBA, strength float64) color.NRGBA {
	mix := func(v uint8) uint8 { return uint8(math.Round(255 + strength*(float64(v)-255))) }
	return color.NRGBA{R: mix(c.R), G: mix(c.G), B: mix(c.B), A: 0xFF}
}

// scaled is a colour of the sequential scale of tints, for a value in [0, 1]: what is 0 is just
// seen, and the house ink keeps a contrast of 4.5 to 1 on 1.
func scaled(c color.NRGBA, value float64) color.NRGBA { return tint(c, 0.06+0.54*value) }

// faint returns the colour with the given opacity in [0, 1].
func faint(c color.NRGBA, opacity float64) color.NRGBA {
	c.A = uint8(math.Round(opacity * 255))
	return c
}

var (
	white     = color.NRGBA{R: 0xFF, G: 0xFF, B: 0xFF, A: 0xFF}
	inkColor  = color.NRGBA{R: 0x30, G: 0x30, B: 0x30, A: 0xFF} // text and axes
	gridColor = color.NRGBA{R: 0xE6, G: 0xE6, B: 0xE6, A: 0xFF}
)

const (
	titleSize vg.Length = 8
	labelSize vg.Length = 8
	smallSize vg.Length = 7 // ticks, legend, annotations
	lineWidth vg.Length = 1.2
)

// fonts holds Liberation Sans, whose metrics are Arial's and Helvetica's: the layout computed with
// it stays right where an SVG viewer takes one of those.
var fonts = text.Plain{Fonts: font.NewCache(liberation.Collection())}

// sans returns the house text style of a size in points.
func sans(size vg.Length) text.Style {
	return text.Style{
		Color:   inkColor,
		Font:    font.Font{Typeface: "Liberation", Variant: "Sans", Size: size},
		Handler: fonts,
	}
}

// bold returns the style in bold type.
func bold(s text.Style) text.Style {
	s.Font.Weight = xfont.WeightBold
	return s
}

// line returns a solid line of the house width.
func line(c color.Color) draw.LineStyle {
	return draw.LineStyle{Color: c, Width: lineWidth}
}

// dashed returns the line style with dashes.
func dashed(s draw.LineStyle) draw.LineStyle {
	s.Dashes = []vg.Length{3, 2}
	return s
}

// newPlot returns an empty plot in the house style, with its grid.
func newPlot(xLabel, yLabel string) *plot.Plot {
	p := newAxes(xLabel, yLabel)
	grid := plotter.NewGrid()
	grid.Horizontal = draw.LineStyle{Color: gridColor, Width: 0.5}
	grid.Vertical = grid.Horizontal
	p.Add(grid)
	return p
}

// newNominalPlot returns an empty plot in the house style whose x axis has names, the positions 0,
// 1, 2 ..., instead of numbers. Names that would not fit side by side are turned.
func newNominalPlot(names []string, yLabel string) *plot.Plot {
	p := newAxes("", yLabel)
	x := &p.X
	x.Min, x.Max = -0.5, float64(len(names))-0.5
	x.Tick.Color = color.Transparent // only a distance
	ticks := make(plot.ConstantTicks, len(names))
	room := (ColumnWidth*vg.Centimeter - 40) / vg.Length(len(names))
	upright := x.Tick.Label
	for i, name := range names {
		ticks[i] = plot.Tick{Value: float64(i), Label: shorten(upright, name, 90)}
		if upright.Width(name) > room-3 {
			x.Tick.Label.Rotation = math.Pi / 5
			x.Tick.Label.XAlign, x.Tick.Label.YAlign = text.XRight, text.YTop
		}
	}
	x.Tick.Marker = ticks
	grid := plotter.NewGrid()
	grid.Horizontal = draw.LineStyle{Color: gridColor, Width: 0.5}
	grid.Vertical = draw.LineStyle{}
	p.Add(grid)
	return p
}

// newAxes returns an empty plot in the house style without a grid.
func newAxes(xLabel, yLabel string) *plot.Plot {
	p := plot.New()
	p.BackgroundColor = nil // the figure paints its whole canvas
	p.X.Label.Text, p.Y.Label.Text = xLabel, yLabel
	for _, axis := range []*plot.Axis{&p.X, &p.Y} {
		position := axis.Tick.Label // keeps the alignment that gonum gives each axis
		axis.Tick.Label = sans(smallSize)
		axis.Tick.Label.XAlign, axis.Tick.Label.YAlign = position.XAlign, position.YAlign
		axis.Tick.LineStyle = draw.LineStyle{Color: inkColor, Width: 0.5}
		axis.Tick.Length = 2.5
		axis.LineStyle = draw.LineStyle{Color: inkColor, Width: 0.5}
		axis.Padding = 2
		axis.Label.TextStyle = sans(labelSize)
		axis.Label.TextStyle.XAlign, axis.Label.TextStyle.YAlign = draw.XCenter, draw.YBottom
		axis.Label.Padding = 2
		axis.Tick.Marker = linearTicks{}
	}
	return p
}
