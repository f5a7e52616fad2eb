package infer

import (
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"ffslab/ffs/eval"
)

// ClassLayer returns the layer that maps box features to K+1 logits, background last: weights
// [K+1][feature dim] and biases [K+1]. The first call of an untrained model creates its parameters;
// before, they are an error.
func (m *Model) ClassLayer() (weights [][]float32, biases []float32, err error) {
	numbers, err := m.parameters("box_predictor/cls_score/weight", "box_predictor/cls_score/bias")
	if err != nil {
		return nil, nil, err
	}
	return matrix(numbers[0], m.featureDim()), numbers[1], nil
}

// EnergyLayer returns the weights of the energy and the logistic layer behind it, nil without
// HasEnergy. A missing parameter is an error.
func (m *Model) EnergyLayer() (*eval.EnergyLayer, error) {
	if !m.HasEnergy() {
		return nil, nil
	}
	numbers, err := m.parameters("weight_energy/weight", "logistic_regression/weight", "logistic_regression/bias")
	if err != nil {
		return nil, err
	}
	weights, slopes, biases := numbers[0], numbers[1], numbers[2]
	if len(slopes) != 2 || len(biases) != 2 {
		return nil, fmt.Errorf("the logistic layer has %d weights and %d biases, want 2 and 2", len(slopes), len(biases))
	}
	layer := &eval.EnergyLayer{Slope: float64(slopes[1]) - float64(slopes[0]), Intercept: float64(biases[1]) - float64(biases[0])}
	for _, w := range weights {
		layer.Weights = append(layer.Weights, float64(w))
	}
	return layer, nil
}

// parameters returns the values of parameters of the heads.
func (m *Model) parameters(names ...string) ([][]float32, error) {
	values := make([][]float32, len(names))
	for i, name := range names {
		v := m.store.GetVariable("/roi_heads/" + name)
		if v == nil {
			return nil, fmt.Errorf("the model has no parameter roi_heads/%s", name)
		}
		value, err := v.Value()
		if err == nil {
			values[i], err = tensors.CopyFlatData[float32](value)
		}
		if err != nil {
			return nil, fmt.Errorf("parameter roi_heads/%s: %w", name, err)
		}
	}
	return values, nil
}
