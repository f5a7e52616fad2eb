package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"ffslab/ffs/npz"
)

// ownProgram builds the module of testdata/own beside the clone, with a replace directive, as a
// user would.
func ownProgram(t *testing.T) string {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("testdata/own")); err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	module, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	// The requirements are ffslab's, so that nothing has to be looked up.
	text := regexp.MustCompile(`(?s)\ntool \(.*?\n\)`).ReplaceAllString(strings.Replace(string(module), "module ffslab", "module example.com/own", 1), "")
	text += fmt.Sprintf("\nrequire ffslab v0.0.0\n\nreplace ffslab => %s\n", root)
	for name, content := range map[string][]byte{"go.mod": []byte(text), "go.sum": sums} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(dir, "own")
	build := exec.Command("go", "build", "-mod=mod", "-o", program, ".")
	build.Dir, build.Env = dir, append(os.Environ(), "GOFLAGS=", "GOWORK=off", "GOPROXY=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// A program of five lines has every command with the parts of its own package: it trains with them,
// is killed and resumes to the same bytes, samples and evaluates; and this program, which lacks
// them, says who has them.
func TestOwnPartsInOwnProgram(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program and trains with it")
	}
	program := ownProgram(t)
	t.Chdir(t.TempDir())
	own := func(line string) string {
		t.Helper()
		out, err := exec.Command(program, strings.Fields(line)...).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		return string(out)
	}
	const settings = ` --set model.outlier.method=shifted --set model.outlier.options.shift=3 --set model.outlier.select=4 --set model.outlier.start_iter=5
		--set model.loss.small=0.5 --set model.backbone.family=plain --set model.backbone.options.width=12 --set model.backbone.options.frozen=true
		--set train.optimizer=signs --set train.base_lr=0.0005 --set train.max_iter=20 --set train.checkpoint_every=4 --set train.images_per_step=2`
	own("train --config digits --run whole" + settings)

	killed := exec.Command(program, strings.Fields("train --config digits --run killed"+settings)...)
	if err := killed.Start(); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(3 * time.Minute); ; time.Sleep(5 * time.Millisecond) {
		if _, err := os.Stat("killed/checkpoints/step-00000008.safetensors"); err == nil {
			break
		} else if !errors.Is(err, fs.ErrNotExist) || time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	if err := killed.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = killed.Wait() // it reports the kill
	own("train --run killed --resume")
	const last = "checkpoints/step-00000020.safetensors"
	if want, got := read(t, "whole/"+last), read(t, "killed/"+last); !bytes.Equal(want, got) {
		t.Error("the resumed run ends with other bytes than the uninterrupted one")
	}
	lines := strings.Split(strings.TrimSpace(string(read(t, "killed/metrics.jsonl"))), "\n")
	var metrics map[string]float64
	if err := json.Unmarshal(numbers(t, lines[len(lines)-1]), &metrics); err != nil {
		t.Fatal(err)
	}
	if len(lines) != 20 || metrics["loss_small"] <= 0 || metrics["loss_energy"] <= 0 {
		t.Errorf("%d steps logged; the last: %v, want 20 with loss_small and loss_energy", len(lines), metrics)
	}

	own("train --config digits --run parts --accumulate 2" + strings.Replace(settings, "max_iter=20", "max_iter=6", 1))

	out, err := exec.Command(program, strings.Fields("train --config digits --run nan"+strings.Replace(settings, "shift=3", "shift=.nan", 1))...).CombinedOutput()
	if err == nil || !strings.Contains(string(out), "look for NaN, also in gradients, in model.backbone.family (registered by example.com/own/mine), ") {
		t.Errorf("a synthesiser that returns NaN: %v\n%s", err, out)
	}

	own("sample --run killed -n 30 --out drawn")
	arrays, err := npz.Read("drawn.npz")
	if err != nil {
		t.Fatal(err)
	}
	if shape := arrays["features"].Shape; shape[0] != 30 || shape[1] != 128 {
		t.Errorf("features %v, want 30 of 128", shape)
	}
	own("eval --run killed --id digits:val?n=6 --ood digits:ood-near?n=6 --bootstrap 0")
	if _, err := os.Stat("killed/eval/metrics.json"); err != nil {
		t.Error(err)
	}

	for line, want := range map[string]string{
		"sample --run parts":  `model.backbone.family: no backbone family is called "plain"; there are efficientnet_lite, regnet, resnet: the package example.com/own/mine registered it`,
		"sample --run killed": `model.backbone.family: no backbone family is called "plain"; there are efficientnet_lite, regnet, resnet: the package example.com/own/mine registered it: import that package`,
		"train --config digits --run bad --set model.outlier.options.alfa=1":                                  "model.outlier.options.alfa: there are no options",
		"train --config digits --run bad --set model.outlier.method=floww":                                    `model.outlier.method: no synthesiser is called "floww"; there are flow, flow-langevin, gaussian, none`,
		"train --config digits --run bad --set model.loss.enrgy=1":                                            `model.loss.enrgy: no loss term is called "enrgy"; there are condition_number, least_singular_value`,
		"train --config digits --run bad --set train.optimizer=lion":                                          `train.optimizer: no optimizer is called "lion"; there are adamw, sgd`,
		"train --config digits --run bad --set train.optimizer_options.beta=1":                                "train.optimizer_options.beta: there are no options",
		"train --config digits --run bad --set model.loss.condition_number={weight:,options:{a:1}}":           "model.loss.condition_number",
		"train --config digits --run bad --set model.backbone.options.width=4":                                "model.backbone.options.width: there are no options",
		"train --config digits --run bad --set model.loss.least_singular_value=-1":                            "model.loss.least_singular_value: -1 must not be negative",
		"train --config digits --run bad --set model.roi.reduce_dim=33":                                       "model.roi.reduce_dim: 33 must be even and at most fc_dim",
		"train --config digits --run bad --set model.outlier.method=gaussian --set model.outlier.select=1000": "model.outlier.select: 1000 must be positive and at most sample_from 200",
	} {
		cmd := newRoot()
		cmd.SetArgs(strings.Fields(line))
		if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ffs %s: error %v, want %q", line, err, want)
		}
	}
	if _, err := os.Stat("bad"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a training that could not start left a folder: %v", err)
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// numbers leaves out the values of a JSON object that are no numbers.
func numbers(t *testing.T, line string) []byte {
	t.Helper()
	var all map[string]any
	if err := json.Unmarshal([]byte(line), &all); err != nil {
		t.Fatal(err)
	}
	for key, value := range all {
		if _, ok := value.(float64); !ok {
			delete(all, key)
		}
	}
	out, err := json.Marshal(all)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
