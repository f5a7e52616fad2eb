package detector

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// Names of a training step's scalars in metrics.jsonl. Losses are weighted. The total is the sum of
// the scalars whose name starts with "loss_", extra terms included.
const (
	TotalLoss  = "total_loss"
	LossRPNCls = "loss_rpn_cls"
	LossRPNLoc = "loss_rpn_loc"
	LossCls    = "loss_cls"
	LossBoxReg = "loss_box_reg"
	LossEnergy = "loss_energy"
	LossNLL    = "loss_nll"

	// Foreground is the mean number of foreground proposals of an image; EnergyInlier and
	// EnergyOutlier are mean energies.
	Foreground    = "foreground"
	EnergyInlier  = "energy_inlier"
	EnergyOutlier = "energy_outlier"
	// UnmatchedBoxes counts ground truths that overlap no anchor.
	UnmatchedBoxes = "unmatched_boxes"
	// SynthesisSteps is the number of steps that an iterative synthesiser took, 0 for the others.
	SynthesisSteps = "synthesis_steps"
	// DeadEnergyWeights is 1 if no energy weight is positive any more, else 0.
	DeadEnergyWeights = "dead_energy_weights"
	// NLLSamples is the mean NLL of what the flow has drawn, 0 without a flow.
	NLLSamples = "nll_samples"
)

var (
	// paperLosses are in the order in which the total adds them.
	paperLosses = []string{LossRPNCls, LossRPNLoc, LossCls, LossBoxReg, LossEnergy, LossNLL}
	// measures do not count in the total.
	measures = []string{Foreground, EnergyInlier, EnergyOutlier, UnmatchedBoxes, SynthesisSteps, DeadEnergyWeights, NLLSamples}
)

// Losses holds the float32 scalars of a training step by name, or the shares of a part of one,
// which add up to them.
type Losses struct {
	losses, measures []string
	values           map[string]*graph.Node
}

// noLosses returns scalars of value 0.
func (d *Detector) noLosses(g *graph.Graph) Losses {
	l := Losses{losses: slices.Clone(paperLosses), measures: measures, values: map[string]*graph.Node{}}
	for _, t := range d.terms {
		l.losses = append(l.losses, t.name)
	}
	for _, name := range slices.Concat(l.losses, l.measures) {
		l.values[name] = graph.ScalarZero(g, dtypes.Float32)
	}
	return l
}

// Names returns the names of the values of [Losses.Vector]: the total, the losses, the other
// measures.
func (d *Detector) Names() []string {
	names := append([]string{TotalLoss}, paperLosses...)
	for _, t := range d.terms {
		names = append(names, t.name)
	}
	return append(names, measures...)
}

// Get returns the scalar with the name.
func (l Losses) Get(name string) *graph.Node {
	if name == TotalLoss {
		return l.Total()
	}
	return l.values[name]
}

// Set sets the scalar with the name.
func (l Losses) Set(name string, value *graph.Node) { l.values[name] = value }

// Total returns the sum of the losses.
func (l Losses) Total() *graph.Node {
	total := l.values[l.losses[0]]
	for _, name := range l.losses[1:] {
		total = graph.Add(total, l.values[name])
	}
	return total
}

// Vector returns all scalars as one vector in the order of [Detector.Names], which one transfer
// brings to the host.
func (l Losses) Vector() *graph.Node {
	scalars := []*graph.Node{l.Total()}
	for _, name := range slices.Concat(l.losses, l.measures) {
		scalars = append(scalars, l.values[name])
	}
	return graph.Stack(scalars, 0)
}

// add adds other to l.
func (l Losses) add(other Losses) Losses {
	for _, name := range slices.Concat(l.losses, l.measures) { // in a fixed order, so that the program is always the same
		l.values[name] = graph.Add(l.values[name], other.values[name])
	}
	return l
}
