package infer

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"ffslab/ffs/checkpoint"
	"ffslab/ffs/config"
)

// Identity identifies all that a model's detections depend on, apart from the images. Models of the
// same identity return the same detections.
type Identity struct {
	// Step is the number of training steps behind the parameters.
	Step int `json:"step"`
	// Parameters identifies the weights (see checkpoint.Digest).
	Parameters string `json:"parameters"`
	// Settings is the SHA-256 of the configuration's model and input sections and of its seed.
	Settings string `json:"settings"`
	// Backend is the backend's description. Another one rounds differently.
	Backend string `json:"backend"`
}

// Identity returns the model's identity, for which it reads every parameter in the store. It
// changes when the first call of an untrained model creates parameters. A parameter without a value
// is an error.
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

	if id.Parameters = m.Checkpoint.Digest; id.Parameters == "" {
		id.Parameters, err = checkpoint.DigestStore(m.store)
	}
	return id, err
}
