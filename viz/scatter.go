package viz

import (
	"errors"
	"fmt"

	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// Points is a named group of points in the plane: box features in their principal components, say.
type Points struct {
	Name  string
	X, Y  []float64
	Color Color
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
}

// maxPoints is how many points of a group are drawn.
const maxPoints = 2000

// glyphs are told apart without colour, too.
var glyphs = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{}, draw.SquareGlyph{}, draw.PlusGlyph{}, draw.RingGlyph{},
}

// Figure draws the groups in order, each later one on top, then the densities. Of a group of more than 2000
// points evenly spaced ones are drawn, and the legend says how many. The CSV holds all points in the columns
// group, x, y; the Gaussians' and densities' rows are named after them: a Gaussian's mean, a density's
// highest grid point. It fails for nothing to draw, unequal or non-finite coordinates, and densities that are
// not proper ([Gaussian], [Density]).
func (s Scatter) Figure() (*Figure, error) {
	if len(s.Groups)+len(s.Gaussians)+len(s.Densities) == 0 {
		return nil, errors.New("viz: scatter: nothing to draw: give points or a density")
	}
	p := &panel{title: s.Title, axes: newPlot(s.XLabel, s.YLabel), equal: s.Equal}
	data := table{header: []string{"group", "x", "y"}}
	for i, g := range s.Groups {
		if err := sameLength("points", g.Name, "x", "y", g.X, g.Y); err != nil {
			return nil, err
		}
		stride := 1 + (len(g.X)-1)/maxPoints
		var drawn plotter.XYs
		for j := range g.X {
			if !isFinite(g.X[j]) || !isFinite(g.Y[j]) {
				return nil, fmt.Errorf("viz: points %q: point %d is (%v, %v): leave it out", g.Name, j, g.X[j], g.Y[j])
			}
			data.add(g.Name, g.X[j], g.Y[j])
			if j%stride == 0 {
				drawn = append(drawn, plotter.XY{X: g.X[j], Y: g.Y[j]})
			}
		}
		label := fmt.Sprintf("%s (n = %s", g.Name, count(len(g.X)))
		if len(drawn) < len(g.X) {
			label += fmt.Sprintf(", %s drawn", count(len(drawn)))
		}
		style := draw.GlyphStyle{Color: faint(g.Color.resolve(i), 0.6), Radius: 1.4, Shape: glyphs[i%len(glyphs)]}
		if len(drawn) > 0 {
			p.axes.Add(&plotter.Scatter{XYs: drawn, GlyphStyle: style})
		}
		p.explain(label+")", glyphSample(style))
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
	padLinear(&p.axes.X)
	padLinear(&p.axes.Y)
	return p.figure(7.5, data), nil
}
