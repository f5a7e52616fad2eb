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

// Load fills the store with the newest checkpoint's variables and returns its step. A run without a checkpoint is an error.
func (r *Run) Load(store *model.Store) (step int, err error) {
	steps, err := r.Checkpoints()
	if err != nil {
		return 0, err
	}
	if len(steps) == 0 {
		return 0, fmt.Errorf("%s: the run has no checkpoint yet: its training ended before step %d", r.Dir, r.Config.Train.CheckpointEvery)
	}
	step = steps[len(steps)-1]
	return step, r.loadStep(store, step)
}

func (r *Run) loadStep(store *model.Store, step int) error {
	path := r.checkpointPath(step)
	file, err := checkpoint.Open(path)
	if err != nil {
		return err
	}
	for _, entry := range file.Tensors {
		value := tensors.FromShape(shapes.Make(entry.DType, entry.Shape...))
		if err := value.MutableBytes(func(b []byte) { copy(b, entry.Bytes()) }); err != nil {
			return fmt.Errorf("%s: %s: %w", path, entry.Name, err)
		}
		variable := store.GetVariable(entry.Name)
		if variable == nil {
			_, err = store.CreateVariable(entry.Name, value)
		} else {
			err = variable.SetValue(value)
		}
		if err != nil {
			return fmt.Errorf("%s: %s: %w", path, entry.Name, err)
		}
	}
	return nil
}

func (r *Run) checkpointPath(step int) string {
	return r.Path(checkpointsDir, fmt.Sprintf("step-%08d.safetensors", step))
}
