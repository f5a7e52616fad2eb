// Package loss holds the loss terms that a configuration may add to the paper's. A term is a graph function of what a training step knows; it
// registers itself under a name, and a configuration gives it a weight:
//
//	model:
//	  loss: {least_singular_value: 0.01, mine: {weight: 0.1, options: {margin: 2}}}
//
// Its weighted value is logged as "loss_" and its name, beside the others. The two built-in terms are FEVER-OOD's.
package loss

import (
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/registry"
	"ffslab/ffs/options"
)

// Node is a value of the graph.
type Node = graph.Node

// Input is what a term knows of a training step, or of the part of it that is computed at once: n sampled proposals of all images, in their order,
// of K inlier classes, with box features of length dim. Gradients flow back into all that depends on parameters.
type Input struct {
	// Scope is that of the heads' parameters: "box_head", "box_predictor". A term may create parameters of its own under it (see nn.Variable).
	Scope *model.Scope
	// Features [n, dim] are the box features, Logits [n, K+1] what the class layer makes of them, background last.
	Features, Logits *Node
	// Classes [n] int32 are the proposals' classes, K for background. Foreground [n] bool marks the proposals of inlier objects, Valid
	// [n] bool the rows that are proposals at all.
	Classes, Foreground, Valid *Node
	// ClassWeight [K+1, dim] is the weight of the class layer.
	ClassWeight *Node

	// Share is the share of this part in the step's images, ForegroundCount and ProposalCount what the whole step has of both.
	Share                          float64
	ForegroundCount, ProposalCount *Node
}

// MeanForeground is the mean of values [n] over the step's foreground proposals, 0 if there are none. Of a part of a step it is the part's
// share of that mean.
func (in Input) MeanForeground(values *Node) *Node {
	return mean(values, in.Foreground, in.ForegroundCount)
}

// MeanProposals is the mean of values [n] over the step's sampled proposals. Of a part of a step it is the part's share of that mean.
func (in Input) MeanProposals(values *Node) *Node { return mean(values, in.Valid, in.ProposalCount) }

// Once is a scalar that depends on parameters alone, which is to count once a step however many parts the step has.
func (in Input) Once(x *Node) *Node { return graph.MulScalar(x, in.Share) }

func mean(values, mask, count *Node) *Node {
	sum := graph.ReduceAllSum(graph.Where(mask, values, graph.ZerosLike(values)))
	return graph.Div(sum, graph.MaxScalar(graph.ConvertDType(count, dtypes.Float32), 1))
}

// Func builds the value of a term, a float32 scalar, from MeanForeground, MeanProposals and Once, so that a step in parts equals the step in one. It panics
// where building the graph fails.
type Func func(Input) *Node

// Term is a loss term that a configuration may add.
type Term struct {
	// Name is what a configuration calls it, Summary a line for lists.
	Name, Summary string
	// New returns the graph function for the settings, which are to be decoded strictly, or an error that starts with the setting at fault
	// ("options.margin: ...").
	New func(options.Options) (Func, error)
}

var terms = registry.New[Term]("loss term")

// Register makes a term available under model.loss. It panics if the name is taken, by another term or by the detector.
func Register(t Term) {
	switch t.Name {
	case "energy", "nll", "nll_constant", "energy_ordered", "rpn_cls", "rpn_loc", "cls", "box_reg":
		panic(fmt.Sprintf("loss: %q is the name of a loss or a setting of the detector: choose another one for the term", t.Name))
	}
	terms.Add(t.Name, t)
}

// Names returns the registered names in alphabetical order.
func Names() []string { return terms.Names() }

// Origin returns the path of the package that registered the term.
func Origin(name string) string { return terms.Origin(name) }

// New returns the graph function of the term. The error starts with the setting at fault, as it is called under model.loss: the term's name, with
// the names that there are, or "NAME.options.margin".
func New(name string, o options.Options) (Func, error) {
	term, err := terms.Get(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	f, err := term.New(o)
	if err != nil {
		return nil, fmt.Errorf("%s.%w", name, err)
	}
	return f, nil
}
