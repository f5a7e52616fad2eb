// Package loss holds loss terms that a configuration may add to the paper's. A term is a graph
// function of the values of a training step. It registers itself under a name, and a configuration
// gives it a weight:
//
//	model:
//	  loss: {least_singular_value: 0.01, mine: {weight: 0.1, options: {margin: 2}}}
//
// The weighted value is logged as "loss_" + name. The two built-in terms are FEVER-OOD's.
package loss

import (
	"errors"
	"fmt"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/guard"
	"ffslab/ffs/internal/registry"
	"ffslab/ffs/options"
)

// Input holds the values of a training step, or of a part of it: n sampled proposals of all images,
// in their order, of K inlier classes, with box features of length dim. Gradients flow back into
// all that depends on parameters.
type Input struct {
	// Scope holds the parameters of the heads, "box_head" and "box_predictor". A term may create
	// its own parameters in it (see nn.Variable).
	Scope *model.Scope
	// Features [n, dim] are the box features, Logits [n, K+1] those of the class layer, background
	// last.
	Features, Logits *graph.Node
	// Classes [n] int32 are the classes of the proposals, K for background. Foreground [n] bool
	// marks the proposals of inlier objects, Valid [n] bool the rows that are not padding.
	Classes, Foreground, Valid *graph.Node
	// ClassWeight [K+1, dim] is the weight of the class layer.
	ClassWeight *graph.Node

	// Share is the fraction of the step's images in this part. ForegroundCount and ProposalCount
	// are counts of the whole step.
	Share                          float64
	ForegroundCount, ProposalCount *graph.Node
}

// MeanForeground returns the mean of values [n] over the foreground proposals of the step, 0 if
// there are none; for a part of a step, its share of that mean.
func (in Input) MeanForeground(values *graph.Node) *graph.Node {
	return mean(values, in.Foreground, in.ForegroundCount)
}

// MeanProposals returns the mean of values [n] over the sampled proposals of the step; for a part
// of a step, its share of that mean.
func (in Input) MeanProposals(values *graph.Node) *graph.Node {
	return mean(values, in.Valid, in.ProposalCount)
}

// Once weights a scalar that depends only on parameters, so that it counts once in a step of
// several parts.
func (in Input) Once(x *graph.Node) *graph.Node { return graph.MulScalar(x, in.Share) }

func mean(values, mask, count *graph.Node) *graph.Node {
	sum := graph.ReduceAllSum(graph.Where(mask, values, graph.ZerosLike(values)))
	return graph.Div(sum, graph.MaxScalar(graph.ConvertDType(count, dtypes.Float32), 1))
}

// Func builds the value of a term, a scalar float32, from MeanForeground, MeanProposals and Once,
// so that a step in parts equals an undivided one. It panics if building the graph fails.
type Func func(Input) *graph.Node

// Term is a loss term that a configuration may add.
type Term struct {
	// Name is its name in a configuration, Summary a line for lists.
	Name, Summary string
	// New returns the graph function for the settings, or an error that starts with the setting at
	// fault ("options.margin: ..."). It must decode the settings strictly.
	New func(options.Options) (Func, error)
}

var terms = registry.New[Term]("loss term")

// Register makes a term available under model.loss. It panics if another term or the detector uses
// the name.
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

// New returns the graph function of the term. The error starts with the setting at fault, as it is
// called under model.loss: the name of an unknown term, with a list of the names, or
// "NAME.options.margin".
func New(name string, o options.Options) (Func, error) {
	term, err := terms.Get(name)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	const kind = "loss term"
	var f Func
	if fault := guard.Part(kind, name, func() { f, err = term.New(o) }); fault != nil {
		return nil, fmt.Errorf("%s: %w", name, fault)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("%s.%w", name, err)
	case f == nil:
		return nil, fmt.Errorf("%s: %w", name, &guard.PartError{Kind: kind, Name: name, Err: errors.New("New returned nil, want a Func")})
	}
	return func(in Input) *graph.Node { return guard.Graph(kind, name, func() *graph.Node { return f(in) }) }, nil
}
