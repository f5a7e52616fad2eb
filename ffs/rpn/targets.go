package rpn

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/boxes"
)

// Targets are the targets of the anchors. They have no gradient.
type Targets struct {
	// Labels [batch, A] int32: 1 object, 0 background, -1 ignored.
	Labels *graph.Node
	// MatchedBoxes [batch, A, 4] are the ground truths that the anchors overlap most.
	MatchedBoxes *graph.Node
	// Unmatched [batch] int32 counts the ground truths that overlap no anchor of their image.
	Unmatched *graph.Node
}

// Targets labels the anchors by the ground truth gtBoxes [batch, M, 4], of which gtValid [batch, M]
// are real: object from an IoU of 0.7 or as the best anchor of a ground truth, background below
// 0.3. Anchors outside their image are ignored, and so are background anchors that would not be
// background if the boxes of gtIgnored [batch, M] were ground truth; nil means none.
func (c Config) Targets(out *Output, gtBoxes, gtValid, gtIgnored *graph.Node) *Targets {
	matcher := boxes.Matcher{Low: 0.3, High: 0.7, LowQuality: true, ZeroOverlapQuirk: c.ZeroOverlapPositive}
	anchors := graph.InsertAxes(out.Anchors, 0)
	matches := matcher.Match(gtBoxes, gtValid, anchors, out.InImage)
	if gtIgnored != nil {
		matches = matcher.Ignore(matches, gtBoxes, gtIgnored, anchors, out.InImage)
	}
	return &Targets{
		Labels:       matches.Labels,
		MatchedBoxes: graph.StopGradient(boxes.Take(gtBoxes, matches.Index)),
		Unmatched:    matches.Unmatched,
	}
}

// Sample returns labels [batch, A] int32 in which all but the sampled anchors have -1. It samples
// BatchPerImage anchors of each image, at most PositiveFraction of them positive, the others
// background; fewer if there are not as many. The noise [batch, A], uniform in [0, 1), decides: the
// largest values are taken, the lower index first among equals.
func (c Config) Sample(labels, noise *graph.Node) *graph.Node {
	g, batch, n := labels.Graph(), labels.Shape().Dim(0), labels.Shape().Dim(1)
	labels, noise = graph.StopGradient(labels), graph.StopGradient(noise)
	most := min(c.BatchPerImage, n)
	mostPositive := min(int(float64(c.BatchPerImage)*c.PositiveFraction), most)

	// The first half of the rows orders the positive anchors of each image, the second half the
	// background.
	order := func(label int32) *graph.Node {
		return graph.Where(graph.Equal(labels, graph.Const(g, label)), noise, graph.Const(g, float32(-1)))
	}
	orders := graph.Concatenate([]*graph.Node{order(1), order(0)}, 0)
	values, index := graph.TopK(orders, most, 1)
	candidate := graph.GreaterOrEqual(values, graph.Const(g, float32(0)))
	found := graph.ReduceAndKeep(graph.ConvertDType(candidate, dtypes.Int32), graph.ReduceSum, 1) // [2*batch, 1]
	positive := graph.Min(graph.SliceAxis(found, 0, graph.AxisRange(0, batch)), graph.Const(g, int32(mostPositive)))
	background := graph.Min(
		graph.SliceAxis(found, 0, graph.AxisRange(batch, 2*batch)),
		graph.Sub(graph.Const(g, int32(c.BatchPerImage)), positive))
	count := graph.Concatenate([]*graph.Node{positive, background}, 0)

	// An anchor is in if it comes no later than the last sampled one. This needs no scatter or
	// sort.
	isLast := graph.Equal(positions(g, 2*batch, most), graph.AddScalar(count, -1))
	last := func(x *graph.Node) *graph.Node {
		return graph.ReduceAndKeep(graph.Where(isLast, x, graph.ZerosLike(x)), graph.ReduceSum, 1)
	}
	lastValue := last(values)
	in := graph.LogicalOr(
		graph.GreaterThan(orders, lastValue),
		graph.LogicalAnd(graph.Equal(orders, lastValue), graph.LessOrEqual(positions(g, 2*batch, n), last(index))))
	in = graph.LogicalAnd(in, graph.GreaterThan(count, graph.Const(g, int32(0))))
	in = graph.LogicalOr(graph.SliceAxis(in, 0, graph.AxisRange(0, batch)), graph.SliceAxis(in, 0, graph.AxisRange(batch, 2*batch)))
	return graph.StopGradient(graph.Where(in, labels, graph.Const(g, int32(-1))))
}
