package curves

import (
	"encoding/csv"
	"errors"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/ffs/internal/tiny"
	"ffslab/ffs/run"
	"ffslab/viz"
)

// logged makes the folder of a run of the tiny detector with the given metrics.
func logged(t *testing.T, name, method string, metrics ...run.Metrics) run.Named {
	t.Helper()
	c, err := tiny.Config()
	if err != nil {
		t.Fatal(err)
	}
	c.Model.Outlier.Method = method
	r, err := run.Create(filepath.Join(t.TempDir(), name), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	log, err := r.OpenMetrics(0)
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range metrics {
		m.Step = i + 1
		if err := log.Append(m); err != nil {
			t.Fatal(err)
		}
	}
	if err := log.Close(); err != nil {
		t.Fatal(err)
	}
	return run.Named{Name: name, Run: r}
}

// rowsOf returns panel, series, x and y of what a figure draws.
func rowsOf(t *testing.T, figure *viz.Figure) []string {
	t.Helper()
	text, err := figure.CSV()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range rows[1:] {
		got = append(got, strings.Join(row[:4], ","))
	}
	return got
}

func TestFitAndEnergiesOfSeveralRuns(t *testing.T) {
	// The weight of the NLL is 1e-4.
	runs := []run.Named{
		logged(t, "none-seed0", "none", run.Metrics{TotalLoss: 1}, run.Metrics{TotalLoss: 1}),
		logged(t, "flow-seed0", "flow", run.Metrics{LossNLL: 0.02, NLLSamples: 150, EnergyInlier: 1}, run.Metrics{NLLSamples: 140, EnergyInlier: 2, EnergyOutlier: -1}),
		logged(t, "gaussian-seed0", "gaussian", run.Metrics{EnergyInlier: 3}),
		logged(t, "flow-seed1", "flow", run.Metrics{LossNLL: 0.01, EnergyInlier: 4}), // of before NLLSamples was logged
	}
	fit, err := FlowFit(runs)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"flow,seed0 inliers,1,200", "flow,seed0 inliers,2,NaN", "flow,seed0 own samples,1,150", "flow,seed0 own samples,2,140",
		"flow,seed1 inliers,1,100",
	}, rowsOf(t, fit)); diff != "" {
		t.Errorf("flow fit (-want +got):\n%s", diff)
	}
	energies, err := TrainingEnergies(runs)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"flow,seed0 inliers,1,1", "flow,seed0 inliers,2,2", "flow,seed0 outliers,2,-1",
		"flow,seed1 inliers,1,4", "gaussian,seed0 inliers,1,3",
	}, rowsOf(t, energies)); diff != "" {
		t.Errorf("energies (-want +got):\n%s", diff)
	}
	if _, err := FlowFit(runs[:1]); !errors.Is(err, viz.ErrNothing) {
		t.Errorf("runs without a flow: error %v, want ErrNothing", err)
	}
}
