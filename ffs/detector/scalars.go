package detector

import (
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
)

// Names of a training step's scalars, as metrics.jsonl has them. The losses are weighted as in the total, which is the sum of all scalars whose name
// starts with "loss_", those of extra terms included.
const (
	TotalLoss  = "total_loss"
	LossRPNCls = "loss_rpn_cls"
	LossRPNLoc = "loss_rpn_loc"
	LossCls    = "loss_cls"
	LossBoxReg = "loss_box_reg"
	LossEnergy = "loss_energy"
	LossNLL    = "loss_nll"

	// Foreground is the mean number of foreground proposals of an image; EnergyInlier and EnergyOutlier are mean energies.
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

// detectorLosses are the paper's losses in the order in which the total adds them; measures are what is only looked at.
var (
	detectorLosses = []string{LossRPNCls, LossRPNLoc, LossCls, LossBoxReg, LossEnergy, LossNLL}
	measures       = []string{Foreground, EnergyInlier, EnergyOutlier, UnmatchedBoxes, SynthesisSteps, DeadEnergyWeights, NLLSamples}
)

// Losses are the scalars of a training step by their names, float32. What a part of a step returns is its share of each: the shares of all
// parts add up to the step's.
type Losses struct {
	losses, measures []string
	values           map[string]*Node
}

// noLosses are all zero.
func (d *Detector) noLosses(g *Graph) Losses {
	l := Losses{losses: slices.Clone(detectorLosses), measures: measures, values: map[string]*Node{}}
	for _, t := range d.terms {
		l.losses = append(l.losses, t.name)
	}
	for _, name := range slices.Concat(l.losses, l.measures) {
		l.values[name] = graph.ScalarZero(g, dtypes.Float32)
	}
	return l
}

// Names returns the names of the values of [Losses.Vector], in their order: the total, the losses, and what is only looked at.
func (d *Detector) Names() []string {
	names := append([]string{TotalLoss}, detectorLosses...)
	for _, t := range d.terms {
		names = append(names, t.name)
	}
	return append(names, measures...)
}

// Get returns the scalar of the name.
func (l Losses) Get(name string) *Node {
	if name == TotalLoss {
		return l.Total()
	}
	return l.values[name]
}

// Set changes the scalar of the name.
func (l Losses) Set(name string, value *Node) { l.values[name] = value }

// Total is the sum of the losses.
func (l Losses) Total() *Node {
	total := l.values[l.losses[0]]
	for _, name := range l.losses[1:] {
		total = graph.Add(total, l.values[name])
	}
	return total
}

// Vector is all scalars as one [n], in the order of [Detector.Names]: one transfer brings them to the host.
func (l Losses) Vector() *Node {
	scalars := []*Node{l.Total()}
	for _, name := range slices.Concat(l.losses, l.measures) {
		scalars = append(scalars, l.values[name])
	}
	return graph.Stack(scalars, 0)
}

// add adds the losses name by name.
func (l Losses) add(other Losses) Losses {
	for _, name := range slices.Concat(l.losses, l.measures) { // in a fixed order, so that the compiled program is the same each time
		l.values[name] = graph.Add(l.values[name], other.values[name])
	}
	return l
}
