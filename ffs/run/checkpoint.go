package run

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/checkpoint"
)

// NotFiniteError says that a variable holds NaN or an infinity.
type NotFiniteError struct{ Variable string }

func (e *NotFiniteError) Error() string { return e.Variable + " is not finite" }

// Save writes every variable of the store as the checkpoint of that step (the number of finished steps), then removes all but the newest
// Config.Train.KeepCheckpoints. The file appears whole or not at all; if it cannot be written, or a variable is not finite
// (*NotFiniteError), the earlier ones are untouched.
func (r *Run) Save(store *model.Store, step int) error {
	var entries []checkpoint.Tensor
	for variable := range store.IterVariables() {
		value, err := variable.Value()
		if err != nil {
			return fmt.Errorf("%s: step %d: variable %s: %w", r.Dir, step, variable.Path(), err)
		}
		if value.DType() == dtypes.Float32 && !allFinite(tensors.MustCopyFlatData[float32](value)) {
			return &NotFiniteError{variable.Path()}
		}
		var data []byte
		if err := value.ConstBytes(func(b []byte) { data = slices.Clone(b) }); err != nil {
			return fmt.Errorf("%s: step %d: variable %s: %w", r.Dir, step, variable.Path(), err)
		}
		entry, err := checkpoint.NewTensor(variable.Path(), variable.DType(), variable.Shape().Dimensions, data)
		if err != nil {
			return fmt.Errorf("%s: step %d: %w", r.Dir, step, err)
		}
		entries = append(entries, entry)
	}
	slices.SortFunc(entries, func(a, b checkpoint.Tensor) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	err := checkpoint.WriteSafeTensors(r.checkpointPath(step), entries, map[string]string{"step": strconv.Itoa(step)})
	if err != nil {
		return fmt.Errorf("checkpoint not written, the earlier ones are kept: %w", err)
	}
	return r.prune()
}

func allFinite(values []float32) bool {
	return !slices.ContainsFunc(values, func(v float32) bool { return math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) })
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

// Checkpoints returns the steps that there are checkpoints of, ascending.
func (r *Run) Checkpoints() ([]int, error) {
	paths, err := filepath.Glob(r.Path(checkpointsDir, "step-*.safetensors"))
	if err != nil {
		return nil, err
	}
	var steps []int
	for _, path := range paths {
		var step int
		if _, err := fmt.Sscanf(filepath.Base(path), "step-%d.safetensors", &step); err == nil {
			steps = append(steps, step)
		}
	}
	slices.Sort(steps)
	return steps, nil
}

// Checkpoint says which weights a checkpoint of a run holds.
type Checkpoint struct {
	// Step is the number of finished steps.
	Step int
	// Digest identifies the model's weights (see checkpoint.Digest): whatever is computed from weights is valid for those of the same digest alone.
	Digest string
	// Notes are for the user to read: newer checkpoints that were passed over, and why.
	Notes []string
}

// Load fills the store with the newest checkpoint's variables. A run without a checkpoint is an error.
func (r *Run) Load(store *model.Store) (Checkpoint, error) {
	c, all, err := r.read()
	if err != nil {
		return Checkpoint{}, err
	}
	for _, entry := range all {
		if err := setVariable(store, entry); err != nil {
			return Checkpoint{}, fmt.Errorf("%s: %s: %w", r.checkpointPath(c.Step), entry.Name, err)
		}
	}
	return c, nil
}

// Newest says which weights Load loads.
func (r *Run) Newest() (Checkpoint, error) {
	c, _, err := r.read()
	return c, err
}

// read returns the newest checkpoint and its tensors, named by their paths in the store.
func (r *Run) read() (Checkpoint, []checkpoint.Tensor, error) {
	steps, err := r.Checkpoints()
	if err != nil {
		return Checkpoint{}, nil, err
	}
	if len(steps) == 0 {
		return Checkpoint{}, nil, fmt.Errorf("%s: the run has no checkpoint yet: its training ended before step %d", r.Dir, r.Config.Train.CheckpointEvery)
	}
	step := steps[len(steps)-1]
	file, err := checkpoint.Open(r.checkpointPath(step))
	if err != nil {
		return Checkpoint{}, nil, err
	}
	return Checkpoint{Step: step, Digest: checkpoint.Digest(checkpoint.Weights(file.Tensors))}, file.Tensors, nil
}

func setVariable(store *model.Store, entry checkpoint.Tensor) error {
	value := tensors.FromShape(shapes.Make(entry.DType, entry.Shape...))
	if err := value.MutableBytes(func(b []byte) { copy(b, entry.Bytes()) }); err != nil {
		return err
	}
	if variable := store.GetVariable(entry.Name); variable != nil {
		return variable.SetValue(value)
	}
	_, err := store.CreateVariable(entry.Name, value)
	return err
}

func (r *Run) checkpointPath(step int) string {
	return r.Path(checkpointsDir, fmt.Sprintf("step-%08d.safetensors", step))
}
