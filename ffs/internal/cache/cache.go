// Package cache is the folder in which ffslab keeps what it installs: the PJRT plugin, the Python
// environment of the notebooks and the tools built for them. Its content can be deleted at any
// time; the next run installs it again.
package cache

import (
	"context"
	"errors"
	"ffslab/data/cachedir"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/gofrs/flock"
	"github.com/google/renameio/v2"
)

// DirEnv is the environment variable that sets the folder.
const DirEnv = cachedir.Env

// Dir returns the path of an entry of the cache; see [cachedir.Path].
func Dir(elements ...string) (string, error) { return cachedir.Path(elements...) }

// Install creates dir unless it exists: build fills a temporary folder beside it, which is then
// renamed to dir. So dir is complete or absent, and of several processes that want it at once, one
// builds and the others wait. A failed build leaves nothing behind; the leftovers of a killed one
// are removed by the next. If the disk is full or read-only, the error says what to set.
func Install(ctx context.Context, dir string, build func(temporary string) error) error {
	if exists(dir) {
		return nil
	}
	unlock, err := Lock(ctx, dir)
	if err != nil {
		return err
	}
	defer unlock()
	if exists(dir) {
		return nil
	}
	if err := removeLeft(dir); err != nil {
		return unwritable(dir, err)
	}
	temporary, err := os.MkdirTemp(filepath.Dir(dir), temporaryName(dir))
	if err != nil {
		return unwritable(dir, err)
	}
	defer os.RemoveAll(temporary)
	if err := build(temporary); err != nil {
		return unwritable(dir, err)
	}
	if err := os.Chmod(temporary, 0o755); err != nil {
		return unwritable(dir, err)
	}
	return unwritable(dir, os.Rename(temporary, dir))
}

// temporaryName is the pattern of the folders in which dir is built.
func temporaryName(dir string) string { return "." + filepath.Base(dir) + "-*" }

// removeLeft removes what killed builds of dir have left, and downloads of older versions, which
// had their own folder. The caller holds the lock.
func removeLeft(dir string) error {
	for _, pattern := range []string{temporaryName(dir), ".download-*"} {
		left, err := filepath.Glob(filepath.Join(filepath.Dir(dir), pattern))
		if err != nil {
			return err
		}
		for _, path := range left {
			if err := os.RemoveAll(path); err != nil {
				return err
			}
		}
	}
	return nil
}

// unwritable adds the remedy to the error of a full or read-only disk.
func unwritable(dir string, err error) error {
	for _, cause := range []error{syscall.ENOSPC, syscall.EDQUOT, syscall.EROFS, fs.ErrPermission} {
		if errors.Is(err, cause) {
			return fmt.Errorf("installing %s: %w: free space there, or set %s to a writable folder", dir, err, DirEnv)
		}
	}
	return err
}

// Discard removes dir if it is still damaged once no other process installs it. Processes with open
// files in it keep them.
func Discard(ctx context.Context, dir string, damaged func() bool) error {
	unlock, err := Lock(ctx, dir)
	if err != nil {
		return err
	}
	defer unlock()
	if !damaged() {
		return nil // another process was faster
	}
	// Rename first, so that dir is complete or absent.
	temporary, err := os.MkdirTemp(filepath.Dir(dir), temporaryName(dir))
	if err != nil {
		return unwritable(dir, err)
	}
	defer os.RemoveAll(temporary)
	return unwritable(dir, os.Rename(dir, filepath.Join(temporary, "damaged")))
}

// Lock waits until no other process holds the lock of path, takes it, and returns the function that
// releases it. It creates the folder of path. The error is that of the context or of the file
// system.
func Lock(ctx context.Context, path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("cache folder: %w: set %s to a writable folder", err, DirEnv)
	}
	lock := flock.New(path + ".lock")
	if _, err := lock.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		return nil, unwritable(path, fmt.Errorf("locking %s: %w", lock.Path(), err))
	}
	// Keep the lock file: a waiting process may have it open, and a third would not see its lock.
	return func() { _ = lock.Unlock() }, nil
}

// WriteFile replaces the file at path in one step, creating its folder.
func WriteFile(path string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return renameio.WriteFile(path, data, 0o600)
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil // what creates the path reports other faults
}
