package viz

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

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
	// Strong points are what the figure is about: larger, opaque and ringed in black, so that some
	// twenty are seen among thousands.
	Strong bool
	// Labels stand beside the points, one for each; nil for none.
	Labels []string
}

// Scatter shows groups of points, and over them densities: Gaussians fitted to classes as ellipses
// ([Gaussian]) or any other density as contours ([Density]).
type Scatter struct {
	Title          string
	XLabel, YLabel string
	Groups         []Points
	Gaussians      []Gaussian
	Densities      []Density
	Marks          []Mark // such as a threshold on x
	Equal          bool   // the same scale on both axes: distances can be read off
	LogY           bool   // logarithmic y axis: all y must be positive, and there are no densities

	// XRange and YRange are what the axes show, so that several scatters can be compared; [0, 0]
	// means all of the data. Points outside are counted in the legend. Equal may widen them.
	XRange, YRange [2]float64
}

// maxPoints is how many points of a group are drawn.
const maxPoints = 2000

// glyphs are told apart without colour, too.
var glyphs = []draw.GlyphDrawer{
	draw.CircleGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{}, draw.SquareGlyph{}, draw.PlusGlyph{}, draw.RingGlyph{},
}

// Figure draws the points of all groups in one random order, always the same, so that no group
// hides another, the points of smaller groups rather later; then the strong ones, their labels, and
// the densities. Of a group of more than 2000 points evenly spaced ones are drawn, and the legend
// says so. The CSV holds all points in the columns group, x, y; the Gaussians' and densities' rows
// are named after them: a Gaussian's mean, a density's highest grid point. It fails for nothing to
// draw, unequal or non-finite coordinates, another number of labels than points, and densities that
// are not proper ([Gaussian], [Density]).
func (s Scatter) Figure() (*Figure, error) {
	if len(s.Groups)+len(s.Gaussians)+len(s.Densities) == 0 {
		return nil, errors.New("viz: scatter: nothing to draw: give points or a density")
	}
	for _, r := range [][2]float64{s.XRange, s.YRange} {
		if r != [2]float64{} && !(r[0] < r[1] && isFinite(r[1]-r[0])) {
			return nil, fmt.Errorf("viz: scatter: range %v: the first end must be below the second", r)
		}
	}
	if err := checkMarks("scatter", s.Marks); err != nil {
		return nil, err
	}
	if s.LogY && (s.Equal || len(s.Gaussians)+len(s.Densities) > 0 || s.YRange != [2]float64{} && s.YRange[0] <= 0) {
		return nil, errors.New("viz: scatter: a logarithmic axis has neither densities nor equal scales, and its range is positive")
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
	p.axes.Add(markLines(s.Marks))
	setRange(&p.axes.X, s.XRange)
	yRange := s.YRange
	if s.LogY {
		p.axes.Y.Tick.Marker = placeTicks{}
		if yRange != [2]float64{} {
			yRange = [2]float64{math.Log(yRange[0]), math.Log(yRange[1])}
		}
	}
	setRange(&p.axes.Y, yRange)
	return p.figure(7.5, data), nil
}

// addGroups draws the groups in the given opacity and calls record with each point.
func (s Scatter) addGroups(p *panel, opacity float64, record func(name string, x, y float64)) error {
	weak, strong, labels, err := s.dots(p, opacity, record)
	if err == nil {
		p.axes.Add(weak, strong, labels)
	}
	return err
}

// dots returns the points in the order in which they are drawn, and explains the groups in the
// panel's legend.
func (s Scatter) dots(p *panel, opacity float64, record func(name string, x, y float64)) (weak, strong dots, labels pointLabels, err error) {
	fail := func(format string, args ...any) (dots, dots, pointLabels, error) {
		return nil, nil, nil, fmt.Errorf("viz: points "+format, args...)
	}
	rng := rand.New(rand.NewPCG(1, 1))
	largest := 1
	for _, g := range s.Groups {
		largest = max(largest, len(g.X))
	}
	for i, g := range s.Groups {
		if err := sameLength("points", g.Name, "x", "y", g.X, g.Y); err != nil {
			return nil, nil, nil, err
		}
		if g.Labels != nil && len(g.Labels) != len(g.X) {
			return fail("%q: %d labels for %d points: give one for each", g.Name, len(g.Labels), len(g.X))
		}
		style := draw.GlyphStyle{Color: faint(g.Color.resolve(i), opacity), Radius: 1.4, Shape: glyphs[i%len(glyphs)]}
		to := &weak
		if g.Strong {
			style = draw.GlyphStyle{Color: g.Color.resolve(i), Radius: 2.6, Shape: ringed{}}
			to = &strong
		}
		stride := 1 + (len(g.X)-1)/maxPoints
		outside := 0
		for j := range g.X {
			if !isFinite(g.X[j]) || !isFinite(g.Y[j]) {
				return fail("%q: point %d is (%v, %v): leave it out", g.Name, j, g.X[j], g.Y[j])
			}
			record(g.Name, g.X[j], g.Y[j])
			if !within(g.X[j], s.XRange) || !within(g.Y[j], s.YRange) {
				outside++
			}
			at := plotter.XY{X: g.X[j], Y: g.Y[j]}
			if s.LogY {
				if at.Y <= 0 {
					return fail("%q: y of point %d is %v: it has no place on a logarithmic axis", g.Name, j, at.Y)
				}
				at.Y = math.Log(at.Y)
			}
			if j%stride == 0 {
				// Points of equally large groups have their turns evenly spread over [0, 1), those
				// of smaller ones near 1.
				turn := math.Pow(rng.Float64(), float64(len(g.X))/float64(largest))
				*to = append(*to, dot{at, style, turn})
			}
			if g.Labels != nil {
				labels = append(labels, pointLabel{at, g.Labels[j]})
			}
		}
		label := fmt.Sprintf("%s (n = %s", g.Name, count(len(g.X)))
		if stride > 1 {
			label += fmt.Sprintf(", 1 in %d drawn", stride)
		}
		if outside > 0 {
			label += fmt.Sprintf(", %s outside", count(outside))
		}
		p.explain(label+")", glyphSample(style))
	}
	slices.SortStableFunc(weak, func(a, b dot) int { return cmp.Compare(a.turn, b.turn) })
	return weak, strong, labels, nil
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
