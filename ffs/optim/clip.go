package optim

import "github.com/gomlx/gomlx/core/graph"

// Clip bounds gradients by their norm.
type Clip struct {
	// Norm is the largest joint norm of the gradients of a group; 0 means no bound.
	Norm float64
	// Group returns the group of a parameter, given its path; nil puts all into one group.
	// Parameters that must not influence one another belong in different groups.
	Group func(path string) string
}

// Apply scales the gradients of each group so that their joint norm is at most Norm, as PyTorch's
// clip_grad_norm_ does.
func (c Clip) Apply(gradients []Gradient) []Gradient {
	if c.Norm <= 0 {
		return gradients
	}
	group := c.Group
	if group == nil {
		group = func(string) string { return "" }
	}
	squares := map[string]*graph.Node{}
	for _, gradient := range gradients {
		name, square := group(gradient.Variable.Path()), graph.ReduceAllSum(graph.Square(gradient.Value))
		if squares[name] != nil {
			square = graph.Add(squares[name], square)
		}
		squares[name] = square
	}
	factors := map[string]*graph.Node{}
	clipped := make([]Gradient, len(gradients))
	for i, gradient := range gradients {
		name := group(gradient.Variable.Path())
		if factors[name] == nil {
			norm := graph.AddScalar(graph.Sqrt(squares[name]), 1e-6)
			factors[name] = graph.MinScalar(graph.MulScalar(graph.Reciprocal(norm), c.Norm), 1)
		}
		clipped[i] = Gradient{gradient.Variable, graph.Mul(gradient.Value, factors[name])}
	}
	return clipped
}
