package viz

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// Series is a line of values over steps: one loss of one run.
type Series struct {
	Name   string
	X      []float64 // in ascending order
	Y      []float64 // as many as X; a value that is not finite leaves a gap
	Color  Color
	Dashed bool // for a second run in the colours of the first
}

// Curves is a figure of one or more series over a common x axis, such as training losses.
type Curves struct {
	Title          string
	XLabel, YLabel string // with units; XLabel defaults to "step"
	Series         []Series
	XMax           float64 // the least end of the x axis, such as a training's last step
	LogY           bool    // logarithmic y axis; values that are not positive leave gaps, counted in the legend

	// Smooth is the weight of the past, in [0, 1), in an exponential moving average
	//
	//	m_t = Smooth m_(t-1) + (1 - Smooth) y_t,
	//
	// which is drawn divided by 1 - Smooth^t, so that the start at zero does not show. The values
	// themselves stay visible behind it, faint. 0 draws the values only.
	Smooth float64
	Marks  []Mark // such as the step where synthetic outliers start
}

// Figure draws the curves. Its CSV has the columns series, x, y and, if smoothed, smooth; it holds
// every value, while lines of more than 1200 points are drawn by the extremes of short stretches.
// It fails for no series, unequal or descending coordinates, and series without a value to draw.
func (cv Curves) Figure() (*Figure, error) {
	if len(cv.Series) == 0 {
		return nil, errors.New("viz: curves: no series: give at least one")
	}
	if !(cv.Smooth >= 0 && cv.Smooth < 1) {
		return nil, fmt.Errorf("viz: curves: Smooth is %v: choose a weight in [0, 1)", cv.Smooth)
	}
	if err := checkMarks("curves", cv.Marks); err != nil {
		return nil, err
	}
	xLabel := cv.XLabel
	if xLabel == "" {
		xLabel = "step"
	}
	p := &panel{title: cv.Title, axes: newPlot(xLabel, cv.YLabel)}
	data := table{header: []string{"series", "x", "y"}}
	if cv.Smooth > 0 {
		data.header = append(data.header, "smooth")
	}
	if cv.LogY {
		p.axes.Y.Scale, p.axes.Y.Tick.Marker = plot.LogScale{}, logTicks{}
	}
	for i, s := range cv.Series {
		if err := sameLength("curve", s.Name, "x", "y", s.X, s.Y); err != nil {
			return nil, err
		}
		if !slices.IsSorted(s.X) || slices.ContainsFunc(s.X, func(x float64) bool { return !isFinite(x) }) {
			return nil, fmt.Errorf("viz: curve %q: x is not finite and ascending: sort the series", s.Name)
		}
		smooth := movingAverage(s.Y, cv.Smooth)
		for j := range s.X {
			if cv.Smooth > 0 {
				data.add(s.Name, s.X[j], s.Y[j], smooth[j])
			} else {
				data.add(s.Name, s.X[j], s.Y[j])
			}
		}

		style := line(s.Color.resolve(i))
		if s.Dashed {
			style = dashed(style)
		}
		missing := 0
		if cv.Smooth > 0 {
			behind := draw.LineStyle{Color: faint(s.Color.resolve(i), 0.25), Width: lineWidth / 2}
			missing = p.addLine(s.X, s.Y, behind)
			p.addLine(s.X, smooth, style)
		} else {
			missing = p.addLine(s.X, s.Y, style)
		}
		if missing == len(s.Y) {
			return nil, fmt.Errorf("viz: curve %q: none of its %d values can be drawn (log axis: %v)", s.Name, len(s.Y), cv.LogY)
		}
		label := s.Name
		if missing > 0 {
			label += fmt.Sprintf(" (%s not drawn)", count(missing))
		}
		p.explain(label, lineSample(style))
	}
	p.axes.Add(markLines(cv.Marks))
	p.axes.X.Max = max(p.axes.X.Max, cv.XMax)
	if cv.LogY {
		padLog(&p.axes.Y)
	} else {
		padLinear(&p.axes.Y)
	}
	return p.figure(6, data), nil
}

// addLine adds a line with gaps where y cannot be drawn, and returns how many points are missing
// for it.
func (p *panel) addLine(x, y []float64, style draw.LineStyle) (missing int) {
	_, logarithmic := p.axes.Y.Scale.(plot.LogScale)
	var piece plotter.XYs
	flush := func() {
		switch len(piece) {
		case 0:
		case 1: // a line of one point would be invisible
			dot := draw.GlyphStyle{Color: style.Color, Radius: style.Width, Shape: draw.CircleGlyph{}}
			p.axes.Add(&plotter.Scatter{XYs: piece, GlyphStyle: dot})
		default:
			p.axes.Add(&plotter.Line{XYs: thin(piece), LineStyle: style})
		}
		piece = nil
	}
	for i := range x {
		if !isFinite(y[i]) || logarithmic && y[i] <= 0 {
			missing++
			flush()
			continue
		}
		piece = append(piece, plotter.XY{X: x[i], Y: y[i]})
	}
	flush()
	return missing
}

// movingAverage smooths y as Curves.Smooth says. Values that are not finite stay as they are and do
// not count.
func movingAverage(y []float64, weight float64) []float64 {
	smooth := make([]float64, len(y))
	mean, seen := 0.0, 0.0 // seen = 1 - weight^t
	for i, v := range y {
		if !isFinite(v) {
			smooth[i] = v
			continue
		}
		mean = weight*mean + (1-weight)*v
		seen = weight*seen + (1 - weight)
		smooth[i] = mean / seen
	}
	return smooth
}

// padLinear leaves a little air above and below the data, and opens an empty range.
func padLinear(axis *plot.Axis) {
	air := 0.04 * (axis.Max - axis.Min)
	if air == 0 {
		air = math.Max(math.Abs(axis.Max), 1) * 0.1
	}
	axis.Min, axis.Max = axis.Min-air, axis.Max+air
}

// padLog does the same on a logarithmic axis.
func padLog(axis *plot.Axis) {
	air := math.Max(math.Pow(axis.Max/axis.Min, 0.04), 1.05)
	axis.Min, axis.Max = axis.Min/air, axis.Max*air
}
