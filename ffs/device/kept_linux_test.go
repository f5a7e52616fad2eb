//go:build cgo && linux

package device

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"ffslab/ffs/internal/cache"
)

func newTestKeeper(t *testing.T) *keeper {
	t.Helper()
	t.Setenv(cache.DirEnv, t.TempDir())
	t.Setenv("XLA_FLAGS", "")
	plugin := filepath.Join(t.TempDir(), "cpu.so")
	if err := os.WriteFile(plugin, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	k, err := newKeeper(plugin)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestKeptIsReadInFullOrNotAtAll(t *testing.T) {
	k := newTestKeeper(t)
	data := []byte("a compiled program")
	path := k.path([]byte("program"))
	if got := k.read(path); got != nil {
		t.Errorf("before anything was written: %q", got)
	}
	k.write(path, data)
	if got := k.read(path); !bytes.Equal(got, data) {
		t.Errorf("read %q, wrote %q", got, data)
	}
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, damaged := range map[string][]byte{
		"empty": nil, "cut off": file[:len(file)-1], "changed": append(bytes.Clone(file[:len(file)-1]), '!'), "longer": append(bytes.Clone(file), 0),
	} {
		if err := os.WriteFile(path, damaged, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := k.read(path); got != nil {
			t.Errorf("%s: read %q", name, got)
		}
	}
}

func TestKeptByAllThatMatters(t *testing.T) {
	newTestKeeper(t)
	plugin := filepath.Join(t.TempDir(), "cpu.so")
	paths := map[string]string{}
	add := func(name, flags, content string, written time.Time, parts ...[]byte) {
		t.Helper()
		t.Setenv(xlaFlagsEnv, flags)
		if err := errors.Join(os.WriteFile(plugin, []byte(content), 0o644), os.Chtimes(plugin, written, written)); err != nil {
			t.Fatal(err)
		}
		k, err := newKeeper(plugin)
		if err != nil {
			t.Fatal(err)
		}
		path := k.path(parts...)
		for other, taken := range paths {
			if path == taken {
				t.Errorf("%s and %s have the same file", name, other)
			}
		}
		paths[name] = path
	}
	now, ab, c := time.Now(), []byte("ab"), []byte("c")
	add("one", "", "plugin", now, ab, c)
	add("other parts", "", "plugin", now, []byte("a"), []byte("bc"))
	add("a longer plugin", "", "plugin!", now, ab, c)
	add("a later plugin", "", "plugin", now.Add(time.Second), ab, c)
	add("our flag", noXNNPACK, "plugin", now, ab, c)
	add("both our flags", noTritonProducts+" "+noXNNPACK, "plugin", now, ab, c) // after a GPU that could not be opened
	one := paths["one"]
	delete(paths, "one")
	if add("one again", "", "plugin", now, ab, c); paths["one again"] != one {
		t.Error("the same program has two files")
	}
}

func TestKeptByProcessor(t *testing.T) {
	k := newTestKeeper(t)
	cpu, err := processor()
	if err != nil {
		t.Fatal(err)
	}
	if cores := fmt.Sprintf("|%d|", runtime.NumCPU()); cpu == "" || !strings.Contains(k.machine, cores+cpu) {
		t.Errorf("%q does not name %s processors %q", k.machine, cores, cpu)
	}
}

func TestWhatAKilledProcessWasWritingGoes(t *testing.T) {
	k := newTestKeeper(t)
	k.write(k.path([]byte("program")), make([]byte, 100)) // makes the folder
	left, fresh := filepath.Join(k.dir, ".left"), filepath.Join(k.dir, ".fresh")
	hours := time.Now().Add(-2 * time.Hour)
	if err := errors.Join(os.WriteFile(left, nil, 0o600), os.WriteFile(fresh, nil, 0o600), os.Chtimes(left, hours, hours)); err != nil {
		t.Fatal(err)
	}
	k.write(k.path([]byte("another")), make([]byte, 100))
	if _, err := os.Stat(left); err == nil {
		t.Error("the file of hours ago is still there")
	}
	if _, err := os.Stat(fresh); err != nil {
		t.Errorf("what may still be written is gone: %v", err)
	}
}

func TestLeastUsedGoesFirst(t *testing.T) {
	k := newTestKeeper(t)
	k.limit = 400
	var paths []string
	long := time.Now().Add(-time.Hour)
	for i, name := range []string{"first", "second", "third"} {
		path := k.path([]byte(name))
		k.write(path, make([]byte, 100))
		if err := os.Chtimes(path, long, long.Add(time.Duration(i)*time.Minute)); err != nil {
			t.Fatal(err)
		}
		paths = append(paths, path)
	}
	if k.read(paths[0]) == nil { // which makes it the last used one
		t.Fatal("there is room for three")
	}
	k.write(k.path([]byte("fourth")), make([]byte, 100))
	for i, want := range []bool{true, false, true} {
		if _, err := os.Stat(paths[i]); (err == nil) != want {
			t.Errorf("program %d is kept: %v, want %v", i+1, err == nil, want)
		}
	}
	k.limit = 1
	k.write(paths[1], make([]byte, 100))
	if k.read(paths[1]) == nil {
		t.Error("what was just written is gone")
	}
}
