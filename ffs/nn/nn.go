// Package nn holds the layers that the detector is built from, in detectron2's semantics and under detectron2's parameter
// names: the store path /backbone/bottom_up/stem/conv/weight is the parameter backbone.bottom_up.stem.conv.weight.
//
// Feature maps are [batch, height, width, channels]. Convolution kernels are [kernel height, kernel width, input channels /
// groups, output channels], linear weights [out, in] as in PyTorch.
//
// Parameters start from values that are drawn on the host, from the store's seed and the parameter's path alone: the same seed
// gives the same model on every backend, in whatever order the graph is built.
package nn

import (
	"hash/fnv"
	"math/rand/v2"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// seedParam is the store's hyper-parameter that initial values are drawn from.
const seedParam = "initialization_seed"

// SetSeed makes the parameters that are created in the store from now on start from the given seed (0 unless set).
func SetSeed(store *model.Store, seed int64) { store.RootScope().SetParam(seedParam, seed) }

// Variable returns the value of a float32 parameter of the given dimensions in the scope, created with init if the store does not
// have it yet. One that is not trainable is a constant for gradients. It panics, as graph-building code does, if the store holds
// the parameter in another shape.
func Variable(scope *model.Scope, g *Graph, name string, init Init, trainable bool, dims ...int) *Node {
	variable := scope.GetVariable(name)
	if variable == nil {
		variable = create(scope, name, init, dims)
	}
	variable.SetTrainable(trainable)
	value := variable.NodeValue(g)
	value.AssertDims(dims...)
	if !trainable {
		value = graph.StopGradient(value)
	}
	return value
}

func create(scope *model.Scope, name string, init Init, dims []int) *model.Variable {
	values := make([]float32, shapes.Make(0, dims...).Size())
	path := fnv.New64a()
	path.Write([]byte(model.JoinPath(scope.Scope(), name)))
	seed := model.GetRootParamOr(scope.Store(), seedParam, int64(0))
	init(rand.New(rand.NewPCG(uint64(seed), path.Sum64())), values, dims)
	variable, err := scope.CreateVariable(name, tensors.FromFlatDataAndDimensions(values, dims...))
	if err != nil {
		panic(err)
	}
	return variable
}
