package infer

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"
)

// ClassLayer returns the layer that makes the K+1 logits of box features, background last: weights [K+1][feature dim] and biases [K+1]. A parameter that is missing is an
// error: the first call of the model creates those of an untrained one.
func (m *Model) ClassLayer() (weights [][]float32, biases []float32, err error) {
	var flat [2][]float32
	for i, name := range []string{"weight", "bias"} {
		v := m.store.GetVariable("/roi_heads/box_predictor/cls_score/" + name)
		if v == nil {
			return nil, nil, fmt.Errorf("the model has no parameter roi_heads/box_predictor/cls_score/%s", name)
		}
		value, err := v.Value()
		if err != nil {
			return nil, nil, fmt.Errorf("variable %s: %w", v.Path(), err)
		}
		if flat[i], err = tensors.CopyFlatData[float32](value); err != nil {
			return nil, nil, fmt.Errorf("variable %s: %w", v.Path(), err)
		}
	}
	return matrix(flat[0], m.featureDim()), flat[1], nil
}
