package viz

import (
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Surface shows a quantity over the plane, such as the energy of features around the means of
// classes: shades of grey, the darker the higher, with lines of equal height, and points over it.
type Surface struct {
	Title          string
	XLabel, YLabel string
	ZLabel         string      // of the quantity, with units
	X, Y           []float64   // grid lines, ascending and evenly spaced, at least 3 each
	Z              [][]float64 // [len(Y)][len(X)], finite
	Levels         []float64   // heights of the lines; nil: multiples of a round number
	Marks          []Mark      // heights that matter, in the units of Z, such as a threshold: strong dashed lines
	Groups         []Points
}

// NewSurface evaluates a quantity on an n by n grid over two intervals. The function gets all n²
// points (x, y) at once, as a model likes it, and returns its values in the same order. It fails as
// the function does, for another number of values, and for fewer than 3 lines or ranges that do not
// ascend.
func NewSurface(xRange, yRange [2]float64, n int, f func(points [][]float64) ([]float64, error)) (Surface, error) {
	x, y, z, err := evaluateGrid(xRange, yRange, n, f)
	if err != nil {
		return Surface{}, fmt.Errorf("viz: surface: %w", err)
	}
	return Surface{X: x, Y: y, Z: z}, nil
}

// Figure draws the surface, its lines and then the points; points outside the grid are left out and
// counted in the legend. The CSV has the columns group, x, y, z: the grid, whose group is empty,
// and the points, whose z is. It fails for a grid that is not proper, and unequal or non-finite
// coordinates.
func (s Surface) Figure() (*Figure, error) {
	low, high, err := s.check()
	if err != nil {
		return nil, err
	}
	if err := checkMarks("surface", s.Marks); err != nil {
		return nil, err
	}
	p := &panel{title: s.Title, axes: newAxes(s.XLabel, s.YLabel)}
	xRange, yRange := [2]float64{s.X[0], s.X[len(s.X)-1]}, [2]float64{s.Y[0], s.Y[len(s.Y)-1]}
	p.axes.Add(shades{s, low, high})
	lines := heightLines{}
	levels := s.Levels
	if levels == nil {
		for _, tick := range (linearTicks{}).Ticks(low, high) {
			levels = append(levels, tick.Value)
		}
	}
	for _, level := range levels {
		lines.levels = append(lines.levels, heightLine{number(level), isolines(s.X, s.Y, s.Z, level)})
	}
	p.axes.Add(lines)
	p.explain(fmt.Sprintf("%s, %s to %s", s.ZLabel, number(low), number(high)),
		scaleSample(surfaceColor))
	style := dashed(line(inkColor))
	for _, m := range s.Marks {
		for _, xys := range isolines(s.X, s.Y, s.Z, m.At) {
			p.axes.Add(&plotter.Line{XYs: xys, LineStyle: style})
		}
		p.explainOnce(m.Label, lineSample(style))
	}

	data := table{header: []string{"group", "x", "y", "z"}}
	for j, y := range s.Y {
		for i, x := range s.X {
			data.add("", x, y, s.Z[j][i])
		}
	}
	scatter := Scatter{Groups: s.Groups, XRange: xRange, YRange: yRange}
	if err := scatter.addGroups(p, 1, func(name string, x, y float64) { data.add(name, x, y, "") }); err != nil {
		return nil, err
	}
	setRange(&p.axes.X, xRange)
	setRange(&p.axes.Y, yRange)
	return p.figure(7.5, data), nil
}

// number writes a height in three digits, never "-0".
func number(v float64) string {
	if v == 0 {
		return "0"
	}
	return minus(strconv.FormatFloat(v, 'g', 3, 64))
}

// check returns the lowest and the highest value of a proper grid.
func (s Surface) check() (low, high float64, err error) {
	fail := func(format string, args ...any) (float64, float64, error) {
		return 0, 0, fmt.Errorf("viz: surface: "+format, args...)
	}
	if len(s.X) < 3 || len(s.Y) < 3 || len(s.Z) != len(s.Y) {
		return fail("grid of %d by %d lines with %d rows: need 3 lines each and a row for each y", len(s.X), len(s.Y), len(s.Z))
	}
	for _, lines := range [][]float64{s.X, s.Y} {
		step := (lines[len(lines)-1] - lines[0]) / float64(len(lines)-1)
		for i := range lines {
			if !(step > 0) || !(math.Abs(lines[0]+step*float64(i)-lines[i]) < 1e-3*step) {
				return fail("grid line %d is at %v: lines are finite, ascending and evenly spaced", i, lines[i])
			}
		}
	}
	low, high = math.Inf(1), math.Inf(-1)
	for j, row := range s.Z {
		if len(row) != len(s.X) {
			return fail("row %d has %d values for %d grid lines", j, len(row), len(s.X))
		}
		for i, v := range row {
			if !isFinite(v) {
				return fail("the value at (%v, %v) is %v: give finite ones", s.X[i], s.Y[j], v)
			}
			low, high = min(low, v), max(high, v)
		}
	}
	return low, high, nil
}

// surfaceColor is a light one, over which points of any colour are seen.
var surfaceColor = tint(palette[Grey], 0.65)

// shades paints the surface between its grid points, too.
type shades struct {
	Surface
	low, high float64
}

// Plot implements [plot.Plotter].
func (s shades) Plot(c draw.Canvas, _ *plot.Plot) {
	const side = 320 // pixels; enough for a column
	img := image.NewNRGBA(image.Rect(0, 0, side, side))
	for v := range side {
		for u := range side {
			height := 0.0
			if s.high > s.low {
				z := s.at((float64(u)+0.5)/side, 1-(float64(v)+0.5)/side)
				height = (z - s.low) / (s.high - s.low)
			}
			img.SetNRGBA(u, v, scaled(surfaceColor, height))
		}
	}
	c.DrawImage(c.Rectangle, img)
}

// at interpolates bilinearly; u and v in [0, 1] go along x and y.
func (s shades) at(u, v float64) float64 {
	i, fu := cell(u, len(s.X))
	j, fv := cell(v, len(s.Y))
	lower := s.Z[j][i]*(1-fu) + s.Z[j][i+1]*fu
	upper := s.Z[j+1][i]*(1-fu) + s.Z[j+1][i+1]*fu
	return lower*(1-fv) + upper*fv
}

// cell is the interval of n evenly spaced lines in which t of [0, 1] lies, and where in it.
func cell(t float64, n int) (i int, fraction float64) {
	t *= float64(n - 1)
	i = min(int(t), n-2)
	return i, t - float64(i)
}

// heightLines are lines of equal height with their numbers.
type heightLines struct{ levels []heightLine }

type heightLine struct {
	label string
	lines []plotter.XYs
}

// Plot implements [plot.Plotter].
func (h heightLines) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	style := sans(smallSize - 1)
	var taken []vg.Rectangle
	for _, level := range h.levels {
		var longest []vg.Point
		for _, xys := range level.lines {
			line := make([]vg.Point, len(xys))
			for i, xy := range xys {
				line[i] = vg.Point{X: toX(xy.X), Y: toY(xy.Y)}
			}
			c.StrokeLines(draw.LineStyle{Color: color.NRGBA{R: 0x60, G: 0x60, B: 0x60, A: 0xFF}, Width: 0.5}, line)
			if len(line) > len(longest) {
				longest = line
			}
		}
		// The number is written at the first place of the longest line where it covers no other and
		// is not cut.
		width, height := style.Width(level.label)+2, style.Font.Size
		for k := range longest {
			at := longest[(k+len(longest)/2)%len(longest)]
			ground := vg.Rectangle{
				Min: vg.Point{X: at.X - width/2, Y: at.Y - height/2}, Max: vg.Point{X: at.X + width/2, Y: at.Y + height/2},
			}
			covers := func(r vg.Rectangle) bool {
				return ground.Min.X < r.Max.X && r.Min.X < ground.Max.X && ground.Min.Y < r.Max.Y && r.Min.Y < ground.Max.Y
			}
			if slices.ContainsFunc(taken, covers) || !c.Contains(ground.Min) || !c.Contains(ground.Max) {
				continue
			}
			taken = append(taken, ground)
			c.SetColor(faint(white, 0.8))
			c.Fill(ground.Path())
			c.FillText(style, vg.Point{X: ground.Min.X + 1, Y: at.Y - style.Font.Size*0.35}, level.label)
			break
		}
	}
}
