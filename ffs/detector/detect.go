package detector

import (
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/energy"
	"ffslab/ffs/flow"
	"ffslab/ffs/outlier"
	"ffslab/ffs/roi"
)

// Detections are what the detector finds in a batch: up to D an image (model.roi.detections), best first. Every row carries what its
// PROPOSAL said: the logits, the energies and the likelihood do not depend on the row's own class.
type Detections struct {
	// Boxes [batch, D, 4] in pixels of the canvas, not clipped; Scores [batch, D]; Classes [batch, D] int32; Valid [batch, D] bool.
	Boxes, Scores, Classes, Valid *Node
	// Logits [batch, D, K+1], background last; Features [batch, D, fc_dim] of the box head.
	Logits, Features *Node
	// Energy, WeightedEnergy and Logistic [batch, D]: higher means more inlier. NLL [batch, D] of the features under the flow. What
	// the detector does not have (see HasEnergy and HasFlow) is nil.
	Energy, WeightedEnergy, Logistic, NLL *Node
}

// Detect finds objects in images [batch, height, width, 3], uint8, blue first, of true sizes [batch, 2], as FFS's standard_nms does.
func (d *Detector) Detect(scope *model.Scope, images, sizes *Node) Detections {
	pyramid := d.pyramid(scope, images, sizes, false)
	first := d.rpn.Forward(scope, pyramid, sizes)
	proposals, _, valid := d.rpn.Proposals(first, sizes, false)
	heads := scope.At("roi_heads")
	levels, strides := poolingLevels(pyramid)
	features := d.roi.Head(heads, roi.Align(levels, strides, proposals, valid, sizes))
	logits, deltas := d.roi.Predict(heads, features)

	found := d.roi.Detect(proposals, valid, logits, deltas)
	out := Detections{
		Boxes: found.Boxes, Scores: found.Scores, Classes: found.Classes, Valid: found.Valid,
		Logits: found.OfProposals(logits), Features: found.OfProposals(features),
	}
	rows := d.scoreRows(heads, graph.Reshape(out.Features, -1, d.flow.Dim), graph.Reshape(out.Logits, -1, len(d.config.Classes)+1))
	shape := func(x *Node) *Node {
		if x == nil {
			return nil
		}
		return graph.Reshape(x, out.Scores.Shape().Dimensions...)
	}
	out.Energy, out.WeightedEnergy, out.Logistic, out.NLL = shape(rows.Energy), shape(rows.WeightedEnergy), shape(rows.Logistic), shape(rows.NLL)
	return out
}

// Scores are the scores [n] of rows of box features; see Detections.
type Scores struct{ Energy, WeightedEnergy, Logistic, NLL *Node }

// Score returns the scores of box features [n, fc_dim], real or synthetic.
func (d *Detector) Score(scope *model.Scope, features *Node) Scores {
	heads := scope.At("roi_heads")
	return d.scoreRows(heads, features, d.roi.Classify(heads, features))
}

func (d *Detector) scoreRows(heads *model.Scope, features, logits *Node) Scores {
	inlier := energy.Inlier(logits)
	scores := Scores{Energy: energy.Score(inlier, 1)}
	if d.HasEnergy() {
		scores.WeightedEnergy = energy.Weighted(heads, inlier)
		scores.Logistic = energy.Probability(heads, scores.WeightedEnergy)
	}
	if d.HasFlow() {
		z, logDet := d.newFlow(heads, features.Graph()).Forward(features)
		scores.NLL = flow.NLL(z, logDet, d.config.Loss.NLLConstant)
	}
	return scores
}

// Features returns the box features [batch * M, fc_dim] under given boxes [batch, M, 4] (those of annotated objects, say), of which
// valid [batch, M] count.
func (d *Detector) Features(scope *model.Scope, images, sizes, given, valid *Node) *Node {
	levels, strides := poolingLevels(d.pyramid(scope, images, sizes, false))
	return d.roi.Head(scope.At("roi_heads"), roi.Align(levels, strides, given, valid, sizes))
}

// Encode maps box features [n, fc_dim] to latents [n, fc_dim] and returns their NLL [n].
func (d *Detector) Encode(scope *model.Scope, features *Node) (z, nll *Node) {
	z, logDet := d.newFlow(scope.At("roi_heads"), features.Graph()).Forward(features)
	return z, flow.NLL(z, logDet, d.config.Loss.NLLConstant)
}

// Decode maps latents [n, fc_dim] to features [n, fc_dim] and returns their NLL [n], as synthesis ranks them.
func (d *Detector) Decode(scope *model.Scope, z *Node) (features, nll *Node) {
	return d.newFlow(scope.At("roi_heads"), z.Graph()).Sample(z, d.config.Loss.NLLConstant)
}

// Draw makes outliers by a method outside of training, beside inliers with box features [m, dim] and classes [m] int32, from noise in the shapes that
// the synthesiser lists. A method that draws from its state does not see the inliers if the state suffices. NLL bears the constant of
// the configuration. ready is what the synthesiser says of its state in the end: a scalar bool.
func (d *Detector) Draw(scope *model.Scope, method outlier.Method, synthesizer outlier.Synthesizer, features, classes *Node, noise []*Node) (out outlier.Output, ready *Node) {
	g, heads := features.Graph(), scope.At("roi_heads")
	in := outlier.Input{
		Scope: heads, Features: features, Classes: classes, Noise: noise,
		Foreground: graph.BroadcastToDims(graph.Const(g, true), features.Shape().Dim(0)),
	}
	if method.FromState {
		in.Foreground = graph.LogicalAnd(in.Foreground, graph.LogicalNot(synthesizer.Ready(heads, g)))
	}
	if d.HasFlow() {
		in.Flow = d.newFlow(heads, g)
	}
	out = synthesizer.Synthesize(in)
	d.checkOutput(method.Name, synthesizer.Count(), out)
	if method.NeedsFlow && out.NLL != nil && !d.config.Loss.NLLConstant {
		out.NLL = graph.AddScalar(out.NLL, -flow.Constant(d.flow.Dim))
	}
	return out, synthesizer.Ready(heads, g)
}
