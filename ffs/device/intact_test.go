package device

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ffslab/ffs/internal/cache"
	"ffslab/ffs/internal/python"
)

func TestContentIsCheckedAndRemembered(t *testing.T) {
	t.Setenv(cache.DirEnv, t.TempDir())
	path := filepath.Join(t.TempDir(), "cpu.so")
	right := bytes.Repeat([]byte("library"), 1000)
	sum := sha256.Sum256(right)
	want := content{size: int64(len(right)), sha256: hex.EncodeToString(sum[:])}
	write := func(data []byte, at time.Time) {
		t.Helper()
		if err := errors.Join(os.WriteFile(path, data, 0o644), os.Chtimes(path, at, at)); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	flipped := bytes.Clone(right)
	flipped[5000] ^= 1

	write(flipped, now)
	if err := want.check(path); !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), path) {
		t.Errorf("a flipped bit: %v", err)
	}
	write(right, now.Add(time.Second))
	if err := want.check(path); err != nil {
		t.Fatal(err)
	}
	// That it is remembered shows where the content changes and size and time do not.
	write(flipped, now.Add(time.Second))
	if err := want.check(path); err != nil {
		t.Errorf("the same size and time were computed again: %v", err)
	}
	write(flipped, now.Add(2*time.Second))
	if err := want.check(path); !errors.Is(err, ErrDamaged) {
		t.Errorf("a flipped bit after the file was right: %v", err)
	}
	write(right[:len(right)-1], now.Add(time.Second))
	if err := want.check(path); !errors.Is(err, ErrDamaged) {
		t.Errorf("cut off: %v", err)
	}
}

// The pinned plugin is damaged in a cache of its own, which no installation can mend here: Open
// must say so instead of loading it.
func TestDamagedPluginIsNotLoaded(t *testing.T) {
	root := t.TempDir()
	t.Setenv(cache.DirEnv, root)
	t.Setenv(python.PathEnv, filepath.Join(root, "no-python"))
	plugin := filepath.Join(root, "pjrt", wheel.Folder(), filepath.Base(wheel.Member))
	if err := os.MkdirAll(filepath.Dir(plugin), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"empty": nil, "cut off": []byte("\x7fELF and so on")} {
		if err := os.WriteFile(plugin, data, 0o644); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(Options{Backend: "xla:" + plugin, Log: io.Discard}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s, by its path: %v", name, err)
		}
		if _, err := installWheel(Options{Log: io.Discard, NoInstall: true, Context: t.Context()}); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s, not to be installed: %v", name, err)
		}
	}
	var log bytes.Buffer
	_, err := installWheel(Options{Log: &log, Context: t.Context()})
	if err == nil || !strings.Contains(err.Error(), python.PathEnv) || !strings.Contains(log.String(), "installing it again") {
		t.Errorf("to be installed anew: %v, log %q", err, &log)
	}
	if _, err := os.Stat(plugin); err == nil {
		t.Error("the damaged plugin is still there")
	}
}

// Every library that is cut off is told from a whole one before it is loaded.
func TestCutOffLibraryIsNotLoaded(t *testing.T) {
	whole, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Skipf("needs an ELF file: %v", err)
	}
	path := filepath.Join(t.TempDir(), "cpu_plugin.so")
	for _, share := range []int{100, 90, 50, 10, 1} {
		if err := os.WriteFile(path, whole[:len(whole)*share/100], 0o755); err != nil {
			t.Fatal(err)
		}
		if err := intact(path); errors.Is(err, ErrDamaged) != (share < 100) || (err != nil) != (share < 100) {
			t.Errorf("%d %% of a library: %v", share, err)
		}
	}
}
