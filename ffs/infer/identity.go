package infer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/gomlx/gomlx/core/tensors"

	"ffslab/ffs/checkpoint"
	"ffslab/ffs/config"
	"ffslab/ffs/eval"
)

// Identity is what a model's detections depend on, beside the pictures: two models of one identity find the same.
type Identity struct {
	// Step is the number of training steps behind the parameters.
	Step int `json:"step"`
	// Parameters identifies the weights (see checkpoint.Digest).
	Parameters string `json:"parameters"`
	// Settings is the SHA-256 of what the configuration says of the model and its input, and of the seed.
	Settings string `json:"settings"`
	// Backend is the backend's description of itself: another one rounds differently.
	Backend string `json:"backend"`
}

// Identity reads every parameter of the model. Where the store lacks some, so that the first call creates them, it is to be taken before
// that call. A parameter without a value is an error.
func (m *Model) Identity() (Identity, error) {
	id := Identity{Step: m.Step, Backend: m.backend.Description()}
	settings, err := json.Marshal(struct {
		Model config.Model
		Input config.Input
		Seed  int64
	}{m.Config.Model, m.Config.Input, m.Config.Train.Seed})
	if err != nil {
		return id, err
	}
	digest := sha256.Sum256(settings)
	id.Settings = hex.EncodeToString(digest[:])

	if id.Parameters = m.Weights.Digest; id.Parameters == "" {
		id.Parameters, err = checkpoint.DigestStore(m.store)
	}
	return id, err
}

// EnergyLayer returns the weights of the model's energy and the layer behind it, and nil if it has none (see HasEnergy). A parameter that is missing is an error.
func (m *Model) EnergyLayer() (*eval.EnergyLayer, error) {
	if !m.HasEnergy() {
		return nil, nil
	}
	var numbers [3][]float32
	for i, name := range []string{"weight_energy/weight", "logistic_regression/weight", "logistic_regression/bias"} {
		v := m.store.GetVariable("/roi_heads/" + name)
		if v == nil {
			return nil, fmt.Errorf("the model has no parameter roi_heads/%s", name)
		}
		value, err := v.Value()
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Path(), err)
		}
		if numbers[i], err = tensors.CopyFlatData[float32](value); err != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Path(), err)
		}
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
