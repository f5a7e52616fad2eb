package optim

import (
	"errors"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/guard"
	"ffslab/ffs/internal/registry"
	"ffslab/ffs/options"
)

// Optimizer moves parameters along their gradients.
type Optimizer interface {
	// Apply moves the parameters one step along gradients that were computed before, perhaps as a
	// sum over parts of a batch. The store holds the parameters and the optimizer's state; lr is
	// the learning rate, a scalar float32. Apply panics if building the graph fails.
	Apply(store *model.Store, gradients []Gradient, lr *graph.Node)
}

// Settings are the settings of an optimizer.
type Settings struct {
	// Momentum is that of SGD. WeightDecay is the decay of weights and biases; normalisation layers
	// have none.
	Momentum, WeightDecay float64
	// LRFactor returns the factor of a parameter's learning rate, given its path; nil means 1 for
	// all.
	LRFactor func(path string) float64
	// Options are the settings of an optimizer that is not built in, which must decode them
	// strictly.
	Options options.Options
}

// ParameterScopes are the scopes in which the built-in optimizers keep a value in the shape of each
// parameter.
var ParameterScopes = []string{MomentumScope + "/", adamScope + "/mean/", adamScope + "/square/"}

var optimizers = registry.New[func(Settings) (Optimizer, error)]("optimizer")

// Register makes an optimizer available as train.optimizer. build returns one with the given
// settings, or an error that starts with the setting at fault ("options.beta: ..."). Register
// panics if the name is taken.
func Register(name string, build func(Settings) (Optimizer, error)) { optimizers.Add(name, build) }

// Origin returns the path of the package that registered the optimizer.
func Origin(name string) string { return optimizers.Origin(name) }

// New returns the optimizer with the given name. The error lists the names, or starts with the
// setting at fault.
func New(name string, s Settings) (Optimizer, error) {
	newOptimizer, err := optimizers.Get(name)
	if err != nil {
		return nil, err
	}
	const kind = "optimizer"
	var o Optimizer
	if fault := guard.Part(kind, name, func() { o, err = newOptimizer(s) }); fault != nil {
		return nil, fault
	}
	if err == nil && o == nil {
		err = &guard.PartError{Kind: kind, Name: name, Err: errors.New("the registered function returned nil, want an Optimizer")}
	}
	if err != nil {
		return nil, err
	}
	return guarded{o, kind, name}, nil
}

// guarded panics with an error that names the optimizer where the optimizer panics.
type guarded struct {
	Optimizer
	kind, name string
}

func (o guarded) Apply(store *model.Store, gradients []Gradient, lr *graph.Node) {
	guard.Graph(o.kind, o.name, func() any {
		o.Optimizer.Apply(store, gradients, lr)
		return nil
	})
}

func init() {
	Register("sgd", func(s Settings) (Optimizer, error) {
		return SGD{Momentum: s.Momentum, WeightDecay: s.WeightDecay, LRFactor: s.LRFactor}, s.Options.Decode(&struct{}{})
	})
	Register("adamw", func(s Settings) (Optimizer, error) {
		return AdamW{WeightDecay: s.WeightDecay, LRFactor: s.LRFactor}, s.Options.Decode(&struct{}{})
	})
}
