package viz

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"gonum.org/v1/gonum/stat"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
)

// Histogram compares how several samples are distributed: energies of inliers and of unknown
// objects, say. The bins are the same for all groups, and a bar's height is the fraction of its
// group, so that groups of different sizes can be compared; the legend has the sizes. A single
// group is filled, several are outlines: fills would mix to colours that stand for nothing.
type Histogram struct {
	Title  string
	XLabel string // with units
	Groups []Group
	// Bins is their number; 0: chosen by the rule of Freedman and Diaconis from all values
	// together, 10 to 60, or 10 to 30 for several groups.
	Bins int
	LogX bool // logarithmic x axis, bins of equal width on it; all values must be positive

	// Range is the interval that is drawn; [0, 0] means all of the data. Values outside are counted
	// in the legend and still part of the fractions.
	Range [2]float64

	// Expected are distributions to compare with, drawn as dashed lines.
	Expected []Distribution
	Marks    []Mark // such as the threshold of a decision
}

// Distribution is a distribution that is known by its cumulative function.
type Distribution struct {
	Name  string
	CDF   func(x float64) float64 // such as distuv.ChiSquared{K: 1024}.CDF
	Color Color
}

// Figure draws the histogram. Values that are not finite are left out of the fractions and counted
// in the legend. The CSV has a row for each group (and expected distribution) and bin: group, low,
// high, count, fraction; the last bin contains its upper end. It fails for no group, a group
// without finite values, a range that is empty, or none of the data in it, and on a logarithmic
// axis for what is not positive.
func (h Histogram) Figure() (*Figure, error) {
	if len(h.Groups) == 0 {
		return nil, errors.New("viz: histogram: no groups: give at least one")
	}
	if err := checkMarks("histogram", h.Marks); err != nil {
		return nil, err
	}
	var pooled []float64
	values := make([][]float64, len(h.Groups))
	lost := make([]int, len(h.Groups))
	for i, g := range h.Groups {
		values[i], lost[i] = finite(g.Values)
		if len(values[i]) == 0 {
			return nil, fmt.Errorf("viz: histogram: group %q: none of its %d values is finite: leave the group out", g.Name, len(g.Values))
		}
		pooled = append(pooled, values[i]...)
	}
	edges, err := h.edges(pooled)
	if err != nil {
		return nil, err
	}
	places := make([]float64, len(edges))
	for i, edge := range edges {
		places[i] = h.along(edge)
	}

	p := &panel{title: h.Title, axes: newPlot(h.XLabel, "fraction of group")}
	if h.LogX {
		p.axes.X.Tick.Marker = placeTicks{}
	}
	data := table{header: []string{"group", "low", "high", "count", "fraction"}}
	for i, g := range h.Groups {
		counts, outside := binCounts(values[i], edges)
		fractions := make([]float64, len(counts))
		for b, n := range counts {
			fractions[b] = float64(n) / float64(len(values[i]))
			data.add(g.Name, edges[b], edges[b+1], n, fractions[b])
		}
		c := g.Color.resolve(i)
		bars := steps{edges: places, heights: fractions, outline: line(c)}
		var sample plot.Thumbnailer = lineSample(bars.outline)
		if len(h.Groups) == 1 {
			bars.fill = faint(c, 0.25)
			sample = areaSample{bars.fill, bars.outline}
		}
		p.axes.Add(bars)
		p.explain(groupLabel(g.Name, len(values[i]), outside, lost[i]), sample)
	}
	for i, d := range h.Expected {
		style := dashed(line(d.Color.resolve(len(h.Groups) + i)))
		var curve plotter.XYs
		for b := range len(edges) - 1 {
			fraction := d.CDF(edges[b+1]) - d.CDF(edges[b])
			data.add(d.Name, edges[b], edges[b+1], "", fraction)
			curve = append(curve, plotter.XY{X: (places[b] + places[b+1]) / 2, Y: fraction})
		}
		p.axes.Add(&plotter.Line{XYs: curve, LineStyle: style})
		p.explain(d.Name, lineSample(style))
	}
	marks := slices.Clone(h.Marks)
	for i := range marks {
		marks[i].At = h.along(marks[i].At)
	}
	p.axes.Add(markLines(marks))
	above := 0.05 // and room for the marks' labels, so that they hide nothing
	for _, m := range h.Marks {
		if m.Label != "" {
			above += 0.1
		}
	}
	p.axes.Y.Min, p.axes.Y.Max = 0, p.axes.Y.Max*(1+above)
	return p.figure(6, data), nil
}

// along is the place of a value on the x axis, on which bins are equally wide; back is its inverse.
func (h Histogram) along(x float64) float64 {
	if h.LogX {
		return math.Log(x)
	}
	return x
}

func (h Histogram) back(place float64) float64 {
	if h.LogX {
		return math.Exp(place)
	}
	return place
}

// edges returns the borders of the bins in ascending order.
func (h Histogram) edges(pooled []float64) ([]float64, error) {
	low, high := h.Range[0], h.Range[1]
	if low == 0 && high == 0 {
		low, high = slices.Min(pooled), slices.Max(pooled)
		if low == high { // a single value gets a bin around itself
			low, high = h.back(h.along(low)-0.5), h.back(h.along(high)+0.5)
		}
	}
	if !(low < high) || !isFinite(high-low) {
		return nil, fmt.Errorf("viz: histogram: range [%v, %v]: the first end must be below the second", low, high)
	}
	if h.LogX && min(low, slices.Min(pooled)) <= 0 {
		return nil, fmt.Errorf("viz: histogram: %v has no place on a logarithmic axis: leave it out", min(low, slices.Min(pooled)))
	}
	var places []float64 // of the values within, on the axis
	for _, v := range pooled {
		if low <= v && v <= high {
			places = append(places, h.along(v))
		}
	}
	if len(places) == 0 {
		return nil, fmt.Errorf("viz: histogram: no value lies in the range [%v, %v]: widen it", low, high)
	}
	from, to := h.along(low), h.along(high)
	bins := h.Bins
	if bins <= 0 {
		slices.Sort(places)
		spread := stat.Quantile(0.75, stat.Empirical, places, nil) - stat.Quantile(0.25, stat.Empirical, places, nil)
		width := 2 * spread / math.Cbrt(float64(len(places)))
		most := 60.0
		if len(h.Groups) > 1 {
			most = 30 // outlines of more cross too often to be followed
		}
		bins = 10
		if width > 0 {
			bins = int(min(max((to-from)/width, 10), most))
		}
	}
	edges := make([]float64, bins+1)
	for i := range edges {
		t := float64(i) / float64(bins)
		edges[i] = h.back(from*(1-t) + to*t)
	}
	edges[0], edges[bins] = low, high
	return edges, nil
}

// binCounts counts the values between successive edges; the last bin includes its upper edge.
func binCounts(values, edges []float64) (counts []int, outside int) {
	counts = make([]int, len(edges)-1)
	for _, v := range values {
		if v < edges[0] || v > edges[len(edges)-1] {
			outside++
			continue
		}
		b, exact := slices.BinarySearch(edges, v)
		if !exact || b == len(counts) {
			b--
		}
		counts[b]++
	}
	return counts, outside
}

// groupLabel is a legend entry with the size of the group, and what the picture does not show of
// it.
func groupLabel(name string, n, outside, lost int) string {
	label := fmt.Sprintf("%s (n = %s", name, count(n))
	if outside > 0 {
		label += fmt.Sprintf(", %s outside", count(outside))
	}
	if lost > 0 {
		label += fmt.Sprintf(", %s not finite", count(lost))
	}
	return label + ")"
}
