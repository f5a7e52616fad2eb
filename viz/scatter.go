package viz

import (
	"errors"
	"fmt"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Points is a named group of points in the plane: box features in their principal components, say.
type Points struct {
	Name  string
	X, Y  []float64
	Color Color
	// Strong points are what the figure is about: larger, opaque and ringed in black, so that some twenty are seen among thousands.
	Strong bool
}

// Scatter shows groups of points, and over them densities: Gaussians fitted to classes as ellipses
// ([Gaussian]) or any other density as contours ([Density]).
type Scatter struct {
	Title          string
	XLabel, YLabel string
	Groups         []Points
	Gaussians      []Gaussian
	Densities      []Density
	Equal          bool // the same scale on both axes: distances can be read off

	// XRange and YRange are what the axes show, so that several scatters can be compared; [0, 0] means all
	// of the data. Points outside are counted in the legend. Equal may widen them.
	XRange, YRange [2]float64
}

// maxPoints is how many points of a group are drawn.
const maxPoints = 2000

// glyphs are told apart without colour, too.
var glyphs = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{}, draw.SquareGlyph{}, draw.PlusGlyph{}, draw.RingGlyph{},
}

// Figure draws the groups in order, each later one on top, then the densities. Of a group of more than 2000
// points evenly spaced ones are drawn, and the legend says so. The CSV holds all points in the columns
// group, x, y; the Gaussians' and densities' rows are named after them: a Gaussian's mean, a density's
// highest grid point. It fails for nothing to draw, unequal or non-finite coordinates, and densities that are
// not proper ([Gaussian], [Density]).
func (s Scatter) Figure() (*Figure, error) {
	if len(s.Groups)+len(s.Gaussians)+len(s.Densities) == 0 {
		return nil, errors.New("viz: scatter: nothing to draw: give points or a density")
	}
	for _, r := range [][2]float64{s.XRange, s.YRange} {
		if r != [2]float64{} && !(r[0] < r[1] && isFinite(r[1]-r[0])) {
			return nil, fmt.Errorf("viz: scatter: range %v: the first end must be below the second", r)
		}
	}
	p := &panel{title: s.Title, axes: newPlot(s.XLabel, s.YLabel), equal: s.Equal}
	data := table{header: []string{"group", "x", "y"}}
	if err := s.addGroups(p, 0.6, func(name string, x, y float64) { data.add(name, x, y) }); err != nil {
		return nil, err
	}
	for i, g := range s.Gaussians {
		if err := g.addTo(p, i); err != nil {
			return nil, err
		}
		data.add(g.Name, g.Mean[0], g.Mean[1])
	}
	for i, d := range s.Densities {
		mode, err := d.addTo(p, i)
		if err != nil {
			return nil, err
		}
		data.add(d.Name, mode[0], mode[1])
	}
	setRange(&p.axes.X, s.XRange)
	setRange(&p.axes.Y, s.YRange)
	return p.figure(7.5, data), nil
}

// addGroups draws the groups in the given opacity and calls record with each point.
func (s Scatter) addGroups(p *panel, opacity float64, record func(name string, x, y float64)) error {
	for i, g := range s.Groups {
		if err := sameLength("points", g.Name, "x", "y", g.X, g.Y); err != nil {
			return err
		}
		stride := 1 + (len(g.X)-1)/maxPoints
		var drawn plotter.XYs
		outside := 0
		for j := range g.X {
			if !isFinite(g.X[j]) || !isFinite(g.Y[j]) {
				return fmt.Errorf("viz: points %q: point %d is (%v, %v): leave it out", g.Name, j, g.X[j], g.Y[j])
			}
			record(g.Name, g.X[j], g.Y[j])
			if !within(g.X[j], s.XRange) || !within(g.Y[j], s.YRange) {
				outside++
			}
			if j%stride == 0 {
				drawn = append(drawn, plotter.XY{X: g.X[j], Y: g.Y[j]})
			}
		}
		label := fmt.Sprintf("%s (n = %s", g.Name, count(len(g.X)))
		if len(drawn) < len(g.X) {
			label += fmt.Sprintf(", 1 in %d drawn", stride)
		}
		if outside > 0 {
			label += fmt.Sprintf(", %s outside", count(outside))
		}
		style := draw.GlyphStyle{Color: faint(g.Color.resolve(i), opacity), Radius: 1.4, Shape: glyphs[i%len(glyphs)]}
		if g.Strong {
			style = draw.GlyphStyle{Color: g.Color.resolve(i), Radius: 2.6, Shape: ringed{}}
		}
		if len(drawn) > 0 {
			p.axes.Add(&plotter.Scatter{XYs: drawn, GlyphStyle: style})
		}
		p.explain(label+")", glyphSample(style))
	}
	return nil
}

// ringed is a dot with a black ring, of which the style's radius is the outer edge.
type ringed struct{}

// DrawGlyph implements draw.GlyphDrawer.
func (ringed) DrawGlyph(c *draw.Canvas, style draw.GlyphStyle, at vg.Point) {
	c.SetColor(Black.resolve(0))
	draw.CircleGlyph{}.DrawGlyph(c, style, at)
	style.Radius *= 0.7
	c.SetColor(style.Color)
	draw.CircleGlyph{}.DrawGlyph(c, style, at)
}

// within tells whether an axis with the given range, [0, 0] being all, shows v.
func within(v float64, r [2]float64) bool { return r == [2]float64{} || r[0] <= v && v <= r[1] }

// setRange gives an axis its range, or for [0, 0] that of the data with a little air.
func setRange(axis *plot.Axis, r [2]float64) {
	if r == [2]float64{} {
		padLinear(axis)
		return
	}
	axis.Min, axis.Max = r[0], r[1]
}
