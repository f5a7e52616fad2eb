package lab

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/run"
)

// TestInterruptedTrainingKeepsItsCheckpoint trains in a cell of a real kernel and stops it as
// JupyterLab's button does.
func TestInterruptedTrainingKeepsItsCheckpoint(t *testing.T) {
	env := testEnvironment(t)
	out, temporary := t.TempDir(), t.TempDir()
	environ, err := env.headlessEnvironment(Cells{Out: out, Quick: true, Train: true}, temporary)
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("testdata/interrupt.py")
	if err != nil {
		t.Fatal(err)
	}
	command := exec.CommandContext(t.Context(), env.interpreter.Path, script, "images/s", env.root)
	command.Env = environ
	text, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if !strings.Contains(string(text), "the kernel is alive") {
		t.Errorf("no cell runs after the interrupt:\n%s", text)
	}
	folders, err := filepath.Glob(filepath.Join(out, "runs", "*"))
	if err != nil || len(folders) != 1 {
		t.Fatalf("run folders: %q, %v\n%s", folders, err, text)
	}
	stopped, err := run.Open(folders[0])
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := stopped.Load(model.NewStore())
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	metrics, err := stopped.ReadMetrics()
	if err != nil || len(metrics) == 0 {
		t.Fatalf("metrics: %v, %v", metrics, err)
	}
	// Were the last checkpoint one of those that training saves now and then, steps would be lost.
	if done := metrics[len(metrics)-1].Step; loaded.Step != done || loaded.Step >= stopped.Config.Train.MaxIter {
		t.Errorf("the checkpoint is of step %d, after %d steps of %d:\n%s", loaded.Step, done, stopped.Config.Train.MaxIter, text)
	}
}
