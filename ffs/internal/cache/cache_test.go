package cache

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
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
