package run

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/google/go-cmp/cmp"

	"ffslab/ffs/checkpoint"
	"ffslab/ffs/config"
)

func newRun(t *testing.T) *Run {
	t.Helper()
	c, err := config.Load("digits", "train.keep_checkpoints=2")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Create(filepath.Join(t.TempDir(), "run"), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func storeOf(t *testing.T, x float32) *model.Store {
	t.Helper()
	store := model.NewStore()
	for path, value := range map[string]any{"/roi_heads/fc1/weight": []float32{x, 2}, "/count": int32(7)} {
		tensor := tensors.MustFromAnyValue(value)
		if _, err := store.CreateVariable(path, tensor); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

func TestNewestCheckpointComesBackAndOldOnesGo(t *testing.T) {
	r := newRun(t)
	if _, err := r.Load(model.NewStore()); err == nil {
		t.Error("a run without checkpoints was loaded")
	}
	for step := range 4 {
		if err := r.Save(storeOf(t, float32(step)), 100*step); err != nil {
			t.Fatal(err)
		}
	}
	steps, err := r.Checkpoints()
	if diff := cmp.Diff([]int{200, 300}, steps); err != nil || diff != "" {
		t.Errorf("checkpoints: %v (-want +got):\n%s", err, diff)
	}
	store := model.NewStore()
	loaded, err := r.Load(store)
	if err != nil || loaded.Step != 300 {
		t.Fatalf("Load = %v, %v", loaded, err)
	}
	got := store.GetVariable("/roi_heads/fc1/weight").MustValue().Value()
	if diff := cmp.Diff([]float32{3, 2}, got); diff != "" {
		t.Errorf("weights (-want +got):\n%s", diff)
	}
	if got := store.GetVariable("/count").MustValue().Value(); got != int32(7) {
		t.Errorf("count = %v", got)
	}
}

// A digest is of the model's weights: equal for equal ones wherever they lie, whatever the
// optimizer's state and the step are.
func TestDigestIdentifiesWeights(t *testing.T) {
	r := newRun(t)
	digest := func(step int, x float32, momentum float32) string {
		store := storeOf(t, x)
		if _, err := store.CreateVariable("/optimizer/momentum/roi_heads/fc1/weight", tensors.MustFromAnyValue([]float32{momentum, 0})); err != nil {
			t.Fatal(err)
		}
		if err := r.Save(store, step); err != nil {
			t.Fatal(err)
		}
		newest, err := r.Newest()
		if err != nil {
			t.Fatal(err)
		}
		loaded, err := r.Load(model.NewStore())
		if diff := cmp.Diff(newest, loaded); err != nil || diff != "" {
			t.Errorf("Load: %v (-newest +loaded):\n%s", err, diff)
		}
		if inStore, err := checkpoint.DigestStore(store); err != nil || inStore != newest.Digest {
			t.Errorf("in the store %s, %v; in the file %s", inStore, err, newest.Digest)
		}
		return newest.Digest
	}
	first := digest(100, 1, 0)
	if again := digest(200, 1, 5); again != first || len(first) != 64 {
		t.Errorf("%q and %q are digests of the same weights", first, again)
	}
	if other := digest(300, 1.5, 0); other == first {
		t.Error("other weights have the same digest")
	}
}

func TestFailedCheckpointKeepsTheEarlierOnes(t *testing.T) {
	r := newRun(t)
	if err := r.Save(storeOf(t, 1), 100); err != nil {
		t.Fatal(err)
	}
	// A directory in the new file's place makes the write fail at its last act, as a full disk may.
	if err := os.MkdirAll(filepath.Join(r.checkpointPath(200), "x"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := r.Save(storeOf(t, 2), 200); err == nil || !strings.Contains(err.Error(), "step-00000200") {
		t.Errorf("error %v, want one that names the file", err)
	}
	if err := os.RemoveAll(r.checkpointPath(200)); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(r.Path(checkpointsDir))
	if err != nil || len(entries) != 1 {
		t.Errorf("left in the folder: %v, %v", entries, err)
	}
	if loaded, err := r.Load(model.NewStore()); err != nil || loaded.Step != 100 {
		t.Errorf("Load = %v, %v, want step 100", loaded, err)
	}
}

func TestFoldersAreNotShared(t *testing.T) {
	r := newRun(t)
	if _, err := Create(r.Dir, r.Config); err == nil || !strings.Contains(err.Error(), "resume the run in it") {
		t.Errorf("a second run in the folder: %v", err)
	}
	if _, err := Resume(r.Dir); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a second process in the folder: %v", err)
	}
	if _, err := Open(t.TempDir()); err == nil || !strings.Contains(err.Error(), "config.yaml") {
		t.Errorf("an empty folder was opened: %v", err)
	}
	reopened, err := Open(r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(r.Config, reopened.Config); diff != "" {
		t.Errorf("configuration (-want +got):\n%s", diff)
	}
}

func TestMetricsContinueAtTheCheckpoint(t *testing.T) {
	r := newRun(t)
	write := func(from int, steps ...int) {
		log, err := r.OpenMetrics(from)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range steps {
			if err := log.Append(Metrics{Step: step, TotalLoss: float64(step) / 2}); err != nil {
				t.Fatal(err)
			}
		}
		if err := log.Close(); err != nil {
			t.Fatal(err)
		}
	}
	write(0, 1, 2, 3)
	file, err := os.OpenFile(r.Path(metricsFile), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	file.WriteString(`{"step": 4, "tot`) // the process is killed here
	file.Close()
	write(2, 3, 4)
	all, err := r.ReadMetrics()
	if err != nil {
		t.Fatal(err)
	}
	var steps []int
	for _, m := range all {
		steps = append(steps, m.Step)
	}
	if diff := cmp.Diff([]int{1, 2, 3, 4}, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
}

func TestCommitIsTheCodesWhereverTheProgramRuns(t *testing.T) {
	here := Commit()
	t.Chdir(t.TempDir())
	if there := Commit(); there != here {
		t.Errorf("Commit is %q in another folder, %q here", there, here)
	}
}

func TestContinueWantsTheSameTraining(t *testing.T) {
	r := newRun(t)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	c := r.Config
	c.Data.OOD, c.Origin.Command = []string{"digits:ood-far"}, "another"
	again, err := Continue(r.Dir, c)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Continue(r.Dir, c); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("a run that is open: %v", err)
	}
	if err := again.Close(); err != nil {
		t.Fatal(err)
	}
	c.Train.MaxIter = 7
	want := fmt.Sprintf("train.max_iter is %d in its config.yaml and 7 now", r.Config.Train.MaxIter)
	if _, err := Continue(r.Dir, c); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want one that names the key", err)
	}
	made, err := Continue(filepath.Join(t.TempDir(), "new"), c)
	if err != nil {
		t.Fatal(err)
	}
	defer made.Close()
	if diff := cmp.Diff(c, made.Config); diff != "" {
		t.Errorf("configuration of a new run (-want +got):\n%s", diff)
	}
}

func TestStampedCommit(t *testing.T) {
	setting := func(key, value string) debug.BuildSetting { return debug.BuildSetting{Key: key, Value: value} }
	revision := setting("vcs.revision", "0123456789abcdef0123")
	for want, info := range map[string]*debug.BuildInfo{
		"0123456789ab":  {Settings: []debug.BuildSetting{revision, setting("vcs.modified", "false")}},
		"0123456789ab+": {Settings: []debug.BuildSetting{setting("vcs.modified", "true"), revision}},
		"":              {Settings: []debug.BuildSetting{setting("vcs.modified", "true")}},
	} {
		if got := stamped(info); got != want {
			t.Errorf("%v: %q, want %q", info.Settings, got, want)
		}
	}
	if got := stamped(nil); got != "" {
		t.Errorf("without a stamp %q", got)
	}
}
