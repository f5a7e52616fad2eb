package cache

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

func TestInstallBuildsOnceAndWhole(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "thing")
	failure := errors.New("half-way")
	err := Install(t.Context(), dir, func(temporary string) error {
		return errors.Join(os.WriteFile(filepath.Join(temporary, "half"), nil, 0o644), failure)
	})
	if !errors.Is(err, failure) || exists(dir) {
		t.Fatalf("a failed build: error %v, folder there: %v", err, exists(dir))
	}
	var builds atomic.Int32
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			err := Install(t.Context(), dir, func(temporary string) error {
				builds.Add(1)
				if exists(dir) {
					t.Error("the folder is there before it is whole")
				}
				return os.WriteFile(filepath.Join(temporary, "whole"), nil, 0o644)
			})
			if err != nil || !exists(filepath.Join(dir, "whole")) {
				t.Errorf("after Install: error %v, whole: %v", err, exists(filepath.Join(dir, "whole")))
			}
		})
	}
	all.Wait()
	if builds.Load() != 1 {
		t.Errorf("built %d times", builds.Load())
	}
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(entries) != 2 { // the folder and its lock
		t.Errorf("beside the folder: %v, %v", entries, err)
	}
}

func TestWriteFileReplaces(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "file")
	for _, text := range []string{"long text", "short"} {
		if err := WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || string(got) != text {
			t.Errorf("read %q, %v; want %q", got, err, text)
		}
	}
}

func TestDirFollowsEnvironment(t *testing.T) {
	home := t.TempDir()
	t.Setenv(DirEnv, home)
	if got, err := Dir("a", "b"); err != nil || got != filepath.Join(home, "a", "b") {
		t.Errorf("Dir = %q, %v", got, err)
	}
}

func TestWhatAKilledInstallHasLeftGoes(t *testing.T) {
	parent := t.TempDir()
	dir, other := filepath.Join(parent, "thing"), filepath.Join(parent, ".another-123")
	for _, left := range []string{filepath.Join(parent, ".thing-123"), filepath.Join(parent, ".download-456"), other} {
		if err := errors.Join(os.Mkdir(left, 0o755), os.WriteFile(filepath.Join(left, "half"), nil, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	if err := Install(t.Context(), dir, func(string) error { return nil }); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(parent)
	if err != nil || len(entries) != 3 || !exists(other) { // the folder, its lock and what may be another one's
		t.Errorf("beside the folder: %v, %v", entries, err)
	}
}

func TestDiscardRemovesWhatIsStillDamaged(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "thing")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, damaged := range []bool{false, true} {
		if err := Discard(t.Context(), dir, func() bool { return damaged }); err != nil || exists(dir) == damaged {
			t.Errorf("damaged %v: error %v, still there: %v", damaged, err, exists(dir))
		}
	}
	entries, err := os.ReadDir(parent)
	if err != nil || len(entries) != 1 { // the lock
		t.Errorf("left: %v, %v", entries, err)
	}
}

func TestUnwritableFolderNamesTheRemedy(t *testing.T) {
	for _, cause := range []error{syscall.ENOSPC, syscall.EROFS, os.ErrPermission} {
		err := Install(t.Context(), filepath.Join(t.TempDir(), "thing"), func(string) error { return &os.PathError{Op: "write", Path: "x", Err: cause} })
		if !errors.Is(err, cause) || !strings.Contains(err.Error(), DirEnv) {
			t.Errorf("%v: %v", cause, err)
		}
	}
}
