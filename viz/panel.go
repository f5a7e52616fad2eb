package viz

import (
	"image/color"
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

const (
	margin      vg.Length = 4  // around a panel
	swatchWidth vg.Length = 14 // of a legend's sample
	legendGap   vg.Length = 8  // between two legend entries
)

// panel is one set of axes with its title and its legend. The legend flows in rows between title
// and axes, so that it hides no data and loses no entry, however many there are.
type panel struct {
	title  string
	axes   *plot.Plot
	under  *plot.Plot // lower axes with the same x axis, three tenths of the height; nil for none
	legend []legendItem
	equal  bool // the same length for a unit of x and of y
}

type legendItem struct {
	text   string
	sample plot.Thumbnailer
}

// explain adds a legend entry.
func (p *panel) explain(label string, sample plot.Thumbnailer) {
	p.legend = append(p.legend, legendItem{label, sample})
}

// explainOnce does the same unless the label is empty or there already.
func (p *panel) explainOnce(label string, sample plot.Thumbnailer) {
	there := slices.ContainsFunc(p.legend, func(item legendItem) bool { return item.text == label })
	if label != "" && !there {
		p.explain(label, sample)
	}
}

// figure makes the panel a figure of column width and the given height in centimetres.
func (p *panel) figure(heightCM float64, data table) *Figure {
	width := ColumnWidth * vg.Centimeter
	_, rows := p.flowLegend(width - 2*margin)
	return &Figure{
		name: p.title, width: width, height: vg.Length(heightCM)*vg.Centimeter + vg.Length(max(0, rows-legendRows))*legendRowHeight(),
		paint: p.draw, data: data,
	}
}

func (p *panel) draw(c draw.Canvas) {
	c = p.drawHead(c)
	if p.under != nil {
		c = p.drawUnder(c)
	}
	axes := *p.axes
	if p.equal {
		equalize(&axes, c) // a copy: another drawing begins with the range of the data again
	}
	axes.Draw(c)
}

// drawHead draws the title and the legend and returns what is left of c within its margins.
func (p *panel) drawHead(c draw.Canvas) draw.Canvas {
	c = draw.Crop(c, margin, -margin, margin, -margin)
	if p.title != "" {
		style := bold(sans(titleSize))
		for _, row := range wrapText(style, p.title, c.Size().X) {
			c.Max.Y -= style.Font.Size * 1.25
			c.FillText(style, vg.Point{X: c.Min.X, Y: c.Max.Y + style.FontExtents().Descent}, row)
		}
		c.Max.Y -= 2
	}
	p.drawLegend(&c)
	return c
}

// drawUnder draws the lower axes and returns what is left of c for the upper ones, so that the x
// axes of both begin and end at the same place.
func (p *panel) drawUnder(c draw.Canvas) draw.Canvas {
	upper, lower := c, c
	upper.Min.Y += 0.3 * c.Size().Y
	lower.Max.Y = upper.Min.Y - 2
	a, b := p.axes.DataCanvas(upper), p.under.DataCanvas(lower)
	upper.Min.X += max(0, b.Min.X-a.Min.X)
	lower.Min.X += max(0, a.Min.X-b.Min.X)
	upper.Max.X -= max(0, a.Max.X-b.Max.X)
	lower.Max.X -= max(0, b.Max.X-a.Max.X)
	p.under.Draw(lower)
	return upper
}

// legendRows is how many rows of legend a figure's height has room for; every further one makes it
// higher.
const legendRows = 2

func legendRowHeight() vg.Length { return sans(smallSize).Font.Size * 1.4 }

// legendPlace is the place of an entry: its row, its distance from the left, and its text,
// shortened where it would be wider than a row.
type legendPlace struct {
	row  int
	x    vg.Length
	text string
}

// flowLegend places the entries in rows of the width, and counts the rows.
func (p *panel) flowLegend(width vg.Length) (places []legendPlace, rows int) {
	style := sans(smallSize)
	var x vg.Length
	for _, item := range p.legend {
		label := shorten(style, item.text, width-swatchWidth-3)
		own := swatchWidth + 3 + style.Width(label)
		if x > 0 && x+own > width {
			x, rows = 0, rows+1
		}
		places = append(places, legendPlace{rows, x, label})
		x += own + legendGap
	}
	if len(places) > 0 {
		rows++
	}
	return places, rows
}

// drawLegend draws the legend along the top of c and cuts it off.
func (p *panel) drawLegend(c *draw.Canvas) {
	if len(p.legend) == 0 {
		return
	}
	style, rowHeight := sans(smallSize), legendRowHeight()
	places, rows := p.flowLegend(c.Size().X)
	for i, place := range places {
		x, y := c.Min.X+place.x, c.Max.Y-vg.Length(place.row+1)*rowHeight
		sample := draw.Canvas{Canvas: c.Canvas, Rectangle: vg.Rectangle{
			Min: vg.Point{X: x, Y: y + 1}, Max: vg.Point{X: x + swatchWidth, Y: y + rowHeight - 2},
		}}
		p.legend[i].sample.Thumbnail(&sample)
		c.FillText(style, vg.Point{X: x + swatchWidth + 3, Y: y + style.FontExtents().Descent}, place.text)
	}
	c.Max.Y -= vg.Length(rows)*rowHeight + 3
}

// equalize widens the range of one axis until both have the same scale on c.
func equalize(axes *plot.Plot, c draw.Canvas) {
	inner := axes.DataCanvas(c).Size()
	x, y := &axes.X, &axes.Y
	perPoint := math.Max((x.Max-x.Min)/inner.X.Points(), (y.Max-y.Min)/inner.Y.Points())
	widen := func(axis *plot.Axis, length vg.Length) {
		extra := (perPoint*length.Points() - (axis.Max - axis.Min)) / 2
		axis.Min, axis.Max = axis.Min-extra, axis.Max+extra
	}
	widen(x, inner.X)
	widen(y, inner.Y)
}

// wrapText breaks s at spaces into rows that are no wider than width; a single word that is too
// wide is shortened.
func wrapText(style text.Style, s string, width vg.Length) []string {
	var rows []string
	row := ""
	for _, word := range strings.Fields(s) {
		switch longer := row + " " + word; {
		case row == "":
			row = shorten(style, word, width)
		case style.Width(longer) <= width:
			row = longer
		default:
			rows = append(rows, row)
			row = shorten(style, word, width)
		}
	}
	if row != "" {
		rows = append(rows, row)
	}
	return rows
}

// shorten cuts s with an ellipsis if it is wider than width.
func shorten(style text.Style, s string, width vg.Length) string {
	return shortenUntil(s, func(s string) bool { return style.Width(s) <= width })
}

// shortenUntil cuts s with an ellipsis unless it fits.
func shortenUntil(s string, fits func(string) bool) string {
	if fits(s) {
		return s
	}
	runes := []rune(s)
	for n := len(runes) - 1; n > 0; n-- {
		if cut := string(runes[:n]) + "…"; fits(cut) {
			return cut
		}
	}
	return "…"
}

// lineSample is the legend's sample of a line.
type lineSample draw.LineStyle

// Thumbnail implements [plot.Thumbnailer].
func (s lineSample) Thumbnail(c *draw.Canvas) {
	c.StrokeLine2(draw.LineStyle(s), c.Min.X, c.Center().Y, c.Max.X, c.Center().Y)
}

// glyphSample is the legend's sample of points.
type glyphSample draw.GlyphStyle

// Thumbnail implements [plot.Thumbnailer].
func (s glyphSample) Thumbnail(c *draw.Canvas) {
	style := draw.GlyphStyle(s)
	style.Radius = max(style.Radius, 2)
	c.DrawGlyph(style, c.Center())
}

// scaleSample is the legend's sample of a sequential scale.
type scaleSample color.NRGBA

// Thumbnail implements [plot.Thumbnailer].
func (s scaleSample) Thumbnail(c *draw.Canvas) {
	const parts = 7
	part := c.Rectangle
	for i := range parts {
		part.Min.X = c.Min.X + c.Size().X*vg.Length(i)/parts
		part.Max.X = c.Min.X + c.Size().X*vg.Length(i+1)/parts
		c.SetColor(scaled(color.NRGBA(s), float64(i)/(parts-1)))
		c.Fill(part.Path())
	}
}

// areaSample is the legend's sample of a filled, outlined area.
type areaSample struct {
	fill    color.Color
	outline draw.LineStyle
}

// Thumbnail implements [plot.Thumbnailer].
func (s areaSample) Thumbnail(c *draw.Canvas) {
	c.SetColor(s.fill)
	c.Fill(c.Rectangle.Path())
	if s.outline.Width > 0 {
		c.SetLineStyle(s.outline)
		c.Stroke(c.Rectangle.Path())
	}
}

// count writes n for legends, with thin spaces between groups of three digits from 10 000 on.
func count(n int) string {
	s := strconv.Itoa(n)
	if n < 10000 {
		return s
	}
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "\u2009" + s[i:]
	}
	return s
}
