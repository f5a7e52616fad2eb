package optim

import "github.com/gomlx/gomlx/core/graph"

// Clip bounds gradients by their norm.
type Clip struct {
	// Norm is the largest norm that the gradients of a group may have together; 0 means no bound.
	Norm float64
	// Group names the group of a parameter by its path; nil puts all into one. Parameters that are not to influence one another belong
	// into different groups.
	Group func(path string) string
}

// Apply scales the gradients of each group so that their common norm is at most Norm, as PyTorch's clip_grad_norm_ does.
func (c Clip) Apply(gradients []Gradient) []Gradient {
	if c.Norm <= 0 {
		return gradients
	}
	group := c.Group
	if group == nil {
		group = func(string) string { return "" }
	}
	squares := map[string]*Node{}
	for _, gradient := range gradients {
		name, square := group(gradient.Variable.Path()), graph.ReduceAllSum(graph.Square(gradient.Value))
		if squares[name] != nil {
			square = graph.Add(squares[name], square)
		}
		squares[name] = square
	}
	factors := map[string]*Node{}
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
