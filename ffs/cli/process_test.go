package cli

import (
	"bufio"
	"errors"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ffslab/data"
	"ffslab/ffs/device"
	"ffslab/ffs/internal/testkit"
)

// commandEnv makes TestProgram the program: its words, between separators.
const (
	commandEnv = "FFSLAB_TEST_COMMAND"
	separator  = "\x1f"
)

func TestProgram(t *testing.T) {
	line := os.Getenv(commandEnv)
	if line == "" {
		t.Skip("is run by other tests, as the program")
	}
	os.Args = append([]string{"ffs"}, strings.Split(line, separator)...)
	os.Exit(execute())
}

// program is a process that runs the command line.
func program(t *testing.T, words ...string) *exec.Cmd {
	t.Helper()
	command := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestProgram$")
	command.Env = append(os.Environ(), commandEnv+"="+strings.Join(words, separator))
	return command
}

// Without a backend that runs detectors every command that needs one says so, and leaves nothing
// behind.
func TestNoBackendLeavesNothing(t *testing.T) {
	weights := absolute(t, "../detector/testdata/detector.pth")
	t.Chdir(t.TempDir())
	for _, line := range []string{
		"train --run new",
		"import " + weights + " --config digits --run new",
		"study --methods none --seeds 0 --out new",
	} {
		t.Run(strings.Fields(line)[0], func(t *testing.T) {
			command := program(t, strings.Fields(line)...)
			command.Env = append(command.Env, "GOMLX_BACKEND=go")
			out, err := command.CombinedOutput()
			if err == nil || !strings.Contains(string(out), "cannot run a detector") {
				t.Errorf("error %v, output\n%s", err, out)
			}
			left, err := filepath.Glob("new/config.yaml")
			more, _ := filepath.Glob("new/runs/*")
			if err != nil || len(left)+len(more) > 0 {
				t.Errorf("left behind: %v %v, %v", left, more, err)
			}
			if err := os.RemoveAll("new"); err != nil {
				t.Fatal(err)
			}
		})
	}
}

func TestPictureMemoryIsASetting(t *testing.T) {
	t.Chdir(t.TempDir())
	picture := absolute(t, "large.png")
	file, err := os.Create(picture)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(png.Encode(file, image.NewGray(image.Rect(0, 0, 500, 400))), file.Close()); err != nil {
		t.Fatal(err)
	}
	annotations := `{"images": [{"id": 1, "width": 500, "height": 400, "file_name": "large.png"}], "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 30, 40], "area": 1200, "iscrowd": 0}], "categories": [{"id": 1, "name": "a"}]}`
	if err := os.WriteFile("set.json", []byte(annotations), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { data.SetPictureMemory(data.DefaultPictureMemory) })
	for memory, want := range map[string]string{"0": "--picture-memory 0: give", "1": "large.png: a picture of 500x400 pixels", "3": ""} {
		cmd := newRoot()
		cmd.SetArgs([]string{"data", "show", "coco:set.json,.", "--out", "sheet.png", "--picture-memory", memory})
		err := cmd.ExecuteContext(t.Context())
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s MiB: error %v, want %q", memory, err, want)
		}
	}
}

// The first interrupt while XLA compiles is answered at once, the second one ends the process at
// once.
func TestInterruptWhileCompiling(t *testing.T) {
	if testkit.OnGPU(t) {
		t.Skip("is about the time that XLA compiles for CPUs")
	}
	command := program(t, "train", "--run", filepath.Join(t.TempDir(), "run"))
	command.Env = append(command.Env, device.KeepEnv+"=off")
	output, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = command.Process.Kill() }()
	lines := make(chan string)
	go func() {
		defer close(lines)
		scanner := bufio.NewScanner(output)
		for scanner.Scan() {
			lines <- scanner.Text()
		}
	}()
	await := func(what string, within time.Duration) {
		t.Helper()
		for deadline := time.After(within); ; {
			select {
			case line, more := <-lines:
				if strings.Contains(line, what) {
					return
				}
				if !more {
					t.Fatalf("ended before it said %q", what)
				}
			case <-deadline:
				t.Fatalf("%q was not said within %v", what, within)
			}
		}
	}
	const atOnce = 2 * time.Second
	await("compiling the training step", time.Minute)
	time.Sleep(atOnce) // into the compilation, which takes 10 s or more
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	await("interrupt again to stop at once", atOnce)
	begin := time.Now()
	if err := command.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	for range lines {
	}
	err = command.Wait()
	if took := time.Since(begin); command.ProcessState.ExitCode() != interrupted || took > atOnce {
		t.Errorf("ended after %v: %v, want exit status %d at once", took, err, interrupted)
	}
}
