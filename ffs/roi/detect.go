package roi

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/boxes"
)

// Detections are the results of inference, D = min(Config.Detections, P*K) rows for each image in
// descending order of score. Rows that are not valid come last and hold zeros.
type Detections struct {
	Boxes   *graph.Node // [batch, D, 4]
	Scores  *graph.Node // [batch, D]: the probability of the class
	Classes *graph.Node // [batch, D] int32
	Rows    *graph.Node // [batch, D] int32: the proposal of the detection; several may share it
	Valid   *graph.Node // [batch, D] booleans
}

// Detect turns the proposals [batch, P, 4], of which valid [batch, P] are real, with their logits
// [batch*P, K+1] and deltas [batch*P, 4*K] into detections. Each (proposal, class) whose
// probability exceeds the threshold is a candidate, so a proposal may be detected as several
// classes. Candidates of one class suppress each other. Of equal scores the lower proposal, then
// the lower class, comes first. A proposal is dropped unless all of its boxes and probabilities are
// finite.
//
// As in FFS's standard_nms, boxes are not clipped to the image: see Finish.
func (c Config) Detect(proposals, valid, logits, deltas *graph.Node) Detections {
	g, batch, p, k := proposals.Graph(), proposals.Shape().Dim(0), proposals.Shape().Dim(1), c.Classes
	proposals, logits, deltas = graph.StopGradient(proposals), graph.StopGradient(logits), graph.StopGradient(deltas)
	probabilities := graph.Softmax(graph.Reshape(logits, batch, p, k+1))
	decoded := coder.Decode(graph.Reshape(deltas, batch, p, 4*k), proposals)
	finite := graph.LogicalAnd(allFinite(decoded), allFinite(probabilities))
	decoded = graph.Reshape(decoded, batch, p*k, 4)

	// All but candidates have score -1.
	inlier := graph.SliceAxis(probabilities, -1, graph.AxisRange(0, k))
	exceeds := graph.GreaterThan(inlier, graph.Const(g, float32(c.ScoreThreshold)))
	usable := graph.BroadcastToDims(graph.InsertAxes(graph.LogicalAnd(valid, finite), -1), batch, p, k)
	scores := graph.Where(graph.LogicalAnd(exceeds, usable), inlier, graph.Const(g, float32(-1)))

	// One sorted list of all proposals for each image and class makes the suppression exact.
	lists := batch * k
	perClass := graph.Reshape(graph.TransposeAllAxes(scores, 0, 2, 1), lists, p)
	sorted, order := graph.TopK(perClass, p, 1)
	listBoxes := graph.TransposeAllAxes(graph.Reshape(decoded, batch, p, k, 4), 0, 2, 1, 3)
	listBoxes = boxes.Take(graph.Reshape(listBoxes, lists, p, 4), order)
	keep := boxes.NMS(listBoxes, graph.GreaterOrEqual(sorted, graph.ZerosLike(sorted)), c.NMS)
	kept := graph.Where(keep, sorted, graph.Const(g, float32(-1)))

	// The number of a candidate is proposal * K + class.
	class := graph.Iota(g, shapes.Make(dtypes.Int32, batch, k, p), 1)
	number := graph.Add(graph.MulScalar(graph.Reshape(order, batch, k, p), k), class)
	kept, number = best(graph.Reshape(kept, batch, k*p), graph.Reshape(number, batch, k*p), min(c.Detections, p*k))
	found := graph.GreaterOrEqual(kept, graph.ZerosLike(kept))
	only := func(x *graph.Node) *graph.Node { return graph.StopGradient(graph.Where(found, x, graph.ZerosLike(x))) }
	classes := graph.Const(g, int32(k))
	return Detections{
		Boxes:   only(boxes.Take(decoded, number)),
		Scores:  only(kept),
		Classes: only(graph.Mod(number, classes)),
		Rows:    only(graph.Div(number, classes)),
		Valid:   graph.StopGradient(found),
	}
}

// OfProposals picks the row of each detection from values of the proposals [batch*P, n], such as
// logits or box features: [batch, D, n].
func (d Detections) OfProposals(values *graph.Node) *graph.Node {
	return boxes.Take(graph.Reshape(values, d.Rows.Shape().Dim(0), -1, values.Shape().Dim(-1)), d.Rows)
}

// best returns the n highest of scores [batch, m] in descending order, with their numbers [batch,
// m]. Of equal scores the lower number comes first.
func best(scores, numbers *graph.Node, n int) (topScores, topNumbers *graph.Node) {
	before := graph.NewClosure(scores.Graph(), func(g *graph.Graph) []*graph.Node {
		score, otherScore := graph.Parameter(g, "score", shapes.Make(dtypes.Float32)), graph.Parameter(g, "otherScore", shapes.Make(dtypes.Float32))
		number, otherNumber := graph.Parameter(g, "number", shapes.Make(dtypes.Int32)), graph.Parameter(g, "otherNumber", shapes.Make(dtypes.Int32))
		tie := graph.LogicalAnd(graph.Equal(score, otherScore), graph.LessThan(number, otherNumber))
		return []*graph.Node{graph.LogicalOr(graph.GreaterThan(score, otherScore), tie)}
	})
	sorted := graph.SortFunc(before, 1, false, scores, numbers)
	first := graph.AxisRange(0, n)
	return graph.SliceAxis(sorted[0], 1, first), graph.SliceAxis(sorted[1], 1, first)
}

// allFinite returns whether each row of x [..., n] is finite.
func allFinite(x *graph.Node) *graph.Node { return graph.ReduceLogicalAnd(graph.IsFinite(x), -1) }
