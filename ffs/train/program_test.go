package train

import (
	"context"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/run"
)

// Three steps of four images in one, on two devices, in two parts, both, and both from the third
// step on: equal losses and equal weights, momenta and queues. The flow's loss has a weight of 1,
// so that a wrong gradient of its would show.
func TestDevicesAndPartsChangeNothing(t *testing.T) {
	backend := testkit.Backend(t)
	if backend.NumDevices() < 2 {
		t.Skipf("the backend %s has one device", backend.Name())
	}
	for _, method := range []string{"flow", "gaussian", "flow-langevin"} {
		t.Run(method, func(t *testing.T) {
			whole := trainThree(t, method, 1, 1)
			want, wantLosses := whole.outcome(t)
			compare := func(name string, r threeSteps) {
				t.Helper()
				got, losses := r.outcome(t)
				for i := range losses {
					testkit.Close(t, name+": losses of step", losses[i], wantLosses[i], 1e-5)
				}
				for path, values := range want {
					if len(got[path]) != len(values) {
						t.Errorf("%s: %s holds %d values, want %d", name, path, len(got[path]), len(values))
						continue
					}
					largest := 0.0
					for _, v := range values {
						largest = max(largest, math.Abs(float64(v)))
					}
					for i, v := range values {
						if d := math.Abs(float64(got[path][i] - v)); !(d <= 2e-5*largest+1e-9) {
							t.Errorf("%s: %s[%d] is %g, want %g", name, path, i, got[path][i], v)
							break
						}
					}
				}
			}
			compare("2 parts on 2 devices", trainThree(t, method, 2, 2))
			if method == "flow" { // the methods differ in what the parts hand on, not in how they are shared out
				compare("2 devices", trainThree(t, method, 2, 1))
				compare("2 parts", trainThree(t, method, 1, 2))
			}
			if method == "gaussian" {
				whole.repeatLast(t, 2, 2)
				compare("the last step in 2 parts on 2 devices", whole)
			}
		})
	}
}

// threeSteps is a run of three steps with checkpoints after the second and the third one.
type threeSteps struct {
	method string
	dir    string
}

func trainThree(t *testing.T, method string, devices, parts int) threeSteps {
	t.Helper()
	c := tinyConfig(t, "train.optimizer=sgd", "train.base_lr=0.01", "train.images_per_step=4", "train.max_iter=3", "train.checkpoint_every=2", "train.steps=[]",
		"train.decay=steps", "train.warmup_iters=1", "model.outlier.method="+method, "model.outlier.start_iter=1", "model.outlier.queue=2",
		"model.outlier.max_steps=2", "model.loss.nll=1")
	r := newRun(t, filepath.Join(t.TempDir(), "run"), c)
	o := Options{Backend: testkit.Backend(t), Run: r, Data: squares(8), Devices: devices, Accumulate: parts}
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	return threeSteps{method, r.Dir}
}

// repeatLast takes the third step again.
func (s threeSteps) repeatLast(t *testing.T, devices, parts int) {
	t.Helper()
	if err := os.Remove(filepath.Join(s.dir, "checkpoints", "step-00000003.safetensors")); err != nil {
		t.Fatal(err)
	}
	r, err := run.Resume(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	o := Options{Backend: testkit.Backend(t), Run: r, Data: squares(8), Devices: devices, Accumulate: parts}
	if err := Train(context.Background(), o); err != nil {
		t.Fatal(err)
	}
}

// outcome returns every variable of the last checkpoint, and the losses of each step.
func (s threeSteps) outcome(t *testing.T) (variables map[string][]float32, losses [][]float64) {
	t.Helper()
	r, err := run.Open(s.dir)
	if err != nil {
		t.Fatal(err)
	}
	log, err := r.ReadMetrics()
	if err != nil || len(log) != 3 {
		t.Fatalf("%d steps logged, %v", len(log), err)
	}
	for _, m := range log {
		losses = append(losses, []float64{m.LossRPNCls, m.LossRPNLoc, m.LossCls, m.LossBoxReg, m.LossEnergy, m.LossNLL, m.TotalLoss, m.Foreground,
			m.EnergyInlier, m.EnergyOutlier, float64(m.Unmatched), float64(m.SynthesisSteps)})
	}
	if last := log[2]; last.Foreground == 0 || last.EnergyOutlier == 0 {
		t.Fatalf("%s: %+v: the last step has no foreground or no outliers to compare", s.method, last)
	}
	store := model.NewStore()
	if loaded, err := r.Load(store); err != nil || loaded.Step != 3 {
		t.Fatalf("the newest checkpoint is of step %v, %v", loaded, err)
	}
	variables = map[string][]float32{}
	for v := range store.IterVariables() {
		if value := v.MustValue(); v.DType().IsFloat() {
			variables[v.Path()] = tensors.MustCopyFlatData[float32](value)
		}
	}
	return variables, losses
}

func TestImpossiblePartsAndDevices(t *testing.T) {
	backend := testkit.Backend(t)
	for _, c := range []struct {
		devices, parts int
		want           string
	}{
		{1, 3, "[1 2 4]"},
		{1, -1, "accumulate: -1 parts"},
		{3, 1, "devices: 3 do not divide the 4 images"},
		{2, 4, "devices: 2 do not divide the 1 images"},
		{1000, 1, "devices: 1000"},
	} {
		r := newRun(t, filepath.Join(t.TempDir(), "run"), tinyConfig(t, "train.images_per_step=4"))
		err := Train(context.Background(), Options{Backend: backend, Run: r, Data: squares(4), Devices: c.devices, Accumulate: c.parts})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d devices, %d parts: error %v, want one with %q", c.devices, c.parts, err, c.want)
		}
	}
}
