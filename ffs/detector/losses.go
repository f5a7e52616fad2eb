package detector

import (
	"fmt"
	"strings"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/flow"
	"ffslab/ffs/loss"
	"ffslab/ffs/roi"
	"ffslab/ffs/rpn"
)

// Batch is the input of a training step, or of a part of one. The ground truth is padded to M boxes
// for each image.
type Batch struct {
	// Images [batch, height, width, 3] uint8, blue first; Sizes [batch, 2] int32, true (height,
	// width).
	Images, Sizes *graph.Node
	// Full says that every image reaches the last 32 pixels of the canvas in both directions, so
	// that only the image itself needs its margin masked. It saves the masks of all feature maps.
	Full bool
	// Boxes [batch, M, 4] in pixels of the canvas; Classes [batch, M] int32; Valid [batch, M] bool.
	Boxes, Classes, Valid *graph.Node
	// Ignored [batch, M] bool are the boxes that are ignored regions instead: neither objects nor
	// background. It is nil where there are none.
	Ignored *graph.Node
}

// Losses builds the losses of a batch (paper, section 3.4), weighted as configured. Random choices
// come from keys [batch + 1, 3] (see Keys). The energy term counts if active, a bool scalar, is
// true. Every normaliser is that of the whole batch.
func (d *Detector) Losses(scope *model.Scope, batch Batch, keys, active *graph.Node) Losses {
	return d.lossesOf(scope, d.choose(scope, batch, imageKeys(keys)), d.noise(stepKey(keys)), active)
}

// choices is a batch after the first stage and after all random choices.
type choices struct {
	pyramid []*graph.Node
	stage1  *rpn.Output
	targets *rpn.Targets // of the sampled anchors only
	sampled roi.Sampled
	sizes   *graph.Node // of the images; nil if they reach the canvas's end (see Batch.Full)
}

// choose runs the first stage and samples the anchors and proposals for the losses.
func (d *Detector) choose(scope *model.Scope, batch Batch, keys *graph.Node) choices {
	pyramid := d.pyramid(scope, batch.Images, batch.Sizes, batch.Full)
	stage1 := d.rpn.Forward(scope, pyramid, batch.Sizes)
	proposals, _, valid := d.rpn.Proposals(stage1, batch.Sizes, true)
	forAnchors, forProposals := samplingNoise(keys, stage1.Logits.Shape().Dim(1), proposals.Shape().Dim(1)+batch.Boxes.Shape().Dim(1))

	targets := d.rpn.Targets(stage1, batch.Boxes, batch.Valid, batch.Ignored)
	targets.Labels = d.rpn.Sample(targets.Labels, forAnchors)
	sampled := d.roi.Sample(proposals, valid, batch.Boxes, batch.Classes, batch.Valid, batch.Ignored, forProposals)
	sizes := batch.Sizes
	if batch.Full {
		sizes = nil
	}
	return choices{pyramid, stage1, targets, sampled, sizes}
}

// lossesOf builds the losses of a step that is computed as a whole.
func (d *Detector) lossesOf(scope *model.Scope, c choices, noise []*graph.Node, active *graph.Node) Losses {
	heads, g := scope.At("roi_heads"), active.Graph()
	whole := countsOf(c.sampled)
	whole.Energy = graph.LogicalAnd(active, d.outlier.Ready(heads, g))
	density := d.newFlow(heads, g)
	images := c.sampled.Foreground.Shape().Dim(0)
	losses, features := d.partLosses(scope, c, images, whole, density)
	return losses.add(d.outlierLosses(heads, features, noise, whole, density))
}

// partLosses builds a part's share of the losses of a step of so many images, without the outliers'
// share, and returns the part's box features for OutlierLosses.
func (d *Detector) partLosses(scope *model.Scope, c choices, images int, whole Counts, density *flow.Flow) (Losses, Features) {
	heads, batch := scope.At("roi_heads"), c.sampled.Foreground.Shape().Dim(0)
	losses := d.noLosses(whole.Proposals.Graph())
	rpnCls, rpnLoc, anchors := d.rpn.Losses(c.stage1, c.targets.Labels, c.targets.MatchedBoxes)
	anchors = graph.MulScalar(anchors, float64(images)/float64(batch))
	losses.Set(LossRPNCls, graph.Div(rpnCls, anchors))
	losses.Set(LossRPNLoc, graph.Div(rpnLoc, anchors))
	if c.targets.Unmatched != nil {
		losses.Set(UnmatchedBoxes, graph.ConvertDType(graph.ReduceAllSum(c.targets.Unmatched), dtypes.Float32))
	}

	levels, strides := poolingLevels(c.pyramid)
	pooled := roi.Align(levels, strides, c.sampled.Boxes, c.sampled.Valid, c.sizes)
	h := d.roi.Head(heads, pooled)
	logits, deltas := d.roi.Predict(heads, h)
	cls, boxReg, _ := d.roi.Losses(logits, deltas, c.sampled)
	losses.Set(LossCls, ratio(cls, whole.Proposals))
	losses.Set(LossBoxReg, ratio(boxReg, whole.Proposals))

	rows := d.foregroundRows()
	first := func(x *graph.Node) *graph.Node { // an image's foreground is within its first rows
		x = graph.Reshape(x, batch, d.roi.BatchPerImage, -1)
		x = graph.Slice(x, graph.AxisRange(), graph.AxisRange(0, rows), graph.AxisRange())
		return graph.Reshape(x, batch*rows, -1)
	}
	features := Features{
		Values: graph.StopGradient(first(h)), Foreground: graph.Squeeze(first(c.sampled.Foreground), -1),
		Classes: graph.Squeeze(first(c.sampled.Classes), -1),
	}
	count := graph.ReduceAllSum(graph.ConvertDType(features.Foreground, dtypes.Float32))
	losses.Set(Foreground, graph.DivScalar(count, float64(images)))
	d.inlierLosses(heads, losses, features, first(logits), whole, density)
	d.extraTerms(losses, loss.Input{
		Scope: heads, Features: h, Logits: logits, ClassWeight: d.roi.ClassWeight(heads, h.Graph()),
		Classes: flat(c.sampled.Classes), Foreground: flat(c.sampled.Foreground), Valid: flat(c.sampled.Valid),
		Share: float64(batch) / float64(images), ForegroundCount: whole.Foreground, ProposalCount: whole.Proposals,
	})
	return losses, features
}

// extraTerms adds the configuration's extra loss terms.
func (d *Detector) extraTerms(losses Losses, in loss.Input) {
	for _, t := range d.terms {
		value := t.build(in)
		if value == nil || !value.Shape().Equal(shapes.Make(dtypes.Float32)) {
			panic(fmt.Errorf("model.loss.%s: the term returns %v, want a float32 scalar", strings.TrimPrefix(t.name, "loss_"), value))
		}
		losses.Set(t.name, graph.MulScalar(value, t.weight))
	}
}

// flat makes [batch * n] of [batch, n].
func flat(x *graph.Node) *graph.Node { return graph.Reshape(x, -1) }

// foregroundRows is the largest number of foreground proposals of an image.
func (d *Detector) foregroundRows() int {
	return max(1, int(float64(d.roi.BatchPerImage)*d.roi.PositiveFraction))
}
