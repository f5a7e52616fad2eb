package train

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/internal/tiny"
	"ffslab/ffs/run"
)

func tinyConfig(t testing.TB, settings ...string) config.Config {
	t.Helper()
	c, err := tiny.Config(settings...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// squares is a set of pictures with one red or blue square each; of more than five pictures the
// last is empty.
func squares(n int) *data.Dataset {
	set := tiny.Squares("squares", n, "red", "blue")
	if n > 5 {
		set.Images[n-1] = tiny.Empty()
	}
	return set
}

func newRun(t testing.TB, dir string, c config.Config) *run.Run {
	t.Helper()
	r, err := run.Create(dir, c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestOneBatchCanBeOverfitted(t *testing.T) {
	c := tinyConfig(t, "model.roi.fc_dim=32", "model.outlier.start_iter=300",
		"train.max_iter=400", "train.steps=[300, 360]", "train.warmup_iters=20", "train.checkpoint_every=1000")
	r := newRun(t, filepath.Join(t.TempDir(), "run"), c)
	if err := Train(context.Background(), Options{Backend: testkit.Backend(t), Run: r, Data: squares(2)}); err != nil {
		t.Fatal(err)
	}
	log, err := r.ReadMetrics()
	if err != nil {
		t.Fatal(err)
	}
	mean := func(steps []run.Metrics, of func(run.Metrics) float64) float64 {
		sum := 0.0
		for _, m := range steps {
			sum += of(m)
		}
		return sum / float64(len(steps))
	}
	classes := func(m run.Metrics) float64 { return m.LossRPNCls + m.LossCls }
	boxes := func(m run.Metrics) float64 { return m.LossRPNLoc + m.LossBoxReg }
	// The box losses have no foreground to count before the proposals find the objects.
	first, last := classes(log[0]), mean(log[360:], classes)
	firstBoxes, lastBoxes := mean(log[40:80], boxes), mean(log[360:], boxes)
	t.Logf("classification %.3f to %.3f, boxes %.3f to %.3f", first, last, firstBoxes, lastBoxes)
	if last > first/10 {
		t.Errorf("classification losses %.3f at the start, %.3f at the end of 400 steps on one batch; want a tenth", first, last)
	}
	if lastBoxes > firstBoxes/2 {
		t.Errorf("box losses %.3f at steps 40 to 80, %.3f at the end of 400 steps on one batch; want half", firstBoxes, lastBoxes)
	}
	if log[1].LossEnergy != 0 || log[len(log)-1].LossEnergy == 0 {
		t.Errorf("energy loss %g before start_iter, %g at the end; want 0 and not 0", log[1].LossEnergy, log[len(log)-1].LossEnergy)
	}
}

// helperEnv makes the test binary train in the named folder instead of testing; the parent kills
// it.
const helperEnv = "FFSLAB_TEST_TRAIN_IN"

func TestMain(m *testing.M) {
	if dir := os.Getenv(helperEnv); dir != "" {
		os.Exit(trainUntilKilled(dir))
	}
	os.Exit(m.Run())
}

// slowly gives the parent time to kill between steps.
type slowly struct{ silent }

func (slowly) Step(m run.Metrics, _ int) {
	fmt.Println("step", m.Step)
	time.Sleep(200 * time.Millisecond)
}

func trainUntilKilled(dir string) int {
	t := new(testing.B) // tinyConfig only fails on a defect of its own
	r, err := run.Create(dir, tinyConfig(t))
	if err == nil {
		err = Train(context.Background(), Options{Backend: testkit.Backend(t), Run: r, Data: squares(6), Progress: slowly{}})
	}
	fmt.Fprintln(os.Stderr, "not killed:", err)
	return 1
}

func TestKilledRunContinuesToTheSameNumbers(t *testing.T) {
	backend := testkit.Backend(t)
	if testkit.OnGPU(t) && !strings.Contains(os.Getenv("XLA_FLAGS"), "--xla_gpu_deterministic_ops=true") {
		t.Skip("a GPU adds in no fixed order without XLA_FLAGS=--xla_gpu_deterministic_ops=true")
	}
	whole := newRun(t, filepath.Join(t.TempDir(), "whole"), tinyConfig(t))
	if err := Train(context.Background(), Options{Backend: backend, Run: whole, Data: squares(6)}); err != nil {
		t.Fatal(err)
	}

	dir := filepath.Join(t.TempDir(), "killed")
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	child := exec.Command(executable)
	child.Env = append(os.Environ(), helperEnv+"="+dir)
	var stderr bytes.Buffer
	child.Stderr = &stderr
	stdout, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	// Step 5 lies beyond the checkpoint of step 4: its line of metrics must be written again.
	var seen []byte
	for buffer := make([]byte, 64); !bytes.Contains(seen, []byte("step 5\n")); {
		n, err := stdout.Read(buffer)
		if err != nil {
			t.Fatalf("the child ended early: %v\n%s", err, stderr.Bytes())
		}
		seen = append(seen, buffer[:n]...)
	}
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // it reports the kill

	killed, err := run.Resume(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer killed.Close()
	if err := Train(context.Background(), Options{Backend: backend, Run: killed, Data: squares(6)}); err != nil {
		t.Fatal(err)
	}
	want, got := lastCheckpoint(t, whole), lastCheckpoint(t, killed)
	if !bytes.Equal(want, got) {
		t.Error("the resumed run's last checkpoint differs from the uninterrupted run's")
	}
	wantLog, _ := whole.ReadMetrics()
	gotLog, _ := killed.ReadMetrics()
	if len(wantLog) != 8 || len(gotLog) != 8 {
		t.Fatalf("%d and %d steps logged, want 8", len(wantLog), len(gotLog))
	}
	for i := range wantLog {
		if wantLog[i].Step != gotLog[i].Step || wantLog[i].TotalLoss != gotLog[i].TotalLoss {
			t.Errorf("line %d: step %d with loss %v, want step %d with %v", i, gotLog[i].Step, gotLog[i].TotalLoss, wantLog[i].Step, wantLog[i].TotalLoss)
		}
	}
}

func lastCheckpoint(t *testing.T, r *run.Run) []byte {
	t.Helper()
	steps, err := r.Checkpoints()
	if err != nil || len(steps) == 0 || steps[len(steps)-1] != 8 {
		t.Fatalf("checkpoints %v, %v; want the last of step 8", steps, err)
	}
	content, err := os.ReadFile(r.Path("checkpoints", "step-00000008.safetensors"))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestDivergedRunStopsAndKeepsItsCheckpoint(t *testing.T) {
	c := tinyConfig(t, "train.base_lr=1e30", "train.warmup_iters=6", "train.checkpoint_every=1")
	r := newRun(t, filepath.Join(t.TempDir(), "run"), c)
	err := Train(context.Background(), Options{Backend: testkit.Backend(t), Run: r, Data: squares(2)})
	if err == nil || !strings.Contains(err.Error(), "step ") || !strings.Contains(err.Error(), " is ") {
		t.Fatalf("error %v, want one that names the step and what is not finite", err)
	}
	kept := model.NewStore()
	if _, err := r.Load(kept); err != nil {
		t.Fatal(err)
	}
	for v := range kept.IterVariables() {
		if v.DType().IsFloat() && slices.ContainsFunc(tensors.MustCopyFlatData[float32](v.MustValue()), func(x float32) bool { return x-x != 0 }) {
			t.Errorf("the checkpoint that is kept holds a %s that is not finite", v.Path())
		}
	}
	steps, listErr := r.Checkpoints()
	if listErr != nil || len(steps) == 0 || !strings.Contains(err.Error(), fmt.Sprintf("checkpoint of step %d is kept", steps[len(steps)-1])) {
		t.Errorf("checkpoints %v (%v) after %v", steps, listErr, err)
	}
}

// The presets' schedules are the original's.
func TestPresetsHaveTheOriginalsSchedules(t *testing.T) {
	golden := testkit.Golden(t, "../optim/testdata/sgd.npz")
	for preset, name := range map[string]string{"voc": "voc", "bdd100k": "bdd", "youtube-vis": "vis_60000"} {
		c, err := config.Preset(preset)
		if err != nil {
			t.Fatal(err)
		}
		prefix := "schedule." + name + "."
		settings := golden[prefix+"settings_f64"].Float64s() // rate, steps in all, two drops, warm-up steps and factor, drop, decay, decay of norms, batch
		got := []float64{c.Train.BaseLR, float64(c.Train.MaxIter), float64(c.Train.Steps[0]), float64(c.Train.Steps[1]), float64(c.Train.WarmupIters),
			settings[5], settings[6], c.Train.WeightDecay, 0, float64(c.Train.ImagesPerStep)}
		testkit.Close(t, preset, got, settings, 0)
		rates := golden[prefix+"lr_f64"].Float64s()
		schedule := Schedule(c.Train)
		for i, step := range golden[prefix+"iter"].Ints() {
			testkit.Close(t, preset, schedule.LR(step)/rates[i], 1.0, 1e-9)
		}
	}
}
