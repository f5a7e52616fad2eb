package loss

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/linalg"
	"ffslab/ffs/options"
)

func init() {
	Register(Term{
		Name: "least_singular_value", Summary: "1 / s_min of the class layer's weight (FEVER-OOD)",
		New: singular(func(least, _ *graph.Node) *graph.Node { return graph.Reciprocal(least) }),
	})
	Register(Term{
		Name: "condition_number", Summary: "s_max / s_min of the class layer's weight (FEVER-OOD)",
		New: singular(func(least, greatest *graph.Node) *graph.Node { return graph.Div(greatest, least) }),
	})
}

// singular returns a term of the least and the greatest singular value of the weight [K+1, dim] of
// the class layer. Outliers near the null space of the weight, or in the direction of a small
// singular value, hardly change the energy. Both terms make the least singular value grow
// (Isaac-Medina et al., "FEVER-OOD: Free Energy Vulnerability Elimination for Robust
// Out-of-Distribution Detection", ICCV 2025, section 3.3).
func singular(value func(least, greatest *graph.Node) *graph.Node) func(options.Options) (Func, error) {
	return func(o options.Options) (Func, error) {
		f := func(in Input) *graph.Node {
			least, greatest := ExtremeSingularValues(in.ClassWeight)
			return in.Once(value(least, greatest))
		}
		return f, o.Decode(&struct{}{})
	}
}

// ExtremeSingularValues returns the least and the greatest singular value of a matrix [rows,
// columns], scalars. Their gradients are u v^T of their singular vectors, which holds if the value
// is not repeated. The cost grows with the fourth power of the smaller side.
func ExtremeSingularValues(matrix *graph.Node) (least, greatest *graph.Node) {
	if matrix.Shape().Dim(0) > matrix.Shape().Dim(1) {
		matrix = graph.Transpose(matrix, 0, 1)
	}
	rows := matrix.Shape().Dim(0)
	// Double precision makes up for squaring the condition number. The problem is small.
	wide := graph.ConvertDType(graph.StopGradient(matrix), dtypes.Float64)
	_, vectors := linalg.SymmetricEigen(graph.DotGeneral(wide, []int{1}, nil, wide, []int{1}, nil))
	vectors = graph.ConvertDType(vectors, matrix.DType())
	// s = |W^T u|, whose gradient with u held fixed is u v^T.
	along := func(column int) *graph.Node {
		u := graph.Slice(vectors, graph.AxisRange(), graph.AxisElem(column))
		return graph.Sqrt(graph.ReduceAllSum(graph.Square(graph.DotGeneral(matrix, []int{0}, nil, u, []int{0}, nil))))
	}
	return along(0), along(rows - 1)
}
