package flow

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// Permutation is a fixed permutation of the features, y[:, i] = x[:, perm[i]], so that the next
// coupling splits them differently.
type Permutation struct{ perm, inverse *graph.Node }

// NewPermutation returns a permutation of dim features with the int32 variables "perm" and
// "perm_inv" [dim] of the scope. If the store lacks them, it draws them as FrEIA's
// PermuteRandom(seed) does, so that a flow from a checkpoint of the original and a new one permute
// alike.
func NewPermutation(scope *model.Scope, g *graph.Graph, dim int, seed uint32) *Permutation {
	perm := numpyPermutation(seed, dim)
	inverse := make([]int32, dim)
	for i, p := range perm {
		inverse[p] = int32(i)
	}
	return &Permutation{
		perm:    indexVariable(scope, g, "perm", perm),
		inverse: indexVariable(scope, g, "perm_inv", inverse),
	}
}

// Forward implements Layer; the log-determinant is 0.
func (p *Permutation) Forward(x *graph.Node) (y, logDet *graph.Node) {
	return selectColumns(x, p.perm), zeroLogDet(x)
}

// Inverse implements Layer; the log-determinant is 0.
func (p *Permutation) Inverse(y *graph.Node) (x, logDet *graph.Node) {
	return selectColumns(y, p.inverse), zeroLogDet(y)
}

// selectColumns returns x[:, columns]. It gathers rows of the transpose, so that the gradient
// scatters whole rows.
func selectColumns(x, columns *graph.Node) *graph.Node {
	rows := graph.Gather(graph.Transpose(x, 0, 1), graph.Reshape(columns, -1, 1))
	return graph.Transpose(rows, 0, 1)
}

func zeroLogDet(x *graph.Node) *graph.Node { return graph.ReduceSum(graph.ZerosLike(x), -1) }

// indexVariable returns the value of a fixed integer variable, which it creates with the given
// values if the store lacks it.
func indexVariable(scope *model.Scope, g *graph.Graph, name string, values []int32) *graph.Node {
	variable := scope.GetVariable(name)
	if variable == nil {
		var err error
		variable, err = scope.CreateVariable(name, tensors.FromFlatDataAndDimensions(values, len(values)))
		if err != nil {
			panic(err)
		}
	}
	variable.SetTrainable(false)
	value := variable.NodeValue(g)
	value.AssertDims(len(values))
	return graph.StopGradient(graph.ConvertDType(value, dtypes.Int32))
}
