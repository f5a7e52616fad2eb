package detector

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/energy"
	"ffslab/ffs/flow"
	"ffslab/ffs/outlier"
)

// headOutput is what the box head made of those of the sampled proposals that can be foreground, n rows of all images.
type headOutput struct {
	features, logits    *Node // [n, fc_dim], [n, K+1]
	foreground, classes *Node // [n] bool, [n] int32
}

// synthesisLosses adds what FFS adds to a detector: the flow's likelihood of the foreground's features, and the energies of inliers and
// synthetic outliers pushed apart. The features are detached for the flow, which never moves the detector by its likelihood.
func (d *Detector) synthesisLosses(heads *model.Scope, losses *Losses, h headOutput, noise []*Node, active *Node) {
	g := h.features.Graph()
	zero := graph.ScalarZero(g, dtypes.Float32)
	losses.Energy, losses.NLL, losses.EnergyInlier, losses.EnergyOutlier = zero, zero, zero, zero
	losses.SynthesisSteps, losses.DeadWeights = zero, graph.Const(g, false)
	if !d.HasEnergy() {
		return
	}
	detached := graph.StopGradient(h.features)
	var density *flow.Flow
	if d.HasFlow() {
		density = d.newFlow(heads, g)
		z, logDet := density.Forward(detached)
		nll, count := flow.Loss(flow.NLL(z, logDet, d.config.Loss.NLLConstant), h.foreground)
		losses.NLL = graph.MulScalar(ratio(nll, count), d.config.Loss.NLL)
	}

	out := d.outlier.Synthesize(outlier.Input{
		Scope: heads, Features: detached, Foreground: h.foreground, Classes: h.classes, Noise: noise, Flow: density,
	})
	if out.Steps != nil {
		losses.SynthesisSteps = out.Steps
	}
	active = graph.LogicalAnd(active, out.Active)
	inliers := energy.Weighted(heads, energy.Inlier(h.logits))
	outliers := energy.Weighted(heads, energy.Inlier(d.roi.Classify(heads, out.Samples)))
	sum, count := energy.Loss(heads, inliers, h.foreground, outliers, active)
	losses.Energy = graph.MulScalar(graph.Div(sum, count), d.config.Loss.Energy)

	rows := graph.ReduceAllSum(graph.ConvertDType(h.foreground, dtypes.Float32))
	losses.EnergyInlier = ratio(graph.MaskedReduceAllSum(inliers, h.foreground), rows)
	losses.DeadWeights = energy.AllDead(heads, len(d.config.Classes), g)
	losses.EnergyOutlier = graph.Where(active, graph.ReduceAllMean(outliers), zero)
}

// ratio is sum / count, and 0 where nothing was counted.
func ratio(sum, count *Node) *Node {
	return graph.Div(sum, graph.MaxScalar(graph.ConvertDType(count, sum.DType()), 1))
}
