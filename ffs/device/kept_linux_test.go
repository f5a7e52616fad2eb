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

// gpuFolder makes a folder as NVIDIA's driver has it.
func gpuFolder(t *testing.T, driver string, models ...string) string {
	t.Helper()
	dir := t.TempDir()
	if driver != "" {
		driver = "NVRM version: NVIDIA UNIX x86_64 Kernel Module  " + driver + "  Tue Mar 5 2024\nGCC version: 13\n"
	}
	err := os.WriteFile(filepath.Join(dir, "version"), []byte(driver), 0o644)
	for i, model := range models {
		gpu := filepath.Join(dir, "gpus", fmt.Sprint(i))
		err = errors.Join(err, os.MkdirAll(gpu, 0o755), os.WriteFile(filepath.Join(gpu, "information"), []byte("Model: \t\t "+model+"\nIRQ: 7\n"), 0o644))
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// A GPU's programs are kept by the models and the driver, whatever the order of the GPUs; without
// either they are not kept.
func TestKeptByGPU(t *testing.T) {
	t.Setenv("CUDA_VISIBLE_DEVICES", "")
	t.Setenv(tf32Env, "")
	seen := map[string]string{}
	for _, c := range []struct {
		name, driver, visible, tf32 string
		models                      []string
	}{
		{"one", "580.159.03", "", "", []string{"NVIDIA H200"}},
		{"another driver", "580.160", "", "", []string{"NVIDIA H200"}},
		{"another model", "580.159.03", "", "", []string{"NVIDIA A100"}},
		{"two", "580.159.03", "", "", []string{"NVIDIA H200", "NVIDIA A100"}},
		{"the second of them", "580.159.03", "1", "", []string{"NVIDIA H200", "NVIDIA A100"}},
		{"full precision", "580.159.03", "", "0", []string{"NVIDIA H200"}},
	} {
		t.Setenv("CUDA_VISIBLE_DEVICES", c.visible)
		t.Setenv(tf32Env, c.tf32)
		got, err := gpus(gpuFolder(t, c.driver, c.models...))
		if err != nil {
			t.Fatal(err)
		}
		if other, taken := seen[got]; taken {
			t.Errorf("%s and %s are described alike: %s", c.name, other, got)
		}
		seen[got] = c.name
	}
	t.Setenv("CUDA_VISIBLE_DEVICES", "")
	t.Setenv(tf32Env, "")
	if got, err := gpus(gpuFolder(t, "580.159.03", "NVIDIA A100", "NVIDIA H200")); err != nil || seen[got] != "two" {
		t.Errorf("the same GPUs in another order: %q, %v", got, err)
	}
	for name, dir := range map[string]string{"no driver": gpuFolder(t, "", "NVIDIA H200"), "no GPU": gpuFolder(t, "580.159.03"), "no folder": filepath.Join(t.TempDir(), "none")} {
		if got, err := gpus(dir); err == nil {
			t.Errorf("%s: described as %q", name, got)
		}
	}
}

func TestPluginsWhoseProgramsAreKept(t *testing.T) {
	newTestKeeper(t)
	for plugin, gpu := range map[string]bool{"/x/xla_cuda_plugin.so": true, "/x/pjrt_c_api_cuda13_plugin.so": true, "/cuda/xla_cpu_pjrt.so": false, "/cpu/libtpu.so": false} {
		if forGPU(plugin) != gpu {
			t.Errorf("%s is for a GPU: %v", plugin, !gpu)
		}
	}
	if k, err := newKeeper("/cpu/libtpu.so"); err == nil {
		t.Errorf("programs of a plugin for an unknown device are kept in %s", k.dir)
	}
}

// The flag that go-xla would have set, beside others and once.
func TestCUDAFolder(t *testing.T) {
	root := t.TempDir()
	plugin := filepath.Join(root, "xla_cuda13", "xla_cuda_plugin.so")
	t.Setenv(xlaFlagsEnv, noTritonProducts)
	setCUDAFolder(plugin)
	if got := os.Getenv(xlaFlagsEnv); got != noTritonProducts {
		t.Errorf("without a folder: %s", got)
	}
	if err := os.Mkdir(filepath.Join(root, "nvidia"), 0o755); err != nil {
		t.Fatal(err)
	}
	setCUDAFolder(plugin)
	setCUDAFolder(plugin)
	if got, want := os.Getenv(xlaFlagsEnv), noTritonProducts+" "+cudaFolder+filepath.Join(root, "nvidia"); got != want {
		t.Errorf("XLA_FLAGS = %s, want %s", got, want)
	}
	if flagsOfUser() {
		t.Error("the flags count as the user's")
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
