package detector

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/flow"
	"ffslab/ffs/loss"
	"ffslab/ffs/roi"
)

// A second stage of training needs no images: Proposals returns the box features that a trained
// detector's heads see, once, and SecondLosses trains a head behind them, with flow and synthetic
// outliers as Losses does.

// Proposals returns the box features [n, feature dim] and the classes [n] int32, K for background,
// of the proposals that a training step samples of the batch; valid [n] bool marks the rows that
// are proposals. keys are those of Losses.
func (d *Detector) Proposals(scope *model.Scope, batch Batch, keys *Node) (features, classes, valid *Node) {
	c := d.choose(scope, batch, imageKeys(keys))
	levels, strides := poolingLevels(c.pyramid)
	pooled := roi.Align(levels, strides, c.sampled.Boxes, c.sampled.Valid, c.sizes)
	return d.roi.Head(scope.At("roi_heads"), pooled), flat(c.sampled.Classes), flat(c.sampled.Valid)
}

// Second returns what the second head makes of box features x [n, any]: features [n, feature dim]
// of its own and logits [n, K+1].
func (d *Detector) Second(scope *model.Scope, x *Node) (features, logits *Node) {
	heads := scope.At("roi_heads")
	h := d.roi.SecondHead(heads, x)
	return h, d.roi.Classify(heads, h)
}

// SecondLosses builds the losses of the second head on proposals with box features x [n, any] and
// classes [n] int32, of which the first foreground are of inlier objects and the others background.
// Random choices come from key [3]; the energy term counts once active, a bool scalar, is true. The
// losses of proposals and boxes are 0.
func (d *Detector) SecondLosses(scope *model.Scope, x, classes *Node, foreground int, key, active *Node) Losses {
	g, heads, n := x.Graph(), scope.At("roi_heads"), x.Shape().Dim(0)
	features, logits := d.Second(scope, x)
	number := func(v int) *Node { return graph.Scalar(g, dtypes.Float32, v) }
	whole := Counts{
		Proposals: number(n), Foreground: number(foreground),
		Energy: graph.LogicalAnd(active, d.outlier.Ready(heads, g)),
	}
	var density *flow.Flow
	if d.HasFlow() {
		density = d.newFlow(heads, g)
	}
	losses := d.noLosses(g)
	losses.Set(LossCls, ratio(graph.ReduceAllSum(d.roi.CrossEntropy(logits, classes)), whole.Proposals))
	all := graph.BroadcastToDims(graph.Const(g, true), n)
	first := func(x *Node) *Node { return graph.Slice(x, graph.AxisRange(0, foreground)) }
	inliers := Features{Values: graph.StopGradient(first(features)), Foreground: first(all), Classes: first(classes)}
	d.inlierLosses(heads, losses, inliers, first(logits), whole, density)
	d.extraTerms(losses, loss.Input{
		Scope: heads, Features: features, Logits: logits, ClassWeight: d.roi.ClassWeight(heads, g), Classes: classes,
		Foreground: graph.LessThan(graph.Iota(g, shapes.Make(dtypes.Int32, n), 0), graph.Const(g, int32(foreground))),
		Valid:      all, Share: 1, ForegroundCount: whole.Foreground, ProposalCount: whole.Proposals,
	})
	return losses.add(d.outlierLosses(heads, inliers, d.noise(key), whole, density))
}
