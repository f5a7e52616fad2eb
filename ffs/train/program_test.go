package train

import (
	"context"
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
)

// Three steps of four images in one, on two devices, in two parts, and both, with every method: equal losses and equal weights, momentum and queues.
func TestDevicesAndPartsChangeNothing(t *testing.T) {
	backend := testkit.Backend(t)
	if backend.NumDevices() < 2 {
		t.Skipf("the backend %s has one device", backend.Name())
	}
	for _, method := range []string{"flow", "gaussian", "flow-langevin", "none"} {
		t.Run(method, func(t *testing.T) {
			want, wantLosses := threeSteps(t, method, 1, 1)
			cases := []struct {
				name           string
				devices, parts int
			}{{"2 parts on 2 devices", 2, 2}, {"2 devices", 2, 1}, {"2 parts", 1, 2}}
			if method != "flow" {
				cases = cases[:1] // the methods differ in what the parts hand on, not in how they are shared out
			}
			for _, c := range cases {
				got, losses := threeSteps(t, method, c.devices, c.parts)
				for i := range losses {
					testkit.Close(t, c.name+": losses of step", losses[i], wantLosses[i], 1e-5)
				}
				if len(got) != len(want) {
					t.Errorf("%s: %d variables, want %d", c.name, len(got), len(want))
				}
				for path, values := range want {
					scale := 0.0
					for _, v := range values {
						scale = max(scale, math.Abs(float64(v)))
					}
					for i, v := range values {
						if d := math.Abs(float64(got[path][i] - v)); !(d <= 1e-5*max(scale, 1)) {
							t.Errorf("%s: %s[%d] is %g, want %g", c.name, path, i, got[path][i], v)
							break
						}
					}
				}
			}
		})
	}
}

// threeSteps trains and returns every variable of the last checkpoint, and the losses of each step.
func threeSteps(t *testing.T, method string, devices, parts int) (variables map[string][]float32, losses [][]float64) {
	t.Helper()
	c := tinyConfig(t, "train.optimizer=sgd", "train.base_lr=0.01", "train.images_per_step=4", "train.max_iter=3", "train.checkpoint_every=3", "train.steps=[]",
		"train.decay=steps", "train.warmup_iters=1", "model.outlier.method="+method, "model.outlier.start_iter=1", "model.outlier.queue=2", "model.outlier.max_steps=2")
	r := newRun(t, filepath.Join(t.TempDir(), "run"), c)
	o := Options{Backend: testkit.Backend(t), Run: r, Data: squares(8), Devices: devices, Accumulate: parts}
	if err := Train(context.Background(), o); err != nil {
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
	if last := log[2]; last.Foreground == 0 || method != "none" && last.EnergyOutlier == 0 {
		t.Fatalf("%s: %+v: the last step has no foreground or no outliers to compare", method, last)
	}
	store := model.NewStore()
	if _, err := r.Load(store); err != nil {
		t.Fatal(err)
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
		{1, -1, "--accumulate -1"},
		{3, 1, "[1 2 4]"},
		{2, 4, "--devices 2 does not divide the 1 images"},
		{1000, 1, "--devices 1000"},
	} {
		r := newRun(t, filepath.Join(t.TempDir(), "run"), tinyConfig(t, "train.images_per_step=4"))
		err := Train(context.Background(), Options{Backend: backend, Run: r, Data: squares(4), Devices: c.devices, Accumulate: c.parts})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%d devices, %d parts: error %v, want one with %q", c.devices, c.parts, err, c.want)
		}
	}
}
