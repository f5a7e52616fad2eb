package checkpoint

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// sgdState is what PyTorch's SGD keeps, in a training checkpoint of detectron2.
type sgdState struct {
	parameters []int64          // the numbers of all parameters, in the order in which the optimizer was given them
	momenta    map[int64]Tensor // of those that have been moved
}

// Iteration returns the number of finished steps that a training checkpoint of detectron2 tells,
// and false for other files.
func (f *File) Iteration() (steps int, ok bool) {
	last, ok := f.Values["iteration"].(int64)
	return int(last) + 1, ok && last >= 0
}

// readSGD takes the optimizer's state from the object of a detectron2 checkpoint; what is not SGD's
// is left alone.
func readSGD(top *dict) (s sgdState) {
	optimizer, _ := top.get("optimizer")
	state, groups := field(optimizer, "state"), field(optimizer, "param_groups")
	entries, ok := state.(*dict)
	all, okGroups := groups.(*list)
	if !ok || !okGroups {
		return s
	}
	for _, group := range all.items {
		numbers, ok := field(group, "params").(*list)
		if !ok {
			return sgdState{}
		}
		for _, n := range numbers.items {
			number, ok := n.(int64)
			if !ok {
				return sgdState{}
			}
			s.parameters = append(s.parameters, number)
		}
	}
	s.momenta = map[int64]Tensor{}
	for _, p := range entries.pairs {
		number, ok := p.key.(int64)
		if momentum, isTensor := asTensor(field(p.value, "momentum_buffer")); ok && isTensor {
			momentum.Name = fmt.Sprintf("optimizer.state.%d.momentum_buffer", number)
			s.momenta[number] = momentum
		}
	}
	return s
}

// field is an entry of a dictionary, nil where there is none.
func field(d any, key string) any {
	if d, ok := d.(*dict); ok {
		value, _ := d.get(key)
		return value
	}
	return nil
}

// LoadMomenta creates for every trainable parameter of the store that the file has a momentum of
// the variable scope + its path, with that momentum in our layout, and returns how many there are.
// PyTorch numbers the parameters in the order of the model, which is that of the file's tensors; it
// is an error, and nothing is created, if their number or one shape does not agree with it.
func LoadMomenta(store *model.Store, f *File, scope string) (int, error) {
	if len(f.sgd.momenta) == 0 {
		return 0, errors.New("the file holds no momentum of PyTorch's SGD")
	}
	trainable := map[string]*model.Variable{}
	for _, v := range modelVariables(store) {
		if v.Trainable {
			trainable[nameOf(v.Path())] = v
		}
	}
	var names []string
	for _, t := range f.Tensors {
		if trainable[t.Name] != nil || t.Name == unusedBias {
			names = append(names, t.Name)
		}
	}
	if len(names) != len(f.sgd.parameters) {
		return 0, fmt.Errorf("the optimizer moves %d parameters, the configuration %d of the file's: other parameters are frozen, or it is another model",
			len(f.sgd.parameters), len(names))
	}
	values := map[string]*tensors.Tensor{}
	for i, name := range names {
		momentum, ok := f.sgd.momenta[f.sgd.parameters[i]]
		v := trainable[name]
		if !ok || v == nil {
			continue
		}
		if want := torchShape(v.Shape().Dimensions); !slices.Equal(momentum.Shape, want) {
			return 0, fmt.Errorf("%s is of shape %v, its place is that of %s, %v", momentum.Name, momentum.Shape, name, want)
		}
		path, ours, err := ToStore(name, momentum)
		if err != nil {
			return 0, err
		}
		if values[path], err = toGoMLX(ours, v.DType()); err != nil {
			return 0, err
		}
	}
	for path, value := range values {
		v, err := store.CreateVariable(strings.TrimSuffix(scope, "/")+path, value)
		if err != nil {
			return 0, err
		}
		v.SetTrainable(false)
	}
	return len(values), nil
}
