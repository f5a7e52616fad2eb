package bench

import (
	"math"
	"slices"

	"github.com/gomlx/compute"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"
)

// plain is a backend on which layers are built in their plainest form: without loops, and without
// what trades products for sums.
type plain struct{ compute.Backend }

// IsCPU is what layers ask for (see xlacpu.Wanted).
func (plain) IsCPU() bool { return false }

// countProducts returns the floating-point operations, multiplications and additions, of the
// convolutions and matrix products that the outputs of a graph depend on, forward and, if build
// returns a loss, backward. The graph is built and not run; inputs make its parameters.
//
// A convolution counts by its definition. Products of more than matrices do not count: they
// interpolate features and compare boxes, which can be done in other ways.
func countProducts(backend compute.Backend, store *model.Store, inputs func(g *graph.Graph) []*graph.Node, build func(scope *model.Scope, in []*graph.Node) (outputs []*graph.Node, loss *graph.Node)) float64 {
	g := graph.NewGraph(plain{backend}, "products")
	defer g.Finalize()
	in := inputs(g)
	outputs, loss := build(store.RootScope(), in)
	c := counter{given: map[*graph.Node]bool{}, depends: map[*graph.Node]bool{}}
	for _, x := range in {
		c.given[x] = true
	}
	if loss != nil {
		outputs = append(outputs, loss)
	}
	total := 0.0
	visit(outputs, func(n *graph.Node) []*graph.Node {
		total += operations(n)
		return n.Inputs()
	})
	if loss == nil {
		return total
	}
	visit([]*graph.Node{loss}, func(n *graph.Node) []*graph.Node {
		if n.StopGradient() {
			return nil
		}
		if work := operations(n); work > 0 {
			for _, operand := range n.Inputs() {
				if c.trained(operand) {
					total += work // the operand's gradient is a product of the same size
				}
			}
		}
		return n.Inputs()
	})
	return total
}

// visit calls next once for each node that is reached: from the roots, and from what next returns.
func visit(roots []*graph.Node, next func(n *graph.Node) []*graph.Node) {
	seen := map[*graph.Node]bool{}
	for len(roots) > 0 {
		n := roots[len(roots)-1]
		roots = roots[:len(roots)-1]
		if !seen[n] {
			seen[n] = true
			roots = append(roots, next(n)...)
		}
	}
}

func operations(n *graph.Node) float64 {
	size := func(n *graph.Node) float64 { return float64(n.Shape().Size()) }
	switch n.Type() {
	case graph.NodeTypeConvGeneral: // [batch, height, width, channels] of the result, kernel [height, width, in, out]
		return 2 * size(n) / float64(n.Shape().Dim(-1)) * size(n.Inputs()[1])
	case graph.NodeTypeDotGeneral:
		if a, b := n.Inputs()[0], n.Inputs()[1]; a.Rank() == 2 && b.Rank() == 2 && n.Rank() == 2 {
			return 2 * math.Sqrt(size(a)*size(b)*size(n)) // (rows inner) (inner columns) (rows columns)
		}
	}
	return 0
}

// counter knows which nodes have a gradient that is needed.
type counter struct{ given, depends map[*graph.Node]bool }

// trained reports whether a parameter that is trained reaches the node.
func (c counter) trained(n *graph.Node) bool {
	if known, ok := c.depends[n]; ok {
		return known
	}
	reached := !n.StopGradient() && (n.Type() == graph.NodeTypeParameter && !c.given[n] || slices.ContainsFunc(n.Inputs(), c.trained))
	c.depends[n] = reached
	return reached
}
