package chaos

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"ffslab/ffs/checkpoint"
	"ffslab/ffs/run"
)

// lastStep is that of every run here, which saves a checkpoint at every step and keeps three.
const lastStep = 8

// settings shrink the preset digits to a detector that trains in a second.
var settings = []string{
	"model.backbone.stem_width=8", "model.backbone.depth=4", "model.backbone.w_0=8", "model.backbone.w_a=12.5", "model.fpn_channels=16",
	"model.rpn.batch_per_image=32", "model.rpn.pre_nms_train=40", "model.rpn.post_nms_train=40", "model.roi.batch_per_image=16", "model.roi.fc_dim=16",
	"model.flow.hidden=16", "model.outlier.sample_from=20", "model.outlier.start_iter=3", "input.canvases=[[64, 64]]", "input.min_size_train=[64]",
	"input.max_size_train=64", "input.min_size_test=64", "input.max_size_test=64", "input.max_boxes=8", "train.images_per_step=2", "train.warmup_iters=4",
	"train.steps=[6]", "train.checkpoint_every=1", "train.max_iter=8",
}

// reference is what an undisturbed run has.
type reference struct {
	dir      string
	tensors  map[int]string // digests of all tensors, by step
	losses   map[int]string // what a line of metrics.jsonl says, but for times
	duration time.Duration  // of one command that trains from start to end, its program being compiled already
	files    []string       // that a run with three checkpoints has
	export   string         // its weights
	weights  string         // their digest
}

func undisturbed(t *testing.T) *reference {
	t.Helper()
	want := &reference{dir: filepath.Join(t.TempDir(), "whole"), tensors: map[int]string{}, losses: map[int]string{}}
	mustTrain(t, want.dir, "train.keep_checkpoints=100")
	for step := 1; step <= lastStep; step++ {
		want.tensors[step] = digestOf(t, want.dir, step)
	}
	want.losses = losses(t, want.dir)
	if len(want.losses) != lastStep {
		t.Fatalf("%d lines of metrics, want %d", len(want.losses), lastStep)
	}
	r, err := run.Open(want.dir)
	if err != nil {
		t.Fatal(err)
	}
	want.export = filepath.Join(t.TempDir(), "weights.safetensors")
	exported, err := r.Export(want.export)
	if err != nil {
		t.Fatal(err)
	}
	want.weights = exported.Digest
	again := filepath.Join(t.TempDir(), "again")
	begin := time.Now()
	mustTrain(t, again)
	want.duration = time.Since(begin)
	want.same(t, again)
	want.files = files(t, again)
	return want
}

// command is the command with these arguments, to be run in a process of its own, whose folder for
// temporary files lies beside the run's.
func command(dir string, args ...string) *exec.Cmd {
	executable, err := os.Executable()
	if err != nil {
		panic(err)
	}
	temporary := filepath.Join(filepath.Dir(dir), "tmp")
	if err := os.MkdirAll(temporary, 0o755); err != nil {
		panic(err)
	}
	c := exec.Command(executable)
	c.Env = append(os.Environ(), "TMPDIR="+temporary, commandEnv+"="+strings.Join(args, "\n"))
	return c
}

// trainArgs start the run in the folder, or go on with it if there is one.
func trainArgs(dir string, more ...string) []string {
	if _, err := os.Stat(filepath.Join(dir, "config.yaml")); err == nil {
		return []string{"train", "--run", dir, "--resume"}
	}
	args := []string{"train", "--config", "digits", "--train", "digits:train?n=8&size=128", "--run", dir, "--set", "train.keep_checkpoints=3"}
	for _, s := range slices.Concat(settings, more) {
		args = append(args, "--set", s)
	}
	return args
}

func mustTrain(t *testing.T, dir string, more ...string) {
	t.Helper()
	if out, err := command(dir, trainArgs(dir, more...)...).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// same fails the test unless the run has come to its end with the numbers of the undisturbed one.
func (want *reference) same(t *testing.T, dir string) {
	t.Helper()
	if step := want.agrees(t, dir); step != lastStep {
		t.Errorf("the newest checkpoint is of step %d, want %d", step, lastStep)
	}
	for step, line := range losses(t, dir) {
		if line != want.losses[step] {
			t.Errorf("step %d: metrics %s, want %s", step, line, want.losses[step])
		}
	}
}

// agrees fails the test if the checkpoint that is used has other numbers than the undisturbed run
// at that step; it returns the step.
func (want *reference) agrees(t *testing.T, dir string) (step int) {
	t.Helper()
	r, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	newest, err := r.Newest()
	if err != nil {
		t.Fatal(err)
	}
	if digestOf(t, dir, newest.Step) != want.tensors[newest.Step] {
		t.Errorf("the checkpoint of step %d holds other numbers", newest.Step)
	}
	return newest.Step
}

func digestOf(t *testing.T, dir string, step int) string {
	t.Helper()
	f, err := checkpoint.Open(checkpointPath(dir, step))
	if err != nil {
		t.Fatal(err)
	}
	return checkpoint.Digest(f.Tensors)
}

func checkpointPath(dir string, step int) string {
	name := "step-00000000"
	digits := strconv.Itoa(step)
	return filepath.Join(dir, "checkpoints", name[:len(name)-len(digits)]+digits+".safetensors")
}

// losses are the lines of metrics.jsonl by step, without what depends on the machine's pace.
func losses(t *testing.T, dir string) map[int]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "metrics.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[int]string{}
	for line := range bytes.Lines(text) {
		var object map[string]any
		if err := json.Unmarshal(line, &object); err != nil {
			t.Errorf("metrics.jsonl: %v: %s", err, line)
			continue
		}
		for _, key := range []string{"seconds", "images_per_second", "data_wait", "crc32"} {
			delete(object, key)
		}
		numbers, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		step, _ := object["step"].(float64)
		found[int(step)] = string(numbers)
	}
	return found
}

// files are the names of all files in the folder that a run's folder lies in.
func files(t *testing.T, dir string) []string {
	t.Helper()
	var all []string
	parent := filepath.Dir(dir)
	err := filepath.WalkDir(parent, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			name, _ := filepath.Rel(parent, path)
			all = append(all, strings.TrimPrefix(name, filepath.Base(dir)))
		}
		return err
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return all
}

// tells fails the test unless the output of a command that has failed is one error of ours: what is
// wrong and where.
func tells(t *testing.T, out []byte, where string) {
	t.Helper()
	text := string(out)
	if strings.Contains(text, "goroutine") || strings.Contains(text, "internal") || strings.Count(text, "error: ") != 1 || !strings.Contains(text, where) {
		t.Errorf("not one error that names %s:\n%s", where, text)
	}
}
