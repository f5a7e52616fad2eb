// Package nn holds the layers that the detector is built from, in detectron2's semantics and under
// detectron2's parameter names: the store path /backbone/bottom_up/stem/conv/weight is the
// parameter backbone.bottom_up.stem.conv.weight.
//
// Feature maps are [batch, height, width, channels]. Convolution kernels are [kernel height, kernel
// width, input channels / groups, output channels], linear weights [out, in] as in PyTorch.
//
// Initial values are drawn on the host from the store's seed and the parameter's path. So the same
// seed gives the same model on every backend, in whatever order the graph is built.
package nn

import (
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"slices"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// seedParam is the store's hyper-parameter with the seed.
const seedParam = "initialization_seed"

// SetSeed sets the seed of the parameters that are created in the store from now on. The default is
// 0.
func SetSeed(store *model.Store, seed int64) { store.RootScope().SetParam(seedParam, seed) }

// Variable returns the value of a float32 parameter of the scope, which it creates with init if the
// store lacks it. If it is not trainable, no gradient flows to it. Variable panics if the store
// holds the parameter in another shape (*ShapeError).
func Variable(scope *model.Scope, g *graph.Graph, name string, init Init, trainable bool, dims ...int) *graph.Node {
	variable := scope.GetVariable(name)
	if variable == nil {
		variable = create(scope, name, init, dims)
	}
	if have := variable.Shape().Dimensions; !slices.Equal(have, dims) {
		panic(&ShapeError{variable.Path(), have, dims})
	}
	variable.SetTrainable(trainable)
	value := variable.NodeValue(g)
	if !trainable {
		value = graph.StopGradient(value)
	}
	return value
}

// ShapeError says that the store holds a parameter in another shape than the network has.
type ShapeError struct {
	Path        string
	Store, Want []int
}

func (e *ShapeError) Error() string {
	return fmt.Sprintf("the parameter %s is %v in the store, want %v", e.Path, e.Store, e.Want)
}

// maxSize is the largest number of numbers in a parameter, 8 GiB of float32. A slice that does not
// fit the memory would end the process.
const maxSize = 1 << 31

func size(dims []int) float64 {
	n := 1.
	for _, d := range dims {
		n *= float64(d)
	}
	return n
}

func create(scope *model.Scope, name string, init Init, dims []int) *model.Variable {
	if size := size(dims); size > maxSize {
		panic(fmt.Errorf("the parameter %s of shape %v has %.3g numbers, more than %d: choose smaller sizes in the configuration",
			model.JoinPath(scope.Scope(), name), dims, size, maxSize))
	}
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
