// Package optim trains parameters as detectron2 does: by PyTorch's SGD with momentum, with a weight
// decay that spares normalisation layers, and with a learning rate that warms up and falls in
// steps.
package optim

import (
	"cmp"
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// MomentumScope is the scope of momenta in the store: /optimizer/momentum/a/b for the parameter
// /a/b.
const MomentumScope = "/optimizer/momentum"

// SGD is stochastic gradient descent with momentum in PyTorch's form: for the gradient d of a
// parameter w
//
//	d' = d + decay * w    m' = momentum * m + d'    w' = w - lr * m'
type SGD struct {
	// Momentum is 0.9 in all of the paper's schedules.
	Momentum float64
	// WeightDecay is the decay of weights and biases, NormDecay that of normalisation layers, 0 by
	// default in detectron2.
	WeightDecay, NormDecay float64
	// BiasDecay, if not nil, is the decay of all biases, including those of normalisation layers.
	BiasDecay *float64
	// BiasLRFactor multiplies the learning rate of biases; 0 means 1.
	BiasLRFactor float64
	// LRFactor returns the factor of a parameter's learning rate, given its path; nil means 1 for
	// all.
	LRFactor func(path string) float64
}

// Gradient is the gradient of a loss with respect to a parameter, of the parameter's shape.
type Gradient struct {
	Variable *model.Variable
	Value    *graph.Node
}

// Gradients returns the gradient of the scalar loss for each trainable parameter in scope that the
// graph has read, in the order of the paths. A parameter that the loss does not depend on has a
// gradient of zeros.
func Gradients(scope *model.Scope, loss *graph.Node) []Gradient {
	g := loss.Graph()
	var gradients []Gradient
	for v := range scope.IterVariables() {
		if v.Trainable && v.InUseByGraph(g) {
			gradients = append(gradients, Gradient{Variable: v})
		}
	}
	slices.SortFunc(gradients, func(a, b Gradient) int { return cmp.Compare(a.Variable.Path(), b.Variable.Path()) })
	parameters := make([]*graph.Node, len(gradients))
	for i, gradient := range gradients {
		parameters[i] = gradient.Variable.NodeValue(g)
	}
	for i, value := range graph.Gradient(loss, parameters...) {
		gradients[i].Value = value
	}
	return gradients
}

// Apply implements Optimizer.
func (o SGD) Apply(store *model.Store, gradients []Gradient, lr *graph.Node) {
	for _, gradient := range gradients {
		v, g := gradient.Variable, lr.Graph()
		weight, momentum := v.NodeValue(g), momentumOf(store, v)
		decay, lrFactor := o.group(store, v)

		direction := gradient.Value
		if decay != 0 {
			direction = graph.Add(direction, graph.MulScalar(weight, decay))
		}
		direction = graph.Add(graph.MulScalar(momentum.NodeValue(g), o.Momentum), direction)
		momentum.SetNodeValue(direction)
		v.SetNodeValue(graph.Sub(weight, graph.Mul(graph.MulScalar(lr, lrFactor), direction)))
	}
}

// group returns the weight decay and the learning rate factor of a parameter.
func (o SGD) group(store *model.Store, v *model.Variable) (decay, lrFactor float64) {
	decay, lrFactor = o.WeightDecay, factorOf(o.LRFactor, v)
	if isNorm(store, v) {
		decay = o.NormDecay
	}
	if v.Name() != "bias" {
		return decay, lrFactor
	}
	if o.BiasDecay != nil {
		decay = *o.BiasDecay
	}
	if o.BiasLRFactor != 0 {
		lrFactor *= o.BiasLRFactor
	}
	return decay, lrFactor
}

// factorOf returns the factor of a parameter's learning rate, 1 if factors is nil.
func factorOf(factors func(path string) float64, v *model.Variable) float64 {
	if factors == nil {
		return 1
	}
	return factors(v.Path())
}

// isNorm reports whether the parameter belongs to a normalisation layer, the only kind whose weight
// is a vector.
func isNorm(store *model.Store, v *model.Variable) bool {
	weight := store.GetVariable(model.JoinPath(v.Scope(), "weight"))
	return weight != nil && weight.Shape().Rank() == 1
}

// momentumOf returns the variable of the parameter's momentum, which starts at zero.
func momentumOf(store *model.Store, v *model.Variable) *model.Variable {
	return state(store, MomentumScope+v.Path(), tensors.FromShape(v.Shape()))
}
