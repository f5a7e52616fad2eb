package viz

import (
	"errors"
	"fmt"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// Reliability is a reliability diagram (Niculescu-Mizil and Caruana, ICML 2005): whether
// detections, grouped by their confidence, are right as often as it claims. Under it stands how
// many there are, bin by bin.
type Reliability struct {
	Title string
	Bins  []ReliabilityBin
}

// ReliabilityBin holds the detections of one interval of confidence.
type ReliabilityBin struct {
	Low, High  float64 // the interval, in [0, 1]
	Count      int     // of detections, at least 1
	Confidence float64 // their mean, in [0, 1]
	Precision  float64 // the share of them that is right, in [0, 1]
}

// ECE is the expected calibration error: the mean over the bins of |precision - mean confidence|,
// weighted by their counts (Naeini et al., AAAI 2015, with precision for accuracy). It is NaN
// without detections.
func (r Reliability) ECE() float64 {
	sum := 0.0
	for _, b := range r.Bins {
		sum += float64(b.Count) * math.Abs(b.Precision-b.Confidence)
	}
	return sum / float64(r.count())
}

func (r Reliability) count() int {
	n := 0
	for _, b := range r.Bins {
		n += b.Count
	}
	return n
}

// Figure draws a bar of each bin's precision, its top a strong line, and over it the gap to its
// mean confidence: above the bar's top where the detector claims too much, inside the bar where it
// claims too little. The counts have a logarithmic axis. The CSV has the columns low, high, count,
// confidence, precision. It fails for no bin, and for bins that are empty, overlap or leave [0, 1].
func (r Reliability) Figure() (*Figure, error) {
	if len(r.Bins) == 0 {
		return nil, errors.New("viz: reliability: no bins: give at least one")
	}
	data := table{header: []string{"low", "high", "count", "confidence", "precision"}}
	most := 1
	for i, b := range r.Bins {
		if b.Count < 1 {
			return nil, fmt.Errorf("viz: reliability: bin %d has %d detections: leave empty bins out", i, b.Count)
		}
		if !(0 <= b.Low && b.Low < b.High && b.High <= 1) || i > 0 && b.Low < r.Bins[i-1].High {
			return nil, fmt.Errorf("viz: reliability: bin %d is [%v, %v]: bins lie in [0, 1], in ascending order, and do not overlap", i, b.Low, b.High)
		}
		if !(b.Confidence >= 0 && b.Confidence <= 1 && b.Precision >= 0 && b.Precision <= 1) {
			return nil, fmt.Errorf("viz: reliability: bin %d has confidence %v and precision %v: both lie in [0, 1]", i, b.Confidence, b.Precision)
		}
		data.add(b.Low, b.High, b.Count, b.Confidence, b.Precision)
		most = max(most, b.Count)
	}
	p := unitSquare(r.Title, "", "precision")
	precision, gap := palette[InlierColor], palette[Orange]
	bars, gaps := binBars{fill: tint(precision, 0.35), outline: precision}, binBars{fill: tint(gap, 0.6), outline: gap}
	counts := binBars{fill: tint(palette[Grey], 0.5), outline: palette[Grey]}
	for _, b := range r.Bins {
		bars.add(b, 0, b.Precision)
		gaps.add(b, min(b.Precision, b.Confidence), max(b.Precision, b.Confidence))
		counts.add(b, 0.5, float64(b.Count))
	}
	tops := binTops{r.Bins, draw.LineStyle{Color: precision, Width: 1.6}}
	diagonal := dashed(draw.LineStyle{Color: inkColor, Width: 0.8})
	p.axes.Add(bars, gaps, tops, &plotter.Line{XYs: points([]float64{0, 1}, []float64{0, 1}), LineStyle: diagonal})
	p.explain(fmt.Sprintf("precision (n = %s)", count(r.count())), bars.sample())
	p.explain(fmt.Sprintf("gap to mean confidence (ECE %.1f %%)", 100*r.ECE()), gaps.sample())
	p.explain("calibrated", lineSample(diagonal))

	p.axes.X.Tick.Marker = unlabelled{p.axes.X.Tick.Marker} // the labels stand under the counts
	p.under = newPlot("confidence", "detections")
	p.under.X.Min, p.under.X.Max = 0, 1
	p.under.Y.Scale, p.under.Y.Tick.Marker = plot.LogScale{}, decadeTicks{}
	p.under.Add(counts)
	p.under.Y.Min, p.under.Y.Max = 0.5, 2*float64(most) // a single detection is seen, too
	return p.figure(10, data), nil
}

// binBars are bars over intervals of x, which need not touch.
type binBars struct {
	bars    []bar
	fill    color.NRGBA
	outline color.NRGBA
}

type bar struct{ left, right, low, high float64 }

func (b *binBars) add(bin ReliabilityBin, low, high float64) {
	b.bars = append(b.bars, bar{bin.Low, bin.High, low, high})
}

func (b binBars) line() draw.LineStyle { return draw.LineStyle{Color: b.outline, Width: 0.6} }

func (b binBars) sample() areaSample { return areaSample{b.fill, b.line()} }

// Plot implements [plot.Plotter].
func (b binBars) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	for _, r := range b.bars {
		x0, x1, y0, y1 := toX(r.left)+0.4, toX(r.right)-0.4, toY(r.low), toY(r.high) // a hair between neighbours
		corners := []vg.Point{{X: x0, Y: y0}, {X: x1, Y: y0}, {X: x1, Y: y1}, {X: x0, Y: y1}}
		c.FillPolygon(b.fill, corners)
		c.StrokeLines(b.line(), append(corners, corners[0]))
	}
}

// binTops are the strong lines at the precisions.
type binTops struct {
	bins  []ReliabilityBin
	style draw.LineStyle
}

// Plot implements [plot.Plotter].
func (b binTops) Plot(c draw.Canvas, p *plot.Plot) {
	toX, toY := p.Transforms(&c)
	for _, bin := range b.bins {
		c.StrokeLine2(b.style, toX(bin.Low)+0.4, toY(bin.Precision), toX(bin.High)-0.4, toY(bin.Precision))
	}
}

// unlabelled are the ticks of another ticker without their labels.
type unlabelled struct{ plot.Ticker }

// Ticks implements [plot.Ticker].
func (u unlabelled) Ticks(low, high float64) []plot.Tick {
	ticks := u.Ticker.Ticks(low, high)
	for i := range ticks {
		if ticks[i].Label != "" {
			ticks[i].Label = " " // with no label a tick is a minor one
		}
	}
	return ticks
}

// decadeTicks are powers of ten on a low logarithmic axis: at most four labels, nothing between.
type decadeTicks struct{}

// Ticks implements [plot.Ticker].
func (decadeTicks) Ticks(low, high float64) []plot.Tick {
	last := int(math.Floor(math.Log10(high) + 1e-9))
	every := max(1, (last+3)/3)
	var ticks []plot.Tick
	for e := 0; e <= last; e += every {
		v := math.Pow10(e)
		step := v
		if v < 1e4 { // 1000 is as short as 1k
			step = 1
		}
		ticks = append(ticks, plot.Tick{Value: v, Label: formatTick(v, step, 0)})
	}
	return ticks
}
