package rpn

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/boxes"
)

// Proposals returns the best boxes of each image. It moves the best anchors of each level, clips
// them to the true size of the image, drops empty boxes and those that are not finite, applies
// non-maximum suppression on each level, and keeps the best of all levels.
//
// It returns boxes [batch, P, 4] and logits [batch, P] in descending order of logit (of equal ones
// the lower level, then the lower anchor first), and which of them are valid [batch, P]. Padding
// comes last, with a box of zeros and a logit of -Inf. P is the configured number, or less if the
// levels have fewer anchors. The results have no gradient.
func (c Config) Proposals(out *Output, sizes *graph.Node, training bool) (proposals, logits, valid *graph.Node) {
	pre, post := c.PreNMSTest, c.PostNMSTest
	if training {
		pre, post = c.PreNMSTrain, c.PostNMSTrain
	}
	g, batch, levels := sizes.Graph(), sizes.Shape().Dim(0), len(out.levelSizes)
	dropped := graph.Const(g, float32(math.Inf(-1)))

	scores := graph.StopGradient(out.Logits)
	scores = graph.Where(graph.LogicalAnd(out.InImage, graph.IsFinite(scores)), scores, dropped)
	scores, index := topOfLevels(scores, out.levelSizes, pre)
	candidates := scores.Shape().Dim(1) / levels // of each level

	anchors := graph.Gather(out.Anchors, graph.InsertAxes(index, -1))
	clipped := boxes.Clip(coder.Decode(boxes.Take(graph.StopGradient(out.Deltas), index), anchors), sizes)
	// A move that is not finite gives a box without area or with a NaN; NonEmpty rejects both.
	good := graph.LogicalAnd(boxes.NonEmpty(clipped), graph.GreaterThan(scores, dropped))

	keep := boxes.NMS(
		graph.Reshape(clipped, batch*levels, candidates, 4),
		graph.Reshape(good, batch*levels, candidates), c.NMS)
	scores = graph.Where(graph.Reshape(keep, batch, levels*candidates), scores, dropped)
	logits, index = graph.TopK(scores, min(post, levels*candidates), 1)
	valid = graph.GreaterThan(logits, dropped)
	proposals = boxes.Take(clipped, index)
	proposals = graph.Where(valid, proposals, graph.ZerosLike(proposals))
	return graph.StopGradient(proposals), graph.StopGradient(logits), graph.StopGradient(valid)
}

// topOfLevels returns the k best scores of each level in descending order, and their anchors: both
// [batch, levels*K], where K is k or the number of anchors of the largest level. Smaller levels are
// padded with -Inf and anchor 0.
func topOfLevels(scores *graph.Node, levelSizes []int, k int) (best, index *graph.Node) {
	g, batch := scores.Graph(), scores.Shape().Dim(0)
	largest := 0
	for _, size := range levelSizes {
		largest = max(largest, min(k, size))
	}
	pad := func(x *graph.Node, value any) *graph.Node {
		missing := largest - x.Shape().Dim(1)
		if missing == 0 {
			return x
		}
		padding := graph.BroadcastToDims(graph.Const(g, value), batch, missing)
		return graph.Concatenate([]*graph.Node{x, padding}, 1)
	}
	var values, indices []*graph.Node
	start := 0
	for _, size := range levelSizes {
		level := graph.SliceAxis(scores, 1, graph.AxisRange(start, start+size))
		value, at := graph.TopK(level, min(k, size), 1)
		values = append(values, pad(value, float32(math.Inf(-1))))
		indices = append(indices, pad(graph.AddScalar(at, float64(start)), int32(0)))
		start += size
	}
	return graph.Concatenate(values, 1), graph.Concatenate(indices, 1)
}

// positions returns 0, 1, 2... along the second axis of [batch, n] int32.
func positions(g *graph.Graph, batch, n int) *graph.Node {
	return graph.Iota(g, shapes.Make(dtypes.Int32, batch, n), 1)
}
