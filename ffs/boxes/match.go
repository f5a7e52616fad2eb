package boxes

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// Matcher assigns boxes to the ground truth by their IoU (detectron2's Matcher, one pair of thresholds).
type Matcher struct {
	// Low and High divide the labels: a box whose best IoU is at least High is positive, one below Low is background, one
	// between them is ignored.
	Low, High float64
	// LowQuality makes positive also every box that has the largest IoU of all boxes with some ground truth (ties: all of
	// them). Its match remains the ground truth that it overlaps most.
	LowQuality bool
	// ZeroOverlapQuirk keeps what the original does for a ground truth that overlaps no box: the largest IoU is then 0, and
	// LowQuality makes all boxes that do not overlap it positive. Without it, such a ground truth promotes nothing.
	ZeroOverlapQuirk bool
}

// Matches is the outcome of Match. Nothing of it has a gradient.
type Matches struct {
	// Index [batch, N] int32 is the ground truth that each box overlaps most, the first of equals; 0 without ground truth.
	Index *Node
	// Labels [batch, N] int32: 1 positive, 0 background, -1 ignored.
	Labels *Node
	// Unmatched [batch] int32 counts the ground truths that overlap no box.
	Unmatched *Node
}

// Match labels the boxes [batch or 1, N, 4] by the ground truth gtBoxes [batch, M, 4], of which gtValid [batch, M] are real. Boxes
// outside of valid [batch, N] are ignored and match nothing; nil means that all are valid. Without ground truth all boxes are
// background.
func (m Matcher) Match(gtBoxes, gtValid, boxes, valid *Node) Matches {
	g, batch, n := gtBoxes.Graph(), gtBoxes.Shape().Dim(0), boxes.Shape().Dim(1)
	gtValid.AssertDims(batch, gtBoxes.Shape().Dim(1))
	iou := IoU(graph.StopGradient(gtBoxes), graph.StopGradient(boxes)) // [batch, M, N]
	none := graph.Const(g, float32(-1))                                // below every overlap
	iou = graph.Where(graph.StopGradient(gtValid), iou, none)
	if valid != nil {
		valid.AssertDims(batch, n)
		iou = graph.Where(graph.BroadcastToDims(graph.InsertAxes(valid, 1), iou.Shape().Dimensions...), iou, none)
	}

	best := graph.ReduceMax(iou, 1)
	positive := graph.GreaterOrEqual(best, graph.Const(g, float32(m.High)))
	background := graph.LessThan(best, graph.Const(g, float32(m.Low)))
	reach := graph.ReduceAndKeep(iou, graph.ReduceMax, 2) // [batch, M, 1]: the largest IoU of each ground truth
	if m.LowQuality {
		promotes := graph.GreaterThan(reach, graph.Const(g, float32(0)))
		if m.ZeroOverlapQuirk {
			promotes = graph.GreaterThan(reach, none)
		}
		promoted := graph.LogicalAnd(graph.Equal(iou, reach), promotes)
		positive = graph.LogicalOr(positive, graph.ReduceLogicalOr(promoted, 1))
	}

	shape := shapes.Make(dtypes.Int32, batch, n)
	constant := func(v int32) *Node { return graph.BroadcastToShape(graph.Const(g, v), shape) }
	labels := graph.Where(positive, constant(1), graph.Where(background, constant(0), constant(-1)))
	if valid != nil {
		labels = graph.Where(valid, labels, constant(-1))
	}
	missed := graph.LogicalAnd(gtValid, graph.LessOrEqual(graph.Squeeze(reach, 2), graph.Const(g, float32(0))))
	return Matches{
		Index:     graph.StopGradient(graph.ArgMax(iou, 1)),
		Labels:    graph.StopGradient(labels),
		Unmatched: graph.StopGradient(graph.ReduceSum(graph.ConvertDType(missed, dtypes.Int32), 1)),
	}
}
