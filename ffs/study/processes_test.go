package study

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// program writes a shell script that stands for the program of a job; its last argument is the
// cell.
func program(t *testing.T, body string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+body), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
}

func TestProcessesShareTheDevicesAndOutliveAFailure(t *testing.T) {
	t.Setenv(visibleGPUsEnv, "4, GPU-x")
	dir := t.TempDir()
	job := Job{Dir: dir, Cells: []string{"a", "b", "c", "d"}, Args: []string{"study", "--out=x y"}, Program: program(t, `
echo "$CUDA_VISIBLE_DEVICES: $*"
for cell; do :; done
if [ "$cell" = b ]; then echo it breaks >&2; exit 3; fi
`)}
	over, err := Processes{Parallel: 2}.Launch(t.Context(), job)
	if !over || err == nil || strings.Count(err.Error(), "exit status") != 1 || !strings.Contains(err.Error(), "b: exit status 3: see "+LogPath(dir, "b")) {
		t.Errorf("over %t, error %v", over, err)
	}
	devices := map[string]bool{}
	for _, cell := range job.Cells {
		device, rest, _ := strings.Cut(lines(t, LogPath(dir, cell))[0], ": ")
		devices[device] = true
		if want := "study --out=x y --cell " + cell; rest != want {
			t.Errorf("arguments %q, want %q", rest, want)
		}
	}
	for device := range devices {
		if device != "4" && device != "GPU-x" {
			t.Errorf("a process saw the devices %q", device)
		}
	}
	if !slices.Contains(lines(t, LogPath(dir, "b")), "it breaks") {
		t.Error("the log lacks what the process said")
	}
}

// Each of the two processes waits for the other: one after the other they would never end.
func TestProcessesRunAtTheSameTime(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	job := Job{Dir: dir, Cells: []string{"a", "b"}, Args: []string{dir}, Program: program(t, `
touch "$1/here-$3"
until [ -e "$1/here-a" ] && [ -e "$1/here-b" ]; do sleep 0.05; done
`)}
	if _, err := (Processes{Parallel: 2}).Launch(ctx, job); err != nil {
		t.Error(err)
	}
}

// An interruption reaches the process as TERM; what it saves then is waited for, and nothing else
// is begun.
func TestInterruptedProcessesSave(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	job := Job{Dir: dir, Cells: []string{"a", "b"}, Args: []string{dir}, Program: program(t, `
trap 'sleep 0.2; echo saved; exit 130' TERM
touch "$1/begun"
while :; do sleep 0.05; done
`)}
	go func() {
		for ctx.Err() == nil {
			if _, err := os.Stat(filepath.Join(dir, "begun")); err == nil {
				cancel()
			}
			time.Sleep(10 * time.Millisecond)
		}
	}()
	if _, err := (Processes{}).Launch(ctx, job); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "exit") {
		t.Errorf("error %v, want that of the context alone", err)
	}
	if diff := cmp.Diff([]string{"saved"}, lines(t, LogPath(dir, "a"))); diff != "" {
		t.Errorf("log (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(LogPath(dir, "b")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the next cell was begun: %v", err)
	}
}

func TestVisibleGPUs(t *testing.T) {
	dir := t.TempDir()
	for _, gpu := range []string{"0000:01:00.0", "0000:02:00.0"} {
		if err := os.Mkdir(filepath.Join(dir, gpu), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv(visibleGPUsEnv, "") // restored after the test
	if got := visibleGPUs(dir); len(got) > 0 {
		t.Errorf("GPUs %v where none is allowed", got)
	}
	os.Unsetenv(visibleGPUsEnv)
	if diff := cmp.Diff([]string{"0", "1"}, visibleGPUs(dir)); diff != "" {
		t.Errorf("GPUs (-want +got):\n%s", diff)
	}
}
