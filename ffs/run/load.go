package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/gofrs/flock"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/checkpoint"
	"ffslab/ffs/config"
	"ffslab/ffs/zoo"
)

// Checkpoint identifies the weights of a checkpoint of a run.
type Checkpoint struct {
	// Step is the number of finished steps.
	Step int
	// Digest identifies the model's weights (see checkpoint.Digest). Results of weights are valid
	// only for weights with the same digest.
	Digest string
	// Notes tell the user which newer checkpoints were skipped, and why.
	Notes []string
}

// ConfigError says that a checkpoint was written under another configuration than that in
// config.yaml.
type ConfigError struct {
	File, Key   string
	Here, There string // values of the key in config.yaml and in the checkpoint
	Step        int    // of the checkpoint
}

func (e *ConfigError) Error() string {
	remedy := "put it back"
	if strings.HasPrefix(e.Key, "train.") || strings.HasPrefix(e.Key, "data.") {
		remedy += ", or resume the run with the new setting"
	}
	return fmt.Sprintf("%s: written with %s %s, which is %s in %s: %s", e.File, e.Key, e.There, e.Here, configFile, remedy)
}

// Load sets the variables of the store from the newest undamaged checkpoint. It is an error if
// there is none.
func (r *Run) Load(store *model.Store) (Checkpoint, error) {
	found, err := r.read()
	if err != nil {
		return Checkpoint{}, err
	}
	return found.Checkpoint, found.into(store)
}

// Newest returns the checkpoint that Load loads.
func (r *Run) Newest() (Checkpoint, error) {
	found, err := r.read()
	return found.Checkpoint, err
}

// Start is Load for a training, which has locked the run. If the run has no checkpoint and needs
// none to start, it returns a Checkpoint without Digest and leaves the store unchanged; a note says
// if the run must have had one. Newer checkpoints that were skipped are renamed, so that pruning
// does not take them for the newest. Old checkpoints that a killed process did not remove are
// removed. A checkpoint beyond train.max_iter is an error.
func (r *Run) Start(store *model.Store) (Checkpoint, error) {
	steps, err := r.Checkpoints()
	if err != nil {
		return Checkpoint{}, err
	}
	if len(steps) == 0 && r.Config.Origin.Weights == "" {
		return r.fromTheBeginning()
	}
	found, err := r.read()
	if err != nil {
		return Checkpoint{}, err
	}
	if err := r.mayEndAt(r.Config.Train.MaxIter, found.Step); err != nil {
		return Checkpoint{}, err
	}
	for i, step := range found.skipped { // the first notes are about these
		aside := r.checkpointPath(step) + asideSuffix
		if err := os.Rename(r.checkpointPath(step), aside); err != nil {
			return Checkpoint{}, err
		}
		found.Notes[i] += "; the damaged file is renamed to " + filepath.Base(aside)
	}
	if err := r.prune(); err != nil {
		return Checkpoint{}, err
	}
	return found.Checkpoint, found.into(store)
}

// fromTheBeginning prepares a run without checkpoints for step 0. The folder for them may be gone:
// archives and repositories leave out empty folders.
func (r *Run) fromTheBeginning() (Checkpoint, error) {
	logged, err := r.logged()
	if err != nil {
		return Checkpoint{}, err
	}
	var c Checkpoint
	if r.lost(logged) {
		c.Notes = []string{fmt.Sprintf("%s: %s", r.Dir, startsAgain(logged))}
	}
	return c, os.MkdirAll(r.Path(checkpointsDir), 0o755)
}

// lost reports whether a run without checkpoints must have had one, given its last logged step. The
// step of a checkpoint is logged before the checkpoint is written.
func (r *Run) lost(logged int) bool { return logged > r.Config.Train.CheckpointEvery }

func startsAgain(logged int) string {
	return fmt.Sprintf("there is no checkpoint, although %s reaches step %d: the training starts at step 0 again", metricsFile, logged)
}

// asideSuffix is added to the name of a damaged checkpoint.
const asideSuffix = ".damaged"

type found struct {
	Checkpoint
	path    string
	tensors []checkpoint.Tensor // named by their paths in the store
	skipped []int               // steps of newer checkpoints that cannot be used
}

func (f found) into(store *model.Store) error {
	for _, entry := range f.tensors {
		if err := setVariable(store, entry); err != nil {
			return fmt.Errorf("%s: %s: %w", f.path, entry.Name, err)
		}
	}
	return nil
}

// read returns the newest undamaged checkpoint.
func (r *Run) read() (found, error) {
	var skipped []int
	var faults []string
	for range 3 { // a running training may remove listed checkpoints
		steps, err := r.Checkpoints()
		if err != nil {
			return found{}, err
		}
		if len(steps) == 0 {
			return found{}, r.errNone()
		}
		for _, step := range slices.Backward(steps) {
			c, all, err := r.readStep(step)
			var other *ConfigError
			switch {
			case err == nil:
				for i, fault := range faults {
					faults[i] = fmt.Sprintf("%s: skipped; the checkpoint of step %d is used", fault, step)
				}
				c.Notes = append(faults, c.Notes...)
				return found{c, r.checkpointPath(step), all, skipped}, nil
			case errors.As(err, &other), errors.Is(err, fs.ErrPermission):
				return found{}, err
			case !errors.Is(err, fs.ErrNotExist):
				faults, skipped = append(faults, err.Error()), append(skipped, step)
			}
		}
		if len(faults) > 0 {
			break
		}
	}
	return found{}, fmt.Errorf("%s: all checkpoints are damaged: restore one from a backup, or train or import again into another folder: %s",
		r.Dir, strings.Join(faults, "; "))
}

// Export writes the model's weights of the newest undamaged checkpoint to a safetensors file (see
// checkpoint.Export), with step, configuration and digest in its metadata.
func (r *Run) Export(path string) (Checkpoint, error) {
	store := model.NewStore()
	c, err := r.Load(store)
	if err != nil {
		return Checkpoint{}, err
	}
	metadata, err := r.metadata(c.Step)
	if err != nil {
		return Checkpoint{}, err
	}
	metadata[digestKey] = c.Digest
	return c, checkpoint.Export(store, path, metadata)
}

// Pack writes the run with its newest undamaged checkpoint to one file (see zoo.Pack), and reports
// whether the file includes the evaluation of the run.
func (r *Run) Pack(path string) (c Checkpoint, evaluated bool, err error) {
	found, err := r.read()
	if err != nil {
		return Checkpoint{}, false, err
	}
	evaluated, err = zoo.Pack(path, r.Dir, found.path)
	return found.Checkpoint, evaluated, err
}

// CompareExport compares a file of Export with the configuration that will use its weights.
// Differences in the keys of input that affect the weights are an error, differences in model are
// notes. Files of other programs are not compared.
func CompareExport(file *checkpoint.File, c config.Config) (notes []string, err error) {
	text, ok := file.Values[configKey].(string)
	if !ok {
		return nil, nil
	}
	saved, err := config.Parse(file.Path, []byte(text))
	if err != nil {
		return nil, fmt.Errorf("%w: its configuration cannot be read; was it written by a newer version?", err)
	}
	if in := saved.Input; !slices.Equal(in.PixelMean, c.Input.PixelMean) || !slices.Equal(in.PixelStd, c.Input.PixelStd) {
		return nil, fmt.Errorf("%s: its weights were trained with input.pixel_mean %v and input.pixel_std %v, the configuration has %v and %v: set them to those of the file",
			file.Path, in.PixelMean, in.PixelStd, c.Input.PixelMean, c.Input.PixelStd)
	}
	now := saved
	now.Model = c.Model
	if key, there, here := saved.Difference(now); key != "" {
		notes = append(notes, fmt.Sprintf("%s: its weights were trained with %s %s, the configuration has %s", file.Path, key, there, here))
	}
	return notes, nil
}

func (r *Run) errNone() error {
	if r.Config.Origin.Weights != "" {
		return fmt.Errorf("%s: the run starts from imported weights, and its checkpoints are missing: import them again into another folder (%s)",
			r.Dir, r.Config.Origin.Command)
	}
	logged, err := r.logged()
	switch every := r.Config.Train.CheckpointEvery; {
	case err != nil:
		return err
	case r.lost(logged):
		return fmt.Errorf("%s: the run's checkpoints are missing, although %s reaches step %d: restore them from a backup, or resume the run, from step 0", r.Dir, metricsFile, logged)
	case r.inTraining():
		return fmt.Errorf("%s: the run has no checkpoint yet: its training is at step %d and writes the first one at step %d: wait for it", r.Dir, logged, every)
	default:
		return fmt.Errorf("%s: the run has no checkpoint yet: its training ended before step %d: resume it", r.Dir, every)
	}
}

// inTraining reports whether another process, or another Run of this one, has locked the run.
func (r *Run) inTraining() bool {
	path := filepath.Join(r.Dir, lockFile)
	if _, err := os.Stat(path); err != nil || r.lock != nil {
		return false
	}
	lock := flock.New(path)
	free, err := lock.TryRLock()
	if err == nil && free {
		err = lock.Unlock()
	}
	return err == nil && !free
}

// readStep reads a checkpoint and compares it with its checksum, its name and the configuration.
func (r *Run) readStep(step int) (Checkpoint, []checkpoint.Tensor, error) {
	path := r.checkpointPath(step)
	file, err := checkpoint.Open(path)
	if err != nil {
		return Checkpoint{}, nil, err
	}
	c := Checkpoint{Step: step, Digest: checkpoint.Digest(checkpoint.Weights(file.Tensors))}
	switch told, _ := file.Values[stepKey].(string); {
	case told == "":
		return c, nil, fmt.Errorf("%s: not a checkpoint of a run: it lacks its step", path)
	case told != strconv.Itoa(step):
		return c, nil, fmt.Errorf("%s: it is the checkpoint of step %s: rename it back", path, told)
	case file.Checksum == "" && len(file.Values) > 1:
		return c, nil, fmt.Errorf("%s: damaged: it lacks its checksum", path)
	case file.Checksum == "":
		c.Notes = append(c.Notes, fmt.Sprintf("%s: written by an older version, without a checksum: it cannot be checked", path))
	}
	if text, ok := file.Values[configKey].(string); ok {
		if err := r.compare(path, step, text); err != nil {
			return c, nil, err
		}
	}
	if err := finite(file.Tensors); err != nil {
		return c, nil, fmt.Errorf("%s: damaged: %w", path, err)
	}
	return c, file.Tensors, nil
}

// compare returns a *ConfigError if the weights were made with another configuration. If
// config.yaml is as this program wrote it, --set may have changed its keys of train and data.
func (r *Run) compare(path string, step int, text string) error {
	saved, err := config.Parse(path, []byte(text))
	if err != nil {
		return fmt.Errorf("%w: its configuration cannot be read; was it written by a newer version?", err)
	}
	if r.sealed {
		saved.Train, saved.Data = r.Config.Train, r.Config.Data
	}
	if key, here, there := r.Config.Difference(saved); key != "" {
		return &ConfigError{File: path, Key: key, Here: here, There: there, Step: step}
	}
	return nil
}

func setVariable(store *model.Store, entry checkpoint.Tensor) error {
	value := tensors.FromShape(shapes.Make(entry.DType, entry.Shape...))
	if err := value.MutableBytes(func(b []byte) { copy(b, entry.Bytes()) }); err != nil {
		return err
	}
	return checkpoint.Assign(store, entry.Name, value)
}
