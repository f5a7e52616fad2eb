// Package run is the folder of a training run. It holds everything about the run: its
// configuration, its metrics, its checkpoints, and its evaluations.
//
//	config.yaml    complete, with seed, commit and command; its last line is a checksum
//	metrics.jsonl  one object for each logged step, with a checksum
//	checkpoints/   step-00000200.safetensors: every variable, also of the optimiser, with step,
//	               configuration and a checksum
//	eval/          results of "ffs eval"
//
// Content that does not match its checksum is never used: it is skipped with a note, or it is an
// error.
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
	// Dir is the path of the folder.
	Dir string
	// Config is the content of config.yaml.
	Config config.Config

	lock *flock.Flock
	// sealed says that config.yaml has its checksum, so that it is as this program wrote it.
	sealed bool
}

// Open opens a run folder for reading, or a run of the zoo ("zoo:digits-flow"), whose folder is in
// the cache.
func Open(dir string) (*Run, error) {
	dir, err := zoo.Folder(dir)
	if err != nil {
		return nil, err
	}
	path := filepath.Join(dir, configFile)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: not a run folder (it has no %s): give the folder of a training run", dir, configFile)
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

// Resume opens a run folder to continue the run, locked for this process until Close.
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

// Continue opens a run folder to continue the run, or creates it, locked for this process until
// Close. An existing run must have the same configuration (see Check).
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

// refuseZoo returns an error for a run of the zoo, which must not be trained.
func refuseZoo(dir string) error {
	if zoo.Is(dir) {
		return fmt.Errorf("%s: detectors of the zoo are not trained on: choose a folder of your own", dir)
	}
	return nil
}

// Check reports whether the folder holds a run. A run with another configuration is an error that
// names the first key that differs (see config.Config.Difference).
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

// Close unlocks the folder.
func (r *Run) Close() error {
	if r.lock == nil {
		return nil
	}
	return r.lock.Unlock()
}

// Path joins elements to the path of the folder.
func (r *Run) Path(elements ...string) string {
	return filepath.Join(append([]string{r.Dir}, elements...)...)
}

// CommitEnv is the environment variable with the commit of a program whose source may have changed
// since it was built, or is absent, such as a copy in the queue of a cluster.
const CommitEnv = "FFSLAB_COMMIT"

// Commit returns the abbreviated commit of the code, with "+" if files differ from it: that of
// CommitEnv, or that stamped into the program when it was built, or that of the repository of the
// source, or else "".
func Commit() string {
	if commit := os.Getenv(CommitEnv); commit != "" {
		return commit
	}
	// What was built may not be what the repository holds now.
	info, _ := debug.ReadBuildInfo()
	if commit := stamped(info); commit != "" {
		return commit
	}
	_, source, _, _ := runtime.Caller(0)
	git := func(args ...string) (string, error) {
		out, err := exec.Command("git", append([]string{"-C", filepath.Dir(source)}, args...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	commit, err := git("rev-parse", "--short=12", "HEAD")
	if err != nil {
		return ""
	}
	if changes, err := git("status", "--porcelain", "--untracked-files=no"); err == nil && changes != "" {
		commit += "+"
	}
	return commit
}

// stamped returns the commit that the go command recorded.
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
