package detector

import (
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/energy"
	"ffslab/ffs/flow"
	"ffslab/ffs/outlier"
	"ffslab/ffs/roi"
)

// Detections holds the detections of a batch, up to D for each image (model.roi.detections), best
// first. Logits, features, energies and likelihood are those of a detection's proposal. They do not
// depend on its class, and detections of one proposal share them.
type Detections struct {
	// Boxes [batch, D, 4] in pixels of the canvas, not clipped; Scores [batch, D]; Classes [batch,
	// D] int32; Valid [batch, D] bool.
	Boxes, Scores, Classes, Valid *graph.Node
	// Logits [batch, D, K+1], background last; Features [batch, D, fc_dim] of the box head.
	Logits, Features *graph.Node
	// Energy, WeightedEnergy and Logistic [batch, D]: higher means more like an inlier. NLL [batch,
	// D] is that of the features under the flow. WeightedEnergy and Logistic are nil unless
	// HasEnergy, NLL is nil unless HasFlow.
	Energy, WeightedEnergy, Logistic, NLL *graph.Node
}

// Detect finds objects in images [batch, height, width, 3], uint8, blue first, of true sizes
// [batch, 2] int32, as FFS's standard_nms does.
func (d *Detector) Detect(scope *model.Scope, images, sizes *graph.Node) Detections {
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
	shape := func(x *graph.Node) *graph.Node {
		if x == nil {
			return nil
		}
		return graph.Reshape(x, out.Scores.Shape().Dimensions...)
	}
	out.Energy, out.WeightedEnergy, out.Logistic, out.NLL = shape(rows.Energy), shape(rows.WeightedEnergy), shape(rows.Logistic), shape(rows.NLL)
	return out
}

// Scores holds the scores [n] of box features; see Detections.
type Scores struct{ Energy, WeightedEnergy, Logistic, NLL *graph.Node }

// Score returns the scores of box features [n, fc_dim], real or synthetic.
func (d *Detector) Score(scope *model.Scope, features *graph.Node) Scores {
	heads := scope.At("roi_heads")
	return d.scoreRows(heads, features, d.roi.Classify(heads, features))
}

func (d *Detector) scoreRows(heads *model.Scope, features, logits *graph.Node) Scores {
	inlier := energy.Inlier(logits)
	scores := Scores{Energy: energy.Score(inlier, 1)}
	if d.HasEnergy() {
		scores.WeightedEnergy = energy.Weighted(heads, inlier)
		scores.Logistic = energy.Probability(heads, scores.WeightedEnergy)
	}
	if density := d.newFlow(heads, features.Graph()); density != nil {
		z, logDet := density.Forward(features)
		scores.NLL = flow.NLL(z, logDet, d.config.Loss.NLLConstant)
	}
	return scores
}

// Features returns the box features [batch * M, fc_dim] under given boxes [batch, M, 4], such as
// those of annotated objects. Boxes that are not valid [batch, M] get those of an empty region.
func (d *Detector) Features(scope *model.Scope, images, sizes, given, valid *graph.Node) *graph.Node {
	levels, strides := poolingLevels(d.pyramid(scope, images, sizes, false))
	return d.roi.Head(scope.At("roi_heads"), roi.Align(levels, strides, given, valid, sizes))
}

// Encode maps box features [n, fc_dim] to latents [n, fc_dim] and returns their NLL [n].
func (d *Detector) Encode(scope *model.Scope, features *graph.Node) (z, nll *graph.Node) {
	z, logDet := d.newFlow(scope.At("roi_heads"), features.Graph()).Forward(features)
	return z, flow.NLL(z, logDet, d.config.Loss.NLLConstant)
}

// Decode maps latents [n, fc_dim] to features [n, fc_dim] and returns their NLL [n], as synthesis
// ranks them.
func (d *Detector) Decode(scope *model.Scope, z *graph.Node) (features, nll *graph.Node) {
	return d.newFlow(scope.At("roi_heads"), z.Graph()).Sample(z, d.config.Loss.NLLConstant)
}

// Draw makes outliers by a method outside training, from noise in the shapes that the synthesiser
// lists. Inliers have box features [m, dim] and classes [m] int32; a method that draws from its
// state sees them only while the state does not suffice. NLL includes the constant if the
// configuration says so (model.loss.nll_constant). ready, a bool scalar, says whether the state
// suffices at the end.
func (d *Detector) Draw(scope *model.Scope, method outlier.Method, synthesizer outlier.Synthesizer, features, classes *graph.Node, noise []*graph.Node) (out outlier.Output, ready *graph.Node) {
	g, heads := features.Graph(), scope.At("roi_heads")
	in := outlier.Input{
		Scope: heads, Features: features, Classes: classes, Noise: noise,
		Foreground: graph.BroadcastToDims(graph.Const(g, true), features.Shape().Dim(0)),
	}
	if method.FromState {
		in.Foreground = graph.LogicalAnd(in.Foreground, graph.LogicalNot(synthesizer.Ready(heads, g)))
	}
	in.Flow = d.newFlow(heads, g)
	out = synthesizer.Synthesize(in)
	if method.NeedsFlow && out.NLL != nil && !d.config.Loss.NLLConstant {
		out.NLL = graph.AddScalar(out.NLL, -flow.Constant(d.flow.Dim))
	}
	return out, synthesizer.Ready(heads, g)
}
