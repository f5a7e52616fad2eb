package detector

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/roi"
	"ffslab/ffs/rpn"
)

// Batch is the input of a training step; ground truth is padded to M boxes an image.
type Batch struct {
	// Images [batch, height, width, 3] uint8, blue first; Sizes [batch, 2] int32, true (height, width).
	Images, Sizes *Node
	// Full says that every image reaches the last 32 pixels of the canvas in both directions, so that only the image itself needs
	// its margin masked. It saves the masks of all feature maps.
	Full bool
	// Boxes [batch, M, 4] in pixels of the canvas; Classes [batch, M] int32; Valid [batch, M] bool.
	Boxes, Classes, Valid *Node
}

// Losses are the scalars of a training step. The six terms are weighted as in Total, their sum.
type Losses struct {
	Total                                    *Node
	RPNCls, RPNLoc, Cls, BoxReg, Energy, NLL *Node
	Foreground, EnergyInlier, EnergyOutlier  *Node // mean number of an image's foreground proposals; mean energies
	Unmatched                                *Node // ground truths that overlap no anchor
	SynthesisSteps                           *Node // that an iterative synthesiser took, 0 for the others
	DeadWeights                              *Node // bool: no energy weight is positive any more
}

// Losses builds the losses of a batch (paper, section 3.4; weights from the configuration). Random choices come from keys [batch + 1, 3]
// (see Keys). The energy term counts once active, a bool scalar, is true: from StartIter on. Every normaliser is that of the whole batch.
func (d *Detector) Losses(scope *model.Scope, batch Batch, keys, active *Node) Losses {
	pyramid := d.pyramid(scope, batch.Images, batch.Sizes, batch.Full)
	stage1 := d.rpn.Forward(scope, pyramid, batch.Sizes)
	proposals, _, valid := d.rpn.Proposals(stage1, batch.Sizes, true)
	draws := d.draws(keys, stage1.Logits.Shape().Dim(1), proposals.Shape().Dim(1)+batch.Boxes.Shape().Dim(1))

	targets := d.rpn.Targets(stage1, batch.Boxes, batch.Valid)
	targets.Labels = d.rpn.Sample(targets.Labels, draws.Anchors)
	sampled := d.roi.Sample(proposals, valid, batch.Boxes, batch.Classes, batch.Valid, draws.Proposals)

	losses := d.lossesOf(scope, pyramid, stage1, targets, sampled, draws.Synthesis, active)
	losses.Unmatched = graph.ReduceAllSum(targets.Unmatched)
	return losses
}

// lossesOf builds the losses once all random choices are made.
func (d *Detector) lossesOf(scope *model.Scope, pyramid []*Node, stage1 *rpn.Output, targets *rpn.Targets, sampled roi.Sampled, noise []*Node, active *Node) Losses {
	rpnCls, rpnLoc, anchors := d.rpn.Losses(stage1, targets.Labels, targets.MatchedBoxes)
	losses := Losses{RPNCls: graph.Div(rpnCls, anchors), RPNLoc: graph.Div(rpnLoc, anchors)}

	heads := scope.At("roi_heads")
	levels, strides := poolingLevels(pyramid)
	pooled := roi.Align(levels, strides, sampled.Boxes, sampled.Valid)
	features := d.roi.Head(heads, pooled)
	logits, deltas := d.roi.Predict(heads, features)
	cls, boxReg, count := d.roi.Losses(logits, deltas, sampled)
	losses.Cls, losses.BoxReg = ratio(cls, count), ratio(boxReg, count)

	images := sampled.Foreground.Shape().Dim(0)
	rows := d.foregroundRows()
	first := func(x *Node) *Node { // foreground comes first: the other rows of an image cannot be any
		x = graph.Reshape(x, images, d.roi.BatchPerImage, -1)
		x = graph.Slice(x, graph.AxisRange(), graph.AxisRange(0, rows), graph.AxisRange())
		return graph.Reshape(x, images*rows, -1)
	}
	h := headOutput{
		features: first(features), logits: first(logits),
		foreground: graph.Squeeze(first(sampled.Foreground), -1), classes: graph.Squeeze(first(sampled.Classes), -1),
	}
	losses.Foreground = graph.DivScalar(graph.ReduceAllSum(graph.ConvertDType(h.foreground, dtypes.Float32)), float64(images))
	d.synthesisLosses(heads, &losses, h, noise, active)

	losses.Total = graph.Add(graph.Add(graph.Add(losses.RPNCls, losses.RPNLoc), graph.Add(losses.Cls, losses.BoxReg)),
		graph.Add(losses.Energy, losses.NLL))
	return losses
}

// foregroundRows bounds the foreground proposals of an image.
func (d *Detector) foregroundRows() int {
	return max(1, int(float64(d.roi.BatchPerImage)*d.roi.PositiveFraction))
}
