package detector

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/loss"
	"ffslab/ffs/roi"
)

// A second head can be trained without images: Proposals returns the box features of a trained
// detector, once, and SecondLosses trains a head on them, with flow and synthetic outliers as
// Losses does.

// Proposals returns the box features [n, feature dim] and the classes [n] int32, K for background,
// of the proposals that a training step samples from the batch. valid [n] bool is false for rows of
// padding. keys are those of Losses.
func (d *Detector) Proposals(scope *model.Scope, batch Batch, keys *graph.Node) (features, classes, valid *graph.Node) {
	c := d.choose(scope, batch, imageKeys(keys))
	levels, strides := poolingLevels(c.pyramid)
	pooled := roi.Align(levels, strides, c.sampled.Boxes, c.sampled.Valid, c.sizes)
	return d.roi.Head(scope.At("roi_heads"), pooled), flat(c.sampled.Classes), flat(c.sampled.Valid)
}

// Second returns the features [n, feature dim] and the logits [n, K+1] of the second head for box
// features x [n, any].
func (d *Detector) Second(scope *model.Scope, x *graph.Node) (features, logits *graph.Node) {
	heads := scope.At("roi_heads")
	h := d.roi.SecondHead(heads, x)
	return h, d.roi.Classify(heads, h)
}

// SecondLosses builds the losses of the second head for proposals with box features x [n, any] and
// classes [n] int32; the first rows, as many as foreground says, are of inlier objects, the others
// background. Random choices come from key [3]. The energy term counts if active, a bool scalar, is
// true. The losses of the first stage and of boxes are 0.
func (d *Detector) SecondLosses(scope *model.Scope, x, classes *graph.Node, foreground int, key, active *graph.Node) Losses {
	g, heads, n := x.Graph(), scope.At("roi_heads"), x.Shape().Dim(0)
	features, logits := d.Second(scope, x)
	number := func(v int) *graph.Node { return graph.Scalar(g, dtypes.Float32, v) }
	whole := Counts{
		Proposals: number(n), Foreground: number(foreground),
		Energy: graph.LogicalAnd(active, d.outlier.Ready(heads, g)),
	}
	density := d.newFlow(heads, g)
	losses := d.noLosses(g)
	losses.Set(LossCls, ratio(graph.ReduceAllSum(d.roi.CrossEntropy(logits, classes)), whole.Proposals))
	all := graph.BroadcastToDims(graph.Const(g, true), n)
	first := func(x *graph.Node) *graph.Node { return graph.Slice(x, graph.AxisRange(0, foreground)) }
	inliers := Features{Values: graph.StopGradient(first(features)), Foreground: first(all), Classes: first(classes)}
	d.inlierLosses(heads, losses, inliers, first(logits), whole, density)
	d.extraTerms(losses, loss.Input{
		Scope: heads, Features: features, Logits: logits, ClassWeight: d.roi.ClassWeight(heads, g), Classes: classes,
		Foreground: graph.LessThan(graph.Iota(g, shapes.Make(dtypes.Int32, n), 0), graph.Const(g, int32(foreground))),
		Valid:      all, Share: 1, ForegroundCount: whole.Foreground, ProposalCount: whole.Proposals,
	})
	return losses.add(d.outlierLosses(heads, inliers, d.noise(key), whole, density))
}
