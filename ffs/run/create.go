package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/gofrs/flock"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/checkpoint"
	"ffslab/ffs/config"
	"ffslab/ffs/zoo"
)

// Create creates the folder of a new run, locked for this process until Close. The folder appears
// complete or not at all. A folder that is not empty is an error: two runs never write into one.
func Create(dir string, c config.Config) (*Run, error) { return create(dir, c, nil) }

// Import creates a run that starts from the weights in the store at the given step. The run is
// marked as imported: it cannot start without its weights or from others.
func Import(dir string, c config.Config, store *model.Store, step int) (*Run, error) {
	digest, err := checkpoint.DigestStore(store)
	if err != nil {
		return nil, err
	}
	c.Origin.Weights = digest
	return create(dir, c, func(r *Run) error { return r.Save(store, step) })
}

// Unpack creates the folder of a run from a file that [Run.Pack] wrote. The folder appears complete
// or not at all.
func Unpack(file, dir string) error {
	if err := refuseZoo(dir); err != nil {
		return err
	}
	if entries, err := os.ReadDir(dir); err == nil && len(entries) > 0 {
		return fmt.Errorf("%s: the folder is not empty: choose another folder", dir)
	}
	packed, err := os.Open(file)
	if err != nil {
		return err
	}
	defer packed.Close()
	info, err := packed.Stat()
	if err != nil {
		return err
	}
	parent := filepath.Dir(filepath.Clean(dir))
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return err
	}
	temporary, err := os.MkdirTemp(parent, ".unpack-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(temporary)
	if err := zoo.Unpack(packed, info.Size(), temporary); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if _, err := Open(temporary); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if err := os.Chmod(temporary, 0o755); err != nil {
		return err
	}
	if err := os.Remove(dir); err != nil && !errors.Is(err, fs.ErrNotExist) { // an empty folder
		return err
	}
	return os.Rename(temporary, dir)
}

// create creates a run in a folder under another name, fills it, and renames it. If an empty folder
// exists, which may be a mount point, the run is created inside it and moved up, config.yaml last,
// since a folder without one is not a run.
func create(dir string, c config.Config, fill func(*Run) error) (_ *Run, err error) {
	if err := refuseZoo(dir); err != nil {
		return nil, err
	}
	path, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	unfinished, there := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+newSuffix), false
	switch entries, err := os.ReadDir(path); {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case !leftBehind(path, entries):
		return nil, fmt.Errorf("%s: the folder is not empty: resume the run in it, or choose another folder", dir)
	default:
		unfinished, there = filepath.Join(path, newSuffix), true
	}
	c.Origin.Parts = c.Foreign()
	r := &Run{Dir: unfinished, Config: c}
	if err := os.MkdirAll(unfinished, 0o755); err != nil {
		return nil, err
	}
	if err := r.acquire(); err != nil {
		_ = os.Remove(unfinished) // fails unless it is empty
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(unfinished), r.Close())
		}
	}()
	if err := clearLeft(unfinished, path, there); err != nil {
		return nil, err
	}
	if err := os.Mkdir(r.Path(checkpointsDir), 0o755); err != nil {
		return nil, err
	}
	if fill != nil {
		if err := fill(r); err != nil {
			return nil, err
		}
	}
	if err := r.saveConfig(); err != nil {
		return nil, err
	}
	if !there {
		err = os.Rename(unfinished, path)
	} else {
		err = moveUp(unfinished, path)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", dir, err)
	}
	r.Dir = dir
	return r, r.sweep()
}

// newSuffix ends the name of the folder in which a run is created.
const newSuffix = ".new"

// leftBehind reports whether the entries are none, or leftovers of a process that was killed while
// it created a run there.
func leftBehind(dir string, entries []os.DirEntry) bool {
	made := map[string]bool{}
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, "."+configFile) { // a temporary file
			continue
		}
		if name != newSuffix && name != lockFile && name != checkpointsDir {
			return false
		}
		made[name] = true
	}
	if made[newSuffix] || !made[checkpointsDir] {
		return true
	}
	checkpoints, err := os.ReadDir(filepath.Join(dir, checkpointsDir))
	return err == nil && len(checkpoints) == 0 // otherwise the run has lost its config.yaml
}

// clearLeft removes what leftBehind found, except the lock, which this process holds.
func clearLeft(unfinished, dir string, there bool) error {
	entries, err := os.ReadDir(unfinished)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() != lockFile {
			err = errors.Join(err, os.RemoveAll(filepath.Join(unfinished, e.Name())))
		}
	}
	if there {
		lock := flock.New(filepath.Join(dir, lockFile))
		free, fault := lock.TryLock()
		if fault != nil || !free {
			return errors.Join(err, fault, fmt.Errorf("%s: another process is creating a run in this folder", dir))
		}
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, checkpointsDir)), os.Remove(lock.Path()), lock.Unlock())
	}
	return err
}

// moveUp moves a run to the folder around it.
func moveUp(from, to string) error {
	for _, name := range []string{lockFile, checkpointsDir, configFile} {
		if err := os.Rename(filepath.Join(from, name), filepath.Join(to, name)); err != nil {
			return err
		}
	}
	return os.RemoveAll(from)
}

// sweep removes temporary files of a killed process from the folder, which is locked.
func (r *Run) sweep() error {
	left := []string{r.Path(newSuffix)}
	for dir, prefixes := range map[string][]string{".": {"." + configFile, "." + metricsFile}, checkpointsDir: {".step-"}} {
		entries, err := os.ReadDir(r.Path(dir))
		if err != nil && !errors.Is(err, fs.ErrNotExist) { // the folder for checkpoints may be gone
			return err
		}
		for _, e := range entries {
			if slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(e.Name(), p) }) {
				left = append(left, r.Path(dir, e.Name()))
			}
		}
	}
	for _, path := range left {
		if err := os.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}
