package detector

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/flow"
	"ffslab/ffs/roi"
)

// A step can be computed in parts, images after images, so that it fits a small memory: Count for each part, Part for each with the sum
// of the counts, Rest once with the parts' features in their order. The sum of all Losses and of all their gradients is that of
// Detector.Losses for the whole batch.

// Counts is what the losses of a whole step are divided by, which is known only when all of it has been sampled.
type Counts struct {
	// Proposals and Foreground are the sampled proposals and those of them that are foreground, float32 scalars.
	Proposals, Foreground *Node
	// Energy is a bool scalar: whether the energy term counts in this step.
	Energy *Node
}

// countsOf counts a part. Energy is left to the caller.
func countsOf(s roi.Sampled) Counts {
	count := func(mask *Node) *Node {
		return graph.StopGradient(graph.ReduceAllSum(graph.ConvertDType(mask, dtypes.Float32)))
	}
	return Counts{Proposals: count(s.Valid), Foreground: count(s.Foreground)}
}

// Count samples a part of a step and counts. keys [batch, 3] are those of its images (see Keys). Energy is false while the
// synthesiser cannot make outliers yet, whatever the iteration.
func (d *Detector) Count(scope *model.Scope, batch Batch, keys *Node) Counts {
	counts := countsOf(d.choose(scope, batch, keys).sampled)
	counts.Energy = d.outlier.Ready(scope.At("roi_heads"), keys.Graph())
	return counts
}

// Part builds the share that a part of a step of so many images has in the losses, given the counts of the whole step; keys are Count's.
func (d *Detector) Part(scope *model.Scope, batch Batch, keys *Node, images int, whole Counts) (Losses, Features) {
	var density *flow.Flow
	if d.HasFlow() {
		density = d.newFlow(scope.At("roi_heads"), keys.Graph())
	}
	return d.partLosses(scope, d.choose(scope, batch, keys), images, whole, density)
}

// Rest builds the share that the synthetic outliers have in the losses, from the features of all parts, one after the other; key [3] is
// the step's (see Keys).
func (d *Detector) Rest(scope *model.Scope, f Features, key *Node, whole Counts) Losses {
	heads := scope.At("roi_heads")
	var density *flow.Flow
	if d.HasFlow() {
		density = d.newFlow(heads, key.Graph())
	}
	return d.outlierLosses(heads, f, d.noise(key), whole, density)
}
