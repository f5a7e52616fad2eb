package run

import (
	"os"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/ml/model"
)

// logSteps writes metrics of the first n steps.
func logSteps(t *testing.T, r *Run, n int) {
	t.Helper()
	log, err := r.OpenMetrics(0)
	must(t, err)
	for step := range n {
		must(t, log.Append(Metrics{Step: step + 1}))
	}
	must(t, log.Close())
}

// Without the folder for checkpoints a training starts at step 0, as Inspect says, and can save.
func TestRunWithoutFolderForCheckpoints(t *testing.T) {
	r := newRun(t)
	must(t, os.Remove(r.Path(checkpointsDir)))
	findings, err := Inspect(r.Dir)
	must(t, err)
	if last := findings[len(findings)-1]; !last.Whole || last.Text != "there is no checkpoint yet: resuming starts at step 0" {
		t.Errorf("found %+v", last)
	}
	must(t, r.Close())
	r, err = Resume(r.Dir)
	must(t, err)
	t.Cleanup(func() { must(t, r.Close()) })
	if from, err := r.Start(model.NewStore()); err != nil || from.Digest != "" || len(from.Notes) > 0 {
		t.Errorf("starts from %+v, error %v", from, err)
	}
	must(t, r.Save(storeOf(t, 1), 1))
}

// A run that must have had checkpoints says that they are missing, wherever it is opened.
func TestRunThatLostItsCheckpoints(t *testing.T) {
	r := newRun(t)
	every := r.Config.Train.CheckpointEvery
	logSteps(t, r, every+1)
	const want = "metrics.jsonl reaches step "
	findings, err := Inspect(r.Dir)
	must(t, err)
	if last := findings[len(findings)-1]; last.Whole || !strings.Contains(last.Text, want) {
		t.Errorf("found %+v", last)
	}
	from, err := r.Start(model.NewStore())
	must(t, err)
	if from.Digest != "" || len(from.Notes) != 1 || !strings.Contains(from.Notes[0], want) {
		t.Errorf("starts from %+v", from)
	}
	if _, err := r.Load(model.NewStore()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v", err)
	}
}

// A run without a checkpoint whose training goes on is told from one whose training ended.
func TestRunInTrainingWithoutCheckpoint(t *testing.T) {
	r := newRun(t)
	logSteps(t, r, 3)
	reader, err := Open(r.Dir)
	must(t, err)
	if _, err := reader.Newest(); err == nil || !strings.Contains(err.Error(), "its training is at step 3 and writes the first one at step 250: wait for it") {
		t.Errorf("error %v", err)
	}
	must(t, r.Close())
	if _, err := reader.Newest(); err == nil || !strings.Contains(err.Error(), "its training ended before step 250") {
		t.Errorf("error %v", err)
	}
	must(t, r.acquire()) // the question has not kept the lock
}

// A training cannot be made shorter than it is: the error comes before config.yaml is changed.
func TestTrainingCannotEndBeforeItsSteps(t *testing.T) {
	r := newRun(t)
	must(t, r.Save(storeOf(t, 1), 30))
	before, err := os.ReadFile(r.Path(configFile))
	must(t, err)
	shorter := r.Config
	shorter.Train.MaxIter = 29
	const want = "train.max_iter cannot be 29: the run has 30 steps already; set it to 30 or more"
	if err := r.Change(shorter); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v", err)
	}
	after, err := os.ReadFile(r.Path(configFile))
	must(t, err)
	if string(after) != string(before) {
		t.Error("config.yaml has changed")
	}
	r.Config = shorter // as an earlier version left it
	if _, err := r.Start(model.NewStore()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v", err)
	}
	shorter.Train.MaxIter = 30
	must(t, r.Change(shorter))
}
