package rpn

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/boxes"
)

// Targets is what the anchors should say. Nothing of it has a gradient.
type Targets struct {
	// Labels [batch, A] int32: 1 object, 0 background, -1 ignored.
	Labels *Node
	// MatchedBoxes [batch, A, 4] are the ground truths that the anchors overlap most.
	MatchedBoxes *Node
	// Unmatched [batch] int32 counts the ground truths that overlap no anchor of their image.
	Unmatched *Node
}

// Targets labels the anchors by the ground truth gtBoxes [batch, M, 4], of which gtValid [batch, M] are real: object from an IoU of 0.7 or
// as a ground truth's best anchor, background under 0.3. Anchors outside of their image are ignored.
func (c Config) Targets(out *Output, gtBoxes, gtValid *Node) *Targets {
	matcher := boxes.Matcher{Low: 0.3, High: 0.7, LowQuality: true, ZeroOverlapQuirk: c.ZeroOverlapQuirk}
	matches := matcher.Match(gtBoxes, gtValid, graph.InsertAxes(out.Anchors, 0), out.InImage)
	return &Targets{
		Labels:       matches.Labels,
		MatchedBoxes: graph.StopGradient(boxes.Take(gtBoxes, matches.Index)),
		Unmatched:    matches.Unmatched,
	}
}

// Sample returns labels [batch, A] int32 in which only the sampled anchors keep theirs and all others have -1: BatchPerImage of each
// image, at most PositiveFraction of them positive, the rest background, fewer if there are not as many. The noise
// [batch, A], uniform in [0, 1), decides: the anchors with the largest values are taken, the lower index first among equals.
func (c Config) Sample(labels, noise *Node) *Node {
	g, batch, n := labels.Graph(), labels.Shape().Dim(0), labels.Shape().Dim(1)
	labels, noise = graph.StopGradient(labels), graph.StopGradient(noise)
	is := func(label int32) *Node { return graph.Equal(labels, graph.Const(g, label)) }
	most := min(int(float64(c.BatchPerImage)*c.PositiveFraction), n)

	wanted := graph.BroadcastToDims(graph.Const(g, int32(most)), batch, 1)
	positive := chosen(is(1), noise, wanted, most)
	taken := graph.ReduceAndKeep(graph.ConvertDType(positive, dtypes.Int32), graph.ReduceSum, 1)
	wanted = graph.Sub(graph.Const(g, int32(c.BatchPerImage)), taken)
	negative := chosen(is(0), noise, wanted, min(c.BatchPerImage, n))
	sampled := graph.Where(graph.LogicalOr(positive, negative), labels, graph.Const(g, int32(-1)))
	return graph.StopGradient(sampled)
}

// chosen returns which of the candidates [batch, A] have the largest noise, count [batch, 1] int32 of them or all if they are fewer; most
// bounds count. An anchor is in if it comes no later than the last one chosen, which needs neither a scatter nor a second sort.
func chosen(candidates, noise, count *Node, most int) *Node {
	g, batch, n := noise.Graph(), noise.Shape().Dim(0), noise.Shape().Dim(1)
	if most == 0 {
		return graph.ZerosLike(candidates)
	}
	order := graph.Where(candidates, noise, graph.Const(g, float32(-1)))
	values, index := graph.TopK(order, most, 1)
	last := graph.ClipScalar(graph.AddScalar(count, -1), 0, float64(most-1))
	lastValue, lastIndex := boxes.Take(values, last), boxes.Take(index, last)
	before := graph.LogicalOr(
		graph.GreaterThan(order, lastValue),
		graph.LogicalAnd(graph.Equal(order, lastValue), graph.LessOrEqual(positions(g, batch, n), lastIndex)))
	some := graph.GreaterThan(count, graph.Const(g, int32(0)))
	return graph.LogicalAnd(graph.LogicalAnd(candidates, before), some)
}
