// Package run is the folder that a training run lives in and that says everything about it: its configuration, its metrics, its
// checkpoints, and what was evaluated from it.
//
//	config.yaml    complete, with the seed, the commit and the command; its last line is a checksum of the others
//	metrics.jsonl  one object for each logged step, with a checksum
//	checkpoints/   step-00000200.safetensors: every variable, the optimiser's too, with step, configuration and a checksum
//	eval/          what "ffs eval" wrote
//
// What does not agree with its checksum is passed over, which is said, or is an error; it is never used.
package run

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/gofrs/flock"

	"ffslab/ffs/config"
	"ffslab/ffs/zoo"
)

const (
	configFile     = "config.yaml"
	metricsFile    = "metrics.jsonl"
	checkpointsDir = "checkpoints"
	lockFile       = ".lock"
)

// Run is an open run folder.
type Run struct {
	// Dir is the folder's path.
	Dir string
	// Config is what config.yaml says.
	Config config.Config

	lock *flock.Flock
	// sealed says that config.yaml carries its checksum: it is as this program wrote it.
	sealed bool
}

// Open opens the folder of a run for reading, or a run of the zoo ("zoo:digits-flow"), whose folder is
// in the cache.
func Open(dir string) (*Run, error) {
	dir, err := zoo.Folder(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, configFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: not a run folder (it has no %s): name the folder of a training", dir, configFile)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	sealed, err := unseal(text)
	if err != nil {
		return nil, brokenSeal(dir, err)
	}
	c, err := config.Load(path)
	if err != nil {
		return nil, err
	}
	return &Run{Dir: dir, Config: c, sealed: sealed}, nil
}

// Resume opens the folder of a run to continue it, locked for this process until Close.
func Resume(dir string) (*Run, error) {
	if err := refuseZoo(dir); err != nil {
		return nil, err
	}
	r, err := Open(dir)
	if err != nil {
		return nil, err
	}
	if err := r.acquire(); err != nil {
		return nil, err
	}
	if err := r.sweep(); err != nil {
		return nil, errors.Join(err, r.Close())
	}
	return r, nil
}

// Continue opens the folder of a run to go on with it, or makes it if there is none, locked for this process until Close. A run that is there must be
// of the same configuration (see Check).
func Continue(dir string, c config.Config) (*Run, error) {
	there, err := Check(dir, c)
	if err != nil {
		return nil, err
	}
	if !there {
		return Create(dir, c)
	}
	return Resume(dir)
}

// refuseZoo is the error of a training in the zoo.
func refuseZoo(dir string) error {
	if zoo.Is(dir) {
		return fmt.Errorf("%s: detectors of the zoo are not trained on: name a folder of your own", dir)
	}
	return nil
}

// Check reports whether there is a run in the folder. A run of another training is an error that names the first key in which it differs (see
// config.Config.Difference).
func Check(dir string, c config.Config) (there bool, err error) {
	if _, err := os.Stat(filepath.Join(dir, configFile)); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	r, err := Open(dir)
	if err != nil {
		return false, err
	}
	if key, before, now := r.Config.Difference(c); key != "" {
		return true, fmt.Errorf("%s: the run there has another configuration: %s is %s in its %s and %s now: remove the folder, or choose another one",
			dir, key, before, configFile, now)
	}
	return true, nil
}

func (r *Run) acquire() error {
	r.lock = flock.New(filepath.Join(r.Dir, lockFile))
	free, err := r.lock.TryLock()
	if err != nil {
		return fmt.Errorf("%s: cannot be locked: %w", r.Dir, err)
	}
	if !free {
		return fmt.Errorf("%s: another process is training in this folder", r.Dir)
	}
	return nil
}

// Close gives the folder free.
func (r *Run) Close() error {
	if r.lock == nil {
		return nil
	}
	return r.lock.Unlock()
}

// Path joins elements to the folder's path.
func (r *Run) Path(elements ...string) string {
	return filepath.Join(append([]string{r.Dir}, elements...)...)
}

// CommitEnv names the environment variable that says the commit of a program whose source may have changed since it was built, or is not there: a copy
// that waits in a cluster's queue.
const CommitEnv = "FFSLAB_COMMIT"

// Commit is the abbreviated commit of the code, with "+" if files differ from it; as CommitEnv says, else as its source's
// repository says, or where that is not there what the program was stamped with when it was built; empty where neither can be told.
func Commit() string {
	if commit := os.Getenv(CommitEnv); commit != "" {
		return commit
	}
	_, source, _, _ := runtime.Caller(0)
	git := func(args ...string) (string, error) {
		out, err := exec.Command("git", append([]string{"-C", filepath.Dir(source)}, args...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	commit, err := git("rev-parse", "--short=12", "HEAD")
	if err != nil {
		info, _ := debug.ReadBuildInfo()
		return stamped(info)
	}
	if changes, err := git("status", "--porcelain", "--untracked-files=no"); err == nil && changes != "" {
		commit += "+"
	}
	return commit
}

// stamped is the commit that Go's linker noted.
func stamped(info *debug.BuildInfo) string {
	if info == nil {
		return ""
	}
	commit, changed := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			commit = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+"
		}
	}
	if commit == "" {
		return ""
	}
	return commit + changed
}
