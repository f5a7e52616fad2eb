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
	// Boxes [batch, M, 4] in pixels of the canvas; Classes [batch, M] int32; Valid [batch, M] bool.
	Boxes, Classes, Valid *Node
}

// Losses are the scalars of a training step. The six terms are weighted as in Total, their sum.
type Losses struct {
	Total                                    *Node
	RPNCls, RPNLoc, Cls, BoxReg, Energy, NLL *Node
	Foreground, EnergyInlier, EnergyOutlier  *Node // mean number of an image's foreground proposals; mean energies
	Unmatched                                *Node // ground truths that overlap no anchor
}

// Losses builds the losses of a batch (paper, section 3.4; weights from the configuration). Random choices come from keys [batch + 1, 3]
// (see Keys). The energy term counts once active, a bool scalar, is true: from StartIter on. Every normaliser is that of the whole batch.
func (d *Detector) Losses(scope *model.Scope, batch Batch, keys, active *Node) Losses {
	pyramid := d.pyramid(scope, batch.Images, batch.Sizes)
	first := d.rpn.Forward(scope, pyramid, batch.Sizes)
	proposals, _, valid := d.rpn.Proposals(first, batch.Sizes, true)
	draws := d.draws(keys, first.Logits.Shape().Dim(1), proposals.Shape().Dim(1)+batch.Boxes.Shape().Dim(1))

	targets := d.rpn.Targets(first, batch.Boxes, batch.Valid)
	targets.Labels = d.rpn.Sample(targets.Labels, draws.Anchors)
	sampled := d.roi.Sample(proposals, valid, batch.Boxes, batch.Classes, batch.Valid, draws.Proposals)

	losses := d.lossesOf(scope, pyramid, first, targets, sampled, draws.Synthesis, active)
	losses.Unmatched = graph.ReduceAllSum(targets.Unmatched)
	return losses
}

// lossesOf builds the losses once all random choices are made.
func (d *Detector) lossesOf(scope *model.Scope, pyramid []*Node, first *rpn.Output, targets *rpn.Targets, sampled roi.Sampled, noise []*Node, active *Node) Losses {
	rpnCls, rpnLoc, anchors := d.rpn.Losses(first, targets.Labels, targets.MatchedBoxes)
	losses := Losses{RPNCls: graph.Div(rpnCls, anchors), RPNLoc: graph.Div(rpnLoc, anchors)}

	heads := scope.At("roi_heads")
	levels, strides := poolingLevels(pyramid)
	pooled := roi.Align(levels, strides, sampled.Boxes, sampled.Valid)
	features := d.roi.Head(heads, pooled)
	logits, deltas := d.roi.Predict(heads, features)
	cls, boxReg, count := d.roi.Losses(logits, deltas, sampled)
	losses.Cls, losses.BoxReg = ratio(cls, count), ratio(boxReg, count)

	foreground := graph.Reshape(sampled.Foreground, -1)
	images := float64(sampled.Foreground.Shape().Dim(0))
	losses.Foreground = graph.DivScalar(graph.ReduceAllSum(graph.ConvertDType(foreground, dtypes.Float32)), images)
	classes := graph.Reshape(sampled.Classes, -1)
	d.synthesisLosses(heads, &losses, headOutput{features, logits, foreground, classes}, noise, active)

	losses.Total = graph.Add(graph.Add(graph.Add(losses.RPNCls, losses.RPNLoc), graph.Add(losses.Cls, losses.BoxReg)),
		graph.Add(losses.Energy, losses.NLL))
	return losses
}
