package viz

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/gonum/stat/distuv"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg/draw"
)

// QQ compares samples with a distribution, quantile by quantile: a sample of that distribution lies
// on the diagonal, within the grey band at any one place with probability 0.95. The band is for the
// smallest group.
type QQ struct {
	Title          string
	XLabel, YLabel string // default: "quantile of N(0, 1)" (for another Reference "expected quantile") and "sample quantile"
	Groups         []Group
	Reference      distuv.Quantiler // nil: the standard normal distribution
}

// Figure draws the quantiles. The i-th smallest of n values is drawn against the reference's
// quantile at (i - 1/2) / n; of more than 400 values, up to 400 ranks are drawn, evenly spaced in
// the log-odds of their probability so that the tails are dense. They are what the CSV holds, in
// the columns group, probability, expected, sample. The y axis reaches beyond the reference's
// quantiles by half their range on either side, at most, so that one heavy tail does not flatten
// everything else; the legend counts the values beyond, and those that are not finite. It fails for
// no group and for a group without finite values.
func (q QQ) Figure() (*Figure, error) {
	if len(q.Groups) == 0 {
		return nil, errors.New("viz: QQ plot: no groups: give at least one")
	}
	reference, xLabel := q.Reference, "expected quantile"
	if reference == nil {
		reference, xLabel = distuv.UnitNormal, "quantile of N(0, 1)"
	}
	if q.XLabel != "" {
		xLabel = q.XLabel
	}
	yLabel := q.YLabel
	if yLabel == "" {
		yLabel = "sample quantile"
	}
	p := &panel{title: q.Title, axes: newPlot(xLabel, yLabel)}
	data := table{header: []string{"group", "probability", "expected", "sample"}}
	var clouds dots
	sorted, lost := make([][]float64, len(q.Groups)), make([]int, len(q.Groups))
	for i, g := range q.Groups {
		if sorted[i], lost[i] = finite(g.Values); len(sorted[i]) == 0 {
			return nil, fmt.Errorf("viz: QQ plot: group %q: none of its %d values is finite: leave the group out", g.Name, len(g.Values))
		}
		slices.Sort(sorted[i])
	}
	low, high := qqRange(reference, sorted)
	smallest := len(sorted[0])
	for i, g := range q.Groups {
		values := sorted[i]
		smallest = min(smallest, len(values))
		style := draw.GlyphStyle{Color: g.Color.resolve(i), Radius: 1.3, Shape: glyphs[i%len(glyphs)]}
		for _, rank := range drawnRanks(len(values)) {
			probability := (float64(rank) + 0.5) / float64(len(values))
			expected := reference.Quantile(probability)
			data.add(g.Name, probability, expected, values[rank])
			clouds = append(clouds, dot{at: plotter.XY{X: expected, Y: values[rank]}, style: style})
		}
		outside := 0
		for _, v := range values {
			if v < low || v > high {
				outside++
			}
		}
		p.explain(groupLabel(g.Name, len(values), outside, lost[i]), glyphSample(style))
	}
	area := orderBand(reference, smallest)
	p.axes.Add(area)
	ends := []float64{area.x[0], area.x[len(area.x)-1]}
	p.axes.Add(&plotter.Line{XYs: points(ends, ends), LineStyle: draw.LineStyle{Color: palette[Grey], Width: 0.8}})
	p.axes.Add(clouds)
	p.axes.Y.Min, p.axes.Y.Max = max(p.axes.Y.Min, low), min(p.axes.Y.Max, high)
	padLinear(&p.axes.Y)
	return p.figure(7.5, data), nil
}

// qqRange is what the y axis of sorted samples shows, at most: the reference's quantiles and half
// their range on either side, and the middle 96 % of every sample.
func qqRange(reference distuv.Quantiler, sorted [][]float64) (low, high float64) {
	low, high = math.Inf(1), math.Inf(-1)
	for _, values := range sorted {
		n := float64(len(values))
		first, last := reference.Quantile(0.5/n), reference.Quantile(1-0.5/n)
		air := (last - first) / 2
		low = min(low, first-air, stat.Quantile(0.02, stat.Empirical, values, nil))
		high = max(high, last+air, stat.Quantile(0.98, stat.Empirical, values, nil))
	}
	return low, high
}

// drawnRanks picks the ranks 0 ... n-1 that are drawn, in order.
func drawnRanks(n int) []int {
	const most = 400
	var ranks []int
	end := math.Log(float64(2*n - 1)) // the log-odds of the last rank's probability, 1 - 1/(2n)
	for i := range min(n, most) {
		rank := i
		if n > most {
			logOdds := end * (2*float64(i)/(most-1) - 1)
			rank = min(int(float64(n)/(1+math.Exp(-logOdds))), n-1)
		}
		if len(ranks) == 0 || rank > ranks[len(ranks)-1] {
			ranks = append(ranks, rank)
		}
	}
	return ranks
}

// orderBand is the central 95 % of each order statistic of n draws: the i-th smallest of n uniform
// numbers has the distribution Beta(i, n - i + 1), and a quantile function carries it over.
func orderBand(reference distuv.Quantiler, n int) band {
	b := band{fill: faint(palette[Grey], 0.25)}
	for _, rank := range drawnRanks(n) {
		order := distuv.Beta{Alpha: float64(rank + 1), Beta: float64(n - rank)}
		b.x = append(b.x, reference.Quantile((float64(rank)+0.5)/float64(n)))
		b.low = append(b.low, reference.Quantile(order.Quantile(0.025)))
		b.high = append(b.high, reference.Quantile(order.Quantile(0.975)))
	}
	return b
}

// Latents checks whether the flow's latents are standard normal, which they must be for its samples
// to be samples of the features.
type Latents struct {
	Groups []Latent
}

// Latent is a named set of latent vectors.
type Latent struct {
	Name  string
	Z     [][]float64 // [n][D]; D is the same for all groups
	Color Color
}

// Figure draws two panels: all n*D coordinates against N(0, 1), and the n squared norms against the
// chi-square distribution with D degrees of freedom, which also sees dependence between
// coordinates. It fails as [QQ] does, and for vectors of different lengths.
func (l Latents) Figure() (*Figure, error) {
	coordinates, norms := make([]Group, len(l.Groups)), make([]Group, len(l.Groups))
	dim := 0
	for i, g := range l.Groups {
		coordinates[i] = Group{Name: g.Name, Color: g.Color}
		norms[i] = Group{Name: g.Name, Color: g.Color}
		for n, z := range g.Z {
			if dim == 0 {
				dim = len(z)
			}
			if len(z) != dim || dim == 0 {
				return nil, fmt.Errorf("viz: latents %q: vector %d has %d coordinates, the first has %d: they must agree", g.Name, n, len(z), dim)
			}
			square := 0.0
			for _, v := range z {
				square += v * v
			}
			coordinates[i].Values = append(coordinates[i].Values, z...)
			norms[i].Values = append(norms[i].Values, square)
		}
	}
	left, err := QQ{Title: "Coordinates of z", YLabel: "quantile of the coordinates", Groups: coordinates}.Figure()
	if err != nil {
		return nil, err
	}
	right, err := QQ{
		Title: "Squared norms of z", YLabel: "quantile of |z|²", XLabel: fmt.Sprintf("quantile of χ²(%d)", dim),
		Groups: norms, Reference: distuv.ChiSquared{K: float64(dim)},
	}.Figure()
	if err != nil {
		return nil, err
	}
	return Grid(2, left, right)
}
