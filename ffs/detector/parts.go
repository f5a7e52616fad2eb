package detector

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/roi"
)

// A step can be computed in parts of some images each, so that it fits a small memory: CountPart
// for each part, PartLosses for each with the sum of the counts, then OutlierLosses once with the
// features of all parts. The sums of all losses and of all gradients are those of Detector.Losses
// for the whole batch.

// Counts holds the normalisers of a step, which are known after all of its parts have been sampled.
type Counts struct {
	// Proposals and Foreground are the numbers of sampled proposals and of those that are
	// foreground, float32 scalars.
	Proposals, Foreground *graph.Node
	// Energy says whether the energy term counts in this step, a bool scalar.
	Energy *graph.Node
}

// countsOf counts a part, but leaves Energy nil.
func countsOf(s roi.Sampled) Counts {
	count := func(mask *graph.Node) *graph.Node {
		return graph.StopGradient(graph.ReduceAllSum(graph.ConvertDType(mask, dtypes.Float32)))
	}
	return Counts{Proposals: count(s.Valid), Foreground: count(s.Foreground)}
}

// CountPart samples a part of a step and counts. keys [batch, 3] are those of its images (see
// Keys). Energy is false while the state of the synthesiser does not suffice to make outliers.
func (d *Detector) CountPart(scope *model.Scope, batch Batch, keys *graph.Node) Counts {
	counts := countsOf(d.choose(scope, batch, keys).sampled)
	counts.Energy = d.outlier.Ready(scope.At("roi_heads"), keys.Graph())
	return counts
}

// PartLosses builds the share of a part in the losses of a step of so many images, given the counts
// of the whole step, and returns its box features. keys are those of CountPart.
func (d *Detector) PartLosses(scope *model.Scope, batch Batch, keys *graph.Node, images int, whole Counts) (Losses, Features) {
	density := d.newFlow(scope.At("roi_heads"), keys.Graph())
	return d.partLosses(scope, d.choose(scope, batch, keys), images, whole, density)
}

// OutlierLosses builds the share of the synthetic outliers in the losses, from the features of all
// parts, joined in order. key [3] is the step's (see Keys).
func (d *Detector) OutlierLosses(scope *model.Scope, f Features, key *graph.Node, whole Counts) Losses {
	heads := scope.At("roi_heads")
	return d.outlierLosses(heads, f, d.noise(key), whole, d.newFlow(heads, key.Graph()))
}
