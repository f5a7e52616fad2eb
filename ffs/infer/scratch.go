package infer

import (
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
)

// scratch is the store of a synthesis method's graph. It copies parameters from the model's store,
// which does not see their changes nor the method's state.
type scratch struct {
	*model.Store
	from *model.Store
	// initial holds the initial values of variables that the model's store lacks.
	initial map[string]*tensors.Tensor
}

func newScratch(from *model.Store) *scratch {
	s := &scratch{Store: model.NewStore(), from: from, initial: map[string]*tensors.Tensor{}}
	s.SetLoader(s)
	return s
}

// LoadVariable returns a copy of a variable of the model's store.
func (s *scratch) LoadVariable(_ *model.Store, path string) (*tensors.Tensor, bool) {
	v := s.from.GetVariable(path)
	if v == nil {
		return nil, false
	}
	value, err := v.MustValue().Clone()
	if err != nil {
		panic(err)
	}
	return value, true
}

// DeleteVariable does nothing: the model's store keeps its variables.
func (s *scratch) DeleteVariable(*model.Store, string) error { return nil }

// keepInitial remembers the variables that the graph has just created.
func (s *scratch) keepInitial() {
	for v := range s.IterVariables() {
		if s.from.GetVariable(v.Path()) == nil && v.HasValue() {
			value, err := v.MustValue().Clone()
			if err != nil {
				panic(err)
			}
			s.initial[v.Path()] = value
		}
	}
}

// reset sets every variable to its value in the model's store, or to its initial value.
func (s *scratch) reset() error {
	for v := range s.IterVariables() {
		value := s.initial[v.Path()]
		if source := s.from.GetVariable(v.Path()); source != nil {
			value = source.MustValue()
		}
		if value == nil {
			if err := v.Reset(); err != nil {
				return err
			}
			continue
		}
		value, err := value.Clone()
		if err != nil {
			return err
		}
		if err := v.SetValue(value); err != nil {
			return err
		}
	}
	return nil
}
