package roi

import (
	"math"
	"math/bits"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// regions are boxes [n, 4] on the maps from which they pool.
type regions struct{ y, x axis }

// axis is one side of n regions, in pixels of their maps. A bin averages samples at first + i *
// step, i = 0..samples-1. Positions are relative to origin, an integer near the box, so that
// rounding errors do not grow with the map.
type axis struct {
	origin        *graph.Node // [n, 1, 1]
	first         *graph.Node // [n, 7, 1]
	step, samples *graph.Node // [n, 1, 1]
	size          *graph.Node // [n, 1, 1]: pixels of the image on the map along this axis
}

// levelOf returns the level from which each box of boxes [n, 4] pools, [n] int32.
func (p *pyramid) levelOf(boxes *graph.Node) *graph.Node {
	g := boxes.Graph()
	x1, y1, x2, y2 := corners(boxes)
	area := graph.Mul(graph.Sub(x2, x1), graph.Sub(y2, y1))
	scale := graph.AddScalar(graph.DivScalar(graph.Sqrt(area), canonicalSize), levelEpsilon)
	bounds := p.levelBounds()
	level := graph.Zeros(g, shapes.Make(dtypes.Int32, boxes.Shape().Dim(0)))
	for _, bound := range bounds {
		level = graph.Add(level, graph.ConvertDType(graph.GreaterOrEqual(scale, graph.Const(g, bound)), dtypes.Int32))
	}
	return level
}

// A box of area canonicalSize^2 belongs to the level of stride 2^canonicalLevel (Lin et al.,
// "Feature Pyramid Networks", equation 1).
const (
	canonicalSize  = 224
	canonicalLevel = 4
	levelEpsilon   = 1e-8
)

// levelBounds returns, for every level but the first, the smallest float32 s for which
// floor(canonicalLevel + log2(s)) is that level if each operation rounds to float32, as the
// original's do. Comparing with these bounds does not depend on the logarithm of the backend.
func (p *pyramid) levelBounds() []float32 {
	bounds := make([]float32, len(p.strides)-1)
	for i := range bounds {
		target := float32(bits.TrailingZeros(uint(p.strides[i+1])))
		bound := float32(math.Exp2(float64(target - canonicalLevel)))
		for {
			below := math.Nextafter32(bound, 0)
			if canonicalLevel+float32(math.Log2(float64(below))) < target {
				break
			}
			bound = below
		}
		bounds[i] = bound
	}
	return bounds
}

// levelsInUse returns the number of levels that boxes within a canvas of the given size in pixels
// can be pooled from.
func levelsInUse(height, width int, strides []int) int {
	scale := math.Sqrt(float64(height)*float64(width))/canonicalSize + 1e-3 // more than rounding can add
	n := 1
	for _, bound := range (&pyramid{strides: strides}).levelBounds() {
		if scale >= float64(bound) {
			n++
		}
	}
	return n
}

// regions returns the boxes [n, 4] on their maps. level is [n]; sizes [n, 2] are those of their
// images, or nil.
func (p *pyramid) regions(boxes, level, sizes *graph.Node) regions {
	scales := make([]float64, len(p.strides))
	for i, stride := range p.strides {
		scales[i] = 1 / float64(stride)
	}
	scale := perLevel(level, scales)
	x1, y1, x2, y2 := corners(boxes)
	heights, widths := perLevel(level, p.heights), perLevel(level, p.widths)
	if sizes != nil {
		// detectron2 pads a single image to a multiple of 32, which all strides divide.
		pixels := func(axis int) *graph.Node {
			size := graph.Reshape(graph.Slice(sizes, graph.AxisRange(), graph.AxisElem(axis)), -1)
			return graph.Mul(graph.MulScalar(graph.Ceil(graph.DivScalar(size, 32)), 32), scale)
		}
		heights, widths = graph.Min(heights, pixels(0)), graph.Min(widths, pixels(1))
	}
	return regions{
		y: newAxis(graph.Mul(y1, scale), graph.Mul(y2, scale), heights),
		x: newAxis(graph.Mul(x1, scale), graph.Mul(x2, scale), widths),
	}
}

// newAxis takes the start and the end of a side and the size of its map, all [n].
func newAxis(start, end, size *graph.Node) axis {
	g, n := start.Graph(), start.Shape().Dim(0)
	column := func(x *graph.Node) *graph.Node { return graph.Reshape(x, n, 1, 1) }
	// The centre of pixel i lies at i + 0.5. Subtracting from both ends keeps the original's
	// rounding, which decides the number of samples of boxes that are a whole number of bins long.
	start, end = column(graph.AddScalar(start, -0.5)), column(graph.AddScalar(end, -0.5))
	bin := graph.DivScalar(graph.Sub(end, start), poolSize)
	samples := graph.MaxScalar(graph.Ceil(bin), 0)
	// An empty box has no samples; its step must only be finite.
	step := graph.MaxScalar(graph.Div(bin, graph.MaxScalar(samples, 1)), 1e-6)
	origin := graph.Floor(start)
	bins := graph.Iota(g, shapes.Make(dtypes.Float32, 1, poolSize, 1), 1)
	first := graph.Add(graph.Add(graph.Sub(start, origin), graph.Mul(bins, bin)), graph.MulScalar(step, 0.5))
	return axis{origin: origin, first: first, step: step, samples: samples, size: column(size)}
}

// weights returns the share of the pixels at the given positions [n or 1, m] in each bin, [n, 7,
// m]. A sample s gives pixel y the weight max(0, 1-|s-y|). Samples up to one pixel outside the map
// are moved to its border; those further out count as zero. Since samples are equally spaced, both
// flanks of the hat are arithmetic series. It can be called in the body of a loop.
func (a axis) weights(positions *graph.Node) *graph.Node {
	g := positions.Graph()
	zero, one := number(g, 0), number(g, 1)
	positions = graph.InsertAxes(positions, 1)
	y := graph.Sub(positions, a.origin)
	// upTo counts a bin's samples at or before t.
	upTo := func(t *graph.Node) *graph.Node {
		count := graph.Add(graph.Floor(graph.Div(graph.Sub(t, a.first), a.step)), one)
		return graph.Min(graph.Max(count, zero), a.samples)
	}
	// series is the sum 0 + step + ... + (n-1) * step.
	series := func(n *graph.Node) *graph.Node {
		return graph.Mul(graph.Mul(a.step, number(g, 0.5)), graph.Mul(n, graph.Sub(n, one)))
	}
	before, here, after := upTo(graph.Sub(y, one)), upTo(y), upTo(graph.Add(y, one))

	left := graph.Sub(here, before) // samples in (y-1, y]
	nearest := graph.Add(a.first, graph.Mul(a.step, before))
	rising := graph.Add(graph.Mul(left, graph.Sub(nearest, graph.Sub(y, one))), series(left))
	right := graph.Sub(after, here) // samples in (y, y+1]
	nearest = graph.Add(a.first, graph.Mul(a.step, here))
	falling := graph.Sub(graph.Mul(right, graph.Sub(graph.Add(y, one), nearest)), series(right))

	atStart := graph.Equal(positions, zero)
	atEnd := graph.Equal(positions, graph.Sub(a.size, one))
	rising = choose(atStart, left, rising)
	falling = choose(atEnd, right, falling)
	sum := graph.Add(rising, falling)
	sum = choose(graph.LessThan(positions, a.size), sum, graph.BroadcastToDims(zero, sum.Shape().Dimensions...)) // the map may extend beyond the image
	return graph.Div(sum, graph.Max(a.samples, one))
}

// choose is Where with a condition that is broadcast to the shape of the values.
func choose(condition, onTrue, onFalse *graph.Node) *graph.Node {
	return graph.Where(graph.BroadcastToDims(condition, onTrue.Shape().Dimensions...), onTrue, onFalse)
}

// corners splits boxes [n, 4] into x1, y1, x2, y2, each [n].
func corners(boxes *graph.Node) (x1, y1, x2, y2 *graph.Node) {
	column := func(i int) *graph.Node {
		return graph.Reshape(graph.Slice(boxes, graph.AxisRange(), graph.AxisElem(i)), -1)
	}
	return column(0), column(1), column(2), column(3)
}

// perLevel looks up a value for each region by its level [n].
func perLevel[T int | float64](level *graph.Node, values []T) *graph.Node {
	table := make([]float32, len(values))
	for i, v := range values {
		table[i] = float32(v)
	}
	return graph.Gather(graph.Const(level.Graph(), table), graph.InsertAxes(level, -1))
}

// number returns a constant that the body of a loop can use, unlike those that GoMLX caches for a
// graph.
func number(g *graph.Graph, x float64) *graph.Node { return graph.Const(g, float32(x)) }
