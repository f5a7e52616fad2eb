package nn

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/check"
)

// Precision is the format of what convolutions and matrix products multiply (Micikevicius et al.,
// "Mixed Precision Training", ICLR 2018). Parameters, sums of products, norms and all else stay
// float32.
type Precision string

const (
	// Float32 is the format of everything else; the empty string stands for it.
	Float32 Precision = "float32"
	// BFloat16 has the range of float32 and 8 bits of precision. GPUs multiply it several times
	// faster; XLA's CPU backend gains nothing by it.
	BFloat16 Precision = "bf16"
)

// Rule is what a setting of the given name must be.
func (p Precision) Rule(key string) check.Rule {
	return check.Rule{OK: p == "" || p == Float32 || p == BFloat16, Key: key, Value: p, Meaning: "must be float32 or bf16"}
}

type precisionOf struct{}

// UsePrecision gives the layers that are built in the graph from now on a precision.
func UsePrecision(g *Graph, p Precision) {
	if p == BFloat16 {
		g.AttachState(precisionOf{}, p)
	}
}

// short reports whether factors are bfloat16 in the graph.
func short(g *Graph) bool { return g.State(precisionOf{}) != nil }

func toBFloat16(x *Node) *Node { return graph.ConvertDType(x, dtypes.BFloat16) }

// Product is x [rows, in] times the transposed weight [out, in]: [rows, out], float32. The factors
// are rounded to the graph's precision, forward and backward, unless there is but one to multiply,
// which is no work.
func Product(x, weight *Node) *Node {
	if !short(x.Graph()) || x.Shape().Dim(1) == 1 {
		return graph.DotGeneral(x, []int{1}, nil, weight, []int{1}, nil)
	}
	rows, matrix := toBFloat16(x), toBFloat16(weight)
	product := func(x *Node, axisX int, y *Node, axisY int) *Node {
		return graph.Dot(x, y).WithOutputDType(dtypes.Float32).General([]int{axisX}, nil, []int{axisY}, nil)
	}
	// GoMLX's own gradient would be products of float32.
	return WithGradient(product(rows, 1, matrix, 1), func(v *Node) []*Node {
		v = toBFloat16(v)
		return []*Node{product(v, 1, matrix, 0), product(v, 0, rows, 0)}
	}, x, weight)
}
