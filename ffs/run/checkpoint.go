package run

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/checkpoint"
	"ffslab/ffs/config"
)

// NotFiniteError says that a variable holds NaN or an infinity.
type NotFiniteError struct{ Variable string }

func (e *NotFiniteError) Error() string { return e.Variable + " is not finite" }

// Keys of the metadata of a checkpoint, besides its checksum.
const (
	stepKey   = "step"
	configKey = "ffslab.config" // configuration, as YAML
	digestKey = "ffslab.digest" // digest of the weights, in an export
)

// Save writes every variable of the store as the checkpoint of the step (the number of finished
// steps), with the step, the configuration and a checksum, and then removes all but the newest
// Config.Train.KeepCheckpoints. The file is written whole or not at all. If it cannot be written,
// or a variable is not finite (*NotFiniteError), the earlier checkpoints are untouched.
func (r *Run) Save(store *model.Store, step int) error {
	entries, err := checkpoint.FromVariables(store)
	if err != nil {
		return fmt.Errorf("%s: step %d: %w", r.Dir, step, err)
	}
	if err := finite(entries); err != nil {
		return err
	}
	metadata, err := r.metadata(step)
	if err == nil {
		err = checkpoint.WriteSafeTensors(r.checkpointPath(step), entries, metadata)
	}
	if err != nil {
		return fmt.Errorf("checkpoint of step %d not written%s: %w", step, r.kept(), err)
	}
	return r.prune()
}

// kept says which checkpoint remains if one cannot be written.
func (r *Run) kept() string {
	steps, err := r.Checkpoints()
	if err != nil || len(steps) == 0 {
		return ""
	}
	return fmt.Sprintf(" (that of step %d is kept: resume the run to continue from there)", steps[len(steps)-1])
}

// metadata returns the metadata of the weights of a step.
func (r *Run) metadata(step int) (map[string]string, error) {
	c := r.Config
	c.Origin, c.Data.Val, c.Data.OOD = config.Origin{}, "", nil // weights do not depend on these
	text, err := yaml.Marshal(c)
	return map[string]string{stepKey: strconv.Itoa(step), configKey: string(text)}, err
}

// finite returns a *NotFiniteError for the first variable that holds a number that is not finite.
func finite(entries []checkpoint.Tensor) error {
	for _, t := range entries {
		if !t.DType.IsFloat() {
			continue
		}
		values, err := t.Float32()
		if err != nil {
			return err
		}
		if slices.ContainsFunc(values, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) }) {
			return &NotFiniteError{t.Name}
		}
	}
	return nil
}

func (r *Run) prune() error {
	steps, err := r.Checkpoints()
	if err != nil {
		return err
	}
	for len(steps) > r.Config.Train.KeepCheckpoints {
		if err := os.Remove(r.checkpointPath(steps[0])); err != nil {
			return err
		}
		steps = steps[1:]
	}
	return nil
}

// Checkpoints returns the steps that have checkpoints, in ascending order.
func (r *Run) Checkpoints() ([]int, error) {
	entries, err := os.ReadDir(r.Path(checkpointsDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var steps []int
	for _, e := range entries {
		digits, isCheckpoint := strings.CutSuffix(strings.TrimPrefix(e.Name(), "step-"), ".safetensors")
		if step, err := strconv.Atoi(digits); err == nil && isCheckpoint && e.Name() == filepath.Base(r.checkpointPath(step)) {
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	return steps, nil
}

func (r *Run) checkpointPath(step int) string {
	return r.Path(checkpointsDir, fmt.Sprintf("step-%08d.safetensors", step))
}
