// Package bilinear holds one axis of ROIAlign: the share of each pixel in each bin of a box.
//
// A bin averages samples, each interpolated between two pixels. Along one axis a sample s gives
// pixel y the weight max(0, 1-|s-y|). Since samples are equally spaced, the sum over those of a bin
// has a closed form, so that no sample is computed by itself. In two dimensions the weights are
// products of those of the axes.
package bilinear

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Axis is one side of n boxes, in pixels of their maps. A bin averages samples at first + i * step,
// i = 0..samples-1. Positions are relative to origin, an integer near the box, so that rounding
// errors do not grow with the map.
type Axis struct {
	origin        *graph.Node // [n, 1, 1]
	first         *graph.Node // [n, bins, 1]
	step, samples *graph.Node // [n, 1, 1]
	size          *graph.Node // [n, 1, 1]: pixels of the map
}

// NewAxis cuts the sides from start to end into bins, each with ceil(length of a bin) samples. The
// map ends at size. All are [n].
func NewAxis(start, end, size *graph.Node, bins int) Axis {
	g, n := start.Graph(), start.Shape().Dim(0)
	column := func(x *graph.Node) *graph.Node { return graph.Reshape(x, n, 1, 1) }
	// The centre of pixel i lies at i + 0.5. Subtracting from both ends keeps the original's
	// rounding, which decides the number of samples of boxes that are a whole number of bins long.
	start, end = column(graph.AddScalar(start, -0.5)), column(graph.AddScalar(end, -0.5))
	bin := graph.DivScalar(graph.Sub(end, start), bins)
	samples := graph.MaxScalar(graph.Ceil(bin), 0)
	// An empty box has no samples; its step must only be finite.
	step := graph.MaxScalar(graph.Div(bin, graph.MaxScalar(samples, 1)), 1e-6)
	origin := graph.Floor(start)
	index := graph.Iota(g, shapes.Make(dtypes.Float32, 1, bins, 1), 1)
	first := graph.Add(graph.Add(graph.Sub(start, origin), graph.Mul(index, bin)), graph.MulScalar(step, 0.5))
	return Axis{origin: origin, first: first, step: step, samples: samples, size: column(size)}
}

// Bins is the number of bins of a box.
func (a Axis) Bins() int { return a.first.Shape().Dim(1) }

// Weights returns the share of the pixels at the given positions [n or 1, m] in each bin, [n, bins,
// m]. Samples up to one pixel outside the map are moved to its border; those further out count as
// zero. The body of a loop can call it.
func (a Axis) Weights(positions *graph.Node) *graph.Node {
	number := func(x float32) *graph.Node { return graph.Const(positions.Graph(), x) } // not cached: see graphs.ForEach
	zero, one := number(0), number(1)
	positions = graph.InsertAxes(positions, 1)
	y := graph.Sub(positions, a.origin)
	// upTo counts a bin's samples at or before t.
	upTo := func(t *graph.Node) *graph.Node {
		count := graph.Add(graph.Floor(graph.Div(graph.Sub(t, a.first), a.step)), one)
		return graph.Min(graph.Max(count, zero), a.samples)
	}
	// series is the sum 0 + step + ... + (n-1) * step.
	series := func(n *graph.Node) *graph.Node {
		return graph.Mul(graph.Mul(a.step, number(0.5)), graph.Mul(n, graph.Sub(n, one)))
	}
	before, here, after := upTo(graph.Sub(y, one)), upTo(y), upTo(graph.Add(y, one))

	left := graph.Sub(here, before) // samples in (y-1, y]
	nearest := graph.Add(a.first, graph.Mul(a.step, before))
	rising := graph.Add(graph.Mul(left, graph.Sub(nearest, graph.Sub(y, one))), series(left))
	right := graph.Sub(after, here) // samples in (y, y+1]
	nearest = graph.Add(a.first, graph.Mul(a.step, here))
	falling := graph.Sub(graph.Mul(right, graph.Sub(graph.Add(y, one), nearest)), series(right))

	choose := func(condition, onTrue, onFalse *graph.Node) *graph.Node {
		return graph.Where(graph.BroadcastToDims(condition, onTrue.Shape().Dimensions...), onTrue, onFalse)
	}
	rising = choose(graph.Equal(positions, zero), left, rising)
	falling = choose(graph.Equal(positions, graph.Sub(a.size, one)), right, falling)
	sum := graph.Add(rising, falling)
	sum = choose(graph.LessThan(positions, a.size), sum, graph.BroadcastToDims(zero, sum.Shape().Dimensions...))
	return graph.Div(sum, graph.Max(a.samples, one))
}

// Extent returns the first and the last pixel that the samples touch, each [n, 1].
func (a Axis) Extent() (low, high *graph.Node) {
	n := a.first.Shape().Dim(0)
	clamp := func(x *graph.Node) *graph.Node {
		x = graph.Floor(graph.Add(x, a.origin))
		return graph.Reshape(graph.Min(graph.MaxScalar(x, 0), graph.AddScalar(a.size, -1)), n, 1)
	}
	bin := func(i int) *graph.Node { return graph.Slice(a.first, graph.AxisRange(), graph.AxisElem(i)) }
	last := graph.Add(bin(a.Bins()-1), graph.Mul(a.step, graph.AddScalar(a.samples, -1)))
	return clamp(bin(0)), clamp(graph.AddScalar(last, 1))
}

// Rows returns all boxes as the rows of a matrix, [n, bins + 4], from which FromRows reads them.
func (a Axis) Rows() *graph.Node {
	var columns []*graph.Node
	for _, x := range []*graph.Node{a.first, a.origin, a.step, a.samples, a.size} {
		columns = append(columns, graph.Squeeze(x, -1))
	}
	return graph.Concatenate(columns, 1)
}

// FromRows returns the boxes of some rows of Rows.
func FromRows(rows *graph.Node) Axis {
	bins := rows.Shape().Dim(1) - 4
	columns := func(from, n int) *graph.Node {
		return graph.InsertAxes(graph.Slice(rows, graph.AxisRange(), graph.AxisRange(from, from+n)), -1)
	}
	return Axis{first: columns(0, bins), origin: columns(bins, 1), step: columns(bins+1, 1), samples: columns(bins+2, 1), size: columns(bins+3, 1)}
}
