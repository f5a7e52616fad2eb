package detector

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/energy"
	"ffslab/ffs/flow"
	"ffslab/ffs/outlier"
)

// Features holds the box features of the n sampled proposals of all images that can be foreground.
// No gradient flows through them.
type Features struct {
	Values              *graph.Node // [n, fc_dim]
	Foreground, Classes *graph.Node // [n] bool, [n] int32
}

// inlierLosses sets the inliers' share of FFS's losses: the NLL of the foreground's features under
// the flow, and the loss of their energies, from logits [n, K+1]. The features are detached, so
// that the flow's likelihood does not train the detector.
func (d *Detector) inlierLosses(heads *model.Scope, losses Losses, f Features, logits *graph.Node, whole Counts, density *flow.Flow) {
	if !d.HasEnergy() {
		return
	}
	if density != nil {
		z, logDet := density.Forward(f.Values)
		nll, _ := flow.Loss(flow.NLL(z, logDet, d.config.Loss.NLLConstant), f.Foreground)
		losses.Set(LossNLL, graph.MulScalar(ratio(nll, whole.Foreground), d.config.Loss.NLL))
	}
	if d.config.Loss.EnergyOrdered {
		energy.StartOrdered(heads, logits.Graph())
	}
	inliers := energy.Weighted(heads, energy.Inlier(logits))
	sum, _ := energy.CrossEntropy(heads, inliers, f.Foreground, true)
	losses.Set(LossEnergy, d.energyLoss(sum, whole))
	losses.Set(EnergyInlier, ratio(graph.MaskedReduceAllSum(inliers, f.Foreground), whole.Foreground))
}

// outlierLosses synthesises outliers from the features of the whole step and returns their share of
// the losses.
func (d *Detector) outlierLosses(heads *model.Scope, f Features, noise []*graph.Node, whole Counts, density *flow.Flow) Losses {
	g := f.Values.Graph()
	losses := d.noLosses(g)
	if !d.HasEnergy() {
		return losses
	}
	out := d.outlier.Synthesize(outlier.Input{
		Scope: heads, Features: f.Values, Foreground: f.Foreground, Classes: f.Classes, Noise: noise, Flow: density,
	})
	if out.Steps != nil {
		losses.Set(SynthesisSteps, graph.ConvertDType(out.Steps, dtypes.Float32))
	}
	if out.Drawn != nil {
		drawn := out.Drawn
		if !d.config.Loss.NLLConstant {
			drawn = graph.AddScalar(drawn, -flow.Constant(d.flow.Dim))
		}
		losses.Set(NLLSamples, drawn)
	}
	if density != nil {
		density.Observe(f.Values, f.Foreground)
	}
	outliers := energy.Weighted(heads, energy.Inlier(d.roi.Classify(heads, out.Samples)))
	sum, _ := energy.CrossEntropy(heads, outliers, nil, false)
	losses.Set(LossEnergy, d.energyLoss(sum, whole))
	losses.Set(EnergyOutlier, graph.Where(whole.Energy, graph.ReduceAllMean(outliers), losses.Get(EnergyOutlier)))
	losses.Set(DeadEnergyWeights, graph.ConvertDType(energy.AllDead(heads, len(d.config.Classes), g), dtypes.Float32))
	return losses
}

// energyLoss normalises and weights a sum of cross-entropies of inliers or outliers.
func (d *Detector) energyLoss(sum *graph.Node, whole Counts) *graph.Node {
	return graph.MulScalar(energy.Loss(sum, whole.Foreground, d.outlier.Count(), whole.Energy), d.config.Loss.Energy)
}

// ratio returns sum / count, 0 if count is 0.
func ratio(sum, count *graph.Node) *graph.Node { return graph.Div(sum, graph.MaxScalar(count, 1)) }
