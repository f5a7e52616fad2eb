package bench

import (
	"context"
	"fmt"
	"math"

	"gonum.org/v1/gonum/stat"
)

// Growth is how the cost of the training step, and of the flow alone, grows with each size.
type Growth struct {
	Part   string  `json:"part"`
	Config string  `json:"config"`
	Height int     `json:"height"`
	Width  int     `json:"width"`
	Sweeps []Sweep `json:"sweeps"`
	Machine
}

// Sweep is one size that was varied, the others being the configuration's.
type Sweep struct {
	Quantity string `json:"quantity"`
	// Part is what was measured: "step" or "flow".
	Part string `json:"part"`
	// Sizes and Medians belong together; a median is in seconds (see Timing).
	Sizes   []float64 `json:"sizes"`
	Medians []float64 `json:"median_s"`
	// Exponent is the slope of the logarithm of the medians over that of the sizes, by least
	// squares: 1 is a cost in proportion, 0 none.
	Exponent float64 `json:"exponent"`
	// Last is that slope between the two largest sizes, where what does not grow weighs least.
	Last float64 `json:"last_exponent"`
}

// variation is a size that Grow varies: its factors to the configuration's own, and how an option
// takes one.
type variation struct {
	quantity string
	measure  measurement
	factors  []float64
	vary     func(o *Options, factor float64) (size float64)
}

// times multiplies a whole number.
func times(n *int, factor float64) float64 {
	*n = max(1, int(math.Round(float64(*n)*factor)))
	return float64(*n)
}

type measurement func(context.Context, Options) (*Report, error)

func variations(step, flow measurement) []variation {
	return []variation{
		{"pixels of the image", step, []float64{1, 1.5, 2, 2.5}, func(o *Options, factor float64) float64 {
			side := func(n *int) float64 { *n = 32 * int(math.Round(float64(*n)*factor/32)); return float64(*n) }
			return side(&o.Height) * side(&o.Width)
		}},
		{"images of a step", step, []float64{1, 2, 4}, func(o *Options, factor float64) float64 { return times(&o.Batch, factor) }},
		{"proposals sampled an image", step, []float64{0.25, 0.5, 1, 2}, func(o *Options, factor float64) float64 {
			return times(&o.Config.Model.ROI.BatchPerImage, factor)
		}},
		{"inlier classes", step, []float64{1, 4, 16}, func(o *Options, factor float64) float64 {
			n := len(o.Config.Model.Classes)
			size := times(&n, factor)
			o.Config.Model.Classes = make([]string, n)
			for i := range n {
				o.Config.Model.Classes[i] = fmt.Sprintf("class%d", i)
			}
			return size
		}},
		{"width of the flow's subnets", flow, []float64{0.25, 0.5, 1, 2}, func(o *Options, factor float64) float64 {
			return times(&o.Config.Model.Flow.Hidden, factor)
		}},
	}
}

// Grow measures the step, or the flow alone, at several sizes of one kind after the other. The
// error names the size that is impossible; with it comes what was measured before.
func Grow(ctx context.Context, o Options) (*Growth, error) {
	return grow(ctx, o, variations(Step, Flow))
}

func grow(ctx context.Context, o Options, variations []variation) (*Growth, error) {
	base, r, err := o.prepare("growth")
	if err != nil {
		return nil, err
	}
	g := &Growth{Part: r.Part, Config: r.Config, Height: r.Height, Width: r.Width}
	for _, v := range variations {
		s := Sweep{Quantity: v.quantity}
		for _, factor := range v.factors {
			varied := base
			size := v.vary(&varied, factor)
			if len(s.Sizes) > 0 && size == s.Sizes[len(s.Sizes)-1] {
				continue // too small a size to be divided further
			}
			fmt.Fprintf(base.Log, "growth: %s %g\n", v.quantity, size)
			report, err := v.measure(ctx, varied)
			if err != nil {
				g.add(s)
				return g, fmt.Errorf("%s %g: %w", v.quantity, size, err)
			}
			s.Part, g.Machine = report.Part, report.Machine
			s.Sizes, s.Medians = append(s.Sizes, size), append(s.Medians, report.Median)
		}
		g.add(s)
	}
	return g, nil
}

// add adds a sweep, unless nothing was measured in it.
func (g *Growth) add(s Sweep) {
	if len(s.Sizes) > 0 {
		s.Exponent, s.Last = exponents(s.Sizes, s.Medians)
		g.Sweeps = append(g.Sweeps, s)
	}
}

// exponents returns the slope of log y over log x by least squares, and between the last two
// points; NaN cannot be written as JSON, hence 0 for one point.
func exponents(x, y []float64) (all, last float64) {
	if len(x) < 2 {
		return 0, 0
	}
	lx, ly := make([]float64, len(x)), make([]float64, len(y))
	for i := range x {
		lx[i], ly[i] = math.Log(x[i]), math.Log(y[i])
	}
	_, all = stat.LinearRegression(lx, ly, nil, false)
	_, last = stat.LinearRegression(lx[len(lx)-2:], ly[len(ly)-2:], nil, false)
	return all, last
}
