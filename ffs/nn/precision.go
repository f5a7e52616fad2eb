package nn

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/check"
	"ffslab/ffs/internal/graphs"
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

// Rule checks the precision as the setting with the given key.
func (p Precision) Rule(key string) check.Rule {
	return check.Rule{OK: p == "" || p == Float32 || p == BFloat16, Key: key, Value: p, Meaning: "must be float32 or bf16"}
}

type precisionOf struct{}

// UsePrecision sets the precision of the layers that are built in the graph from now on.
func UsePrecision(g *graph.Graph, p Precision) {
	if p == BFloat16 {
		g.AttachState(precisionOf{}, p)
	}
}

// short reports whether factors in the graph are bfloat16.
func short(g *graph.Graph) bool { return g.State(precisionOf{}) != nil }

func toBFloat16(x *graph.Node) *graph.Node { return graph.ConvertDType(x, dtypes.BFloat16) }

// Product returns x [rows, in] times the transposed weight [out, in]: [rows, out], float32. It
// rounds the factors to the graph's precision, forward and backward, unless in is 1.
func Product(x, weight *graph.Node) *graph.Node {
	if !short(x.Graph()) || x.Shape().Dim(1) == 1 {
		return graph.DotGeneral(x, []int{1}, nil, weight, []int{1}, nil)
	}
	rows, matrix := toBFloat16(x), toBFloat16(weight)
	product := func(x *graph.Node, axisX int, y *graph.Node, axisY int) *graph.Node {
		return graph.Dot(x, y).WithOutputDType(dtypes.Float32).General([]int{axisX}, nil, []int{axisY}, nil)
	}
	// GoMLX's own gradient would multiply in float32.
	return graphs.WithGradient(product(rows, 1, matrix, 1), func(v *graph.Node) []*graph.Node {
		v = toBFloat16(v)
		return []*graph.Node{product(v, 1, matrix, 0), product(v, 0, rows, 0)}
	}, x, weight)
}
