package boxes

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/graphs"
)

// Matcher assigns boxes to the ground truth by their IoU (detectron2's Matcher with one pair of
// thresholds).
type Matcher struct {
	// Low and High divide the labels: a box whose best IoU is at least High is positive, one below
	// Low is background, one between them is ignored.
	Low, High float64
	// LowQuality also makes every box positive that has the largest IoU of all boxes with some
	// ground truth (all of several equal ones). Its match remains the ground truth that it overlaps
	// most.
	LowQuality bool
	// ZeroOverlapQuirk keeps what the original does for a ground truth that overlaps no box: its
	// largest IoU is 0, and LowQuality makes all boxes positive that do not overlap it. Without it,
	// such a ground truth promotes no box.
	ZeroOverlapQuirk bool
}

// Matches is the result of Match. It has no gradient.
type Matches struct {
	// Index [batch, N] int32 is the ground truth that each box overlaps most, the first of equal
	// ones; 0 without ground truth.
	Index *graph.Node
	// Labels [batch, N] int32: 1 positive, 0 background, -1 ignored.
	Labels *graph.Node
	// Unmatched [batch] int32 is the number of ground truths that overlap no box.
	Unmatched *graph.Node
}

// Match labels the boxes [batch or 1, N, 4] by the ground truth gtBoxes [batch, M, 4], of which
// gtValid [batch, M] are real. Boxes outside valid [batch, N] are ignored and match nothing; nil
// means that all are valid. Without ground truth all boxes are background.
func (m Matcher) Match(gtBoxes, gtValid, boxes, valid *graph.Node) Matches {
	g, batch, n := gtBoxes.Graph(), gtBoxes.Shape().Dim(0), boxes.Shape().Dim(1)
	if valid == nil {
		valid = graph.Ones(g, shapes.Make(dtypes.Bool, batch, n))
	}
	gtValid.AssertDims(batch, gtBoxes.Shape().Dim(1))
	valid.AssertDims(batch, n)
	gtValid, valid = graph.StopGradient(gtValid), graph.StopGradient(valid)
	best, index, overlaps := overlapRows(graph.StopGradient(gtBoxes), gtValid, graph.StopGradient(boxes), valid)

	positive := graph.GreaterOrEqual(best, graph.Const(g, float32(m.High)))
	background := graph.LessThan(best, graph.Const(g, float32(m.Low)))
	reach := graph.ReduceAndKeep(overlaps, graph.ReduceMax, 2) // [M, batch, 1]: the largest IoU of each ground truth
	if m.LowQuality {
		least := float32(0)
		if m.ZeroOverlapQuirk {
			least = none
		}
		promotes := graph.LogicalAnd(graph.Equal(overlaps, reach), graph.GreaterThan(reach, graph.Const(g, least)))
		positive = graph.LogicalOr(positive, graph.ReduceLogicalOr(promotes, 0))
	}

	label := func(v int32) *graph.Node { return graph.BroadcastToDims(graph.Const(g, v), batch, n) }
	labels := graph.Where(positive, label(1), graph.Where(background, label(0), label(-1)))
	labels = graph.Where(valid, labels, label(-1))
	missed := graph.LessOrEqual(graph.TransposeAllAxes(graph.Squeeze(reach, 2), 1, 0), graph.Const(g, float32(0)))
	missed = graph.LogicalAnd(gtValid, missed)
	return Matches{
		Index:     graph.StopGradient(index),
		Labels:    graph.StopGradient(labels),
		Unmatched: graph.StopGradient(graph.ReduceSum(graph.ConvertDType(missed, dtypes.Int32), 1)),
	}
}

// Ignore returns the matches with label -1 instead of 0 for boxes that would not be background if
// regions [batch, M, 4], of which isReal [batch, M] count, were the ground truth. Positive boxes
// stay positive. boxes and valid are those of Match. A region that overlaps no box changes nothing.
func (m Matcher) Ignore(matches Matches, regions, isReal, boxes, valid *graph.Node) Matches {
	m.ZeroOverlapQuirk = false
	g, on := regions.Graph(), m.Match(regions, isReal, boxes, valid).Labels
	background := func(labels *graph.Node) *graph.Node { return graph.Equal(labels, graph.Const(g, int32(0))) }
	ignored := graph.LogicalAnd(background(matches.Labels), graph.LogicalNot(background(on)))
	matches.Labels = graph.StopGradient(graph.Where(ignored, graph.Const(g, int32(-1)), matches.Labels))
	return matches
}

// none is the overlap with boxes that are not valid, below every overlap.
const none = float32(-1)

// overlapRows returns the best IoU [batch, N] of each box, the first ground truth [batch, N] that
// has it, and all overlaps [M, batch, N].
//
// It loops over the ground truth up to the last real one, so that padding costs little. A loop
// computes its inputs and outputs once, while XLA would compute an expression, anchors included,
// again for each use.
func overlapRows(gtBoxes, gtValid, boxes, valid *graph.Node) (best, index, overlaps *graph.Node) {
	g, batch, m, n := gtBoxes.Graph(), gtBoxes.Shape().Dim(0), gtBoxes.Shape().Dim(1), boxes.Shape().Dim(1)
	nothing := func(dims ...int) *graph.Node { return graph.BroadcastToDims(graph.Const(g, none), dims...) }
	first := graph.BroadcastToDims(graph.Const(g, int32(0)), batch, n)
	changing := []*graph.Node{nothing(batch, n), first, nothing(m, batch, n)}
	out := graphs.ForEach(graph.Const(g, int32(0)), validEnd(gtValid), changing, []*graph.Node{gtBoxes, gtValid, boxes, valid}, func(i *graph.Node, changing, fixed []*graph.Node) []*graph.Node {
		g, best, index, overlaps := i.Graph(), changing[0], changing[1], changing[2]
		gtBoxes, gtValid, boxes, valid := fixed[0], fixed[1], fixed[2], fixed[3]
		zero := graph.Const(g, int32(0))
		gt := graph.DynamicSlice(gtBoxes, []*graph.Node{zero, i, zero}, []int{batch, 1, 4})
		isReal := graph.DynamicSlice(gtValid, []*graph.Node{zero, i}, []int{batch, 1})
		row := graph.Reshape(IoU(gt, boxes), batch, n)
		counts := graph.LogicalAnd(valid, graph.BroadcastToDims(isReal, batch, n))
		row = graph.Where(counts, row, graph.BroadcastToDims(graph.Const(g, none), batch, n))
		better := graph.GreaterThan(row, best)
		return []*graph.Node{
			graph.Max(row, best),
			graph.Where(better, graph.BroadcastToDims(i, batch, n), index),
			graph.DynamicUpdateSlice(overlaps, graph.Reshape(row, 1, batch, n), []*graph.Node{i, zero, zero}),
		}
	})
	return out[0], out[1], out[2]
}
