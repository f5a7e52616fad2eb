package explore

import (
	"strings"
	"testing"

	"ffslab/ffs/run"
)

// A variant is trained once, under its own settings; a session of several runs compares them on the
// same images.
func TestVariantsAreTrainedAndCompared(t *testing.T) {
	s := tinySession(t)
	s.options.Preset.Train.MaxIter = 3
	train := func() (run.Named, []run.Metrics) {
		t.Helper()
		r, err := s.TrainVariant("mine", 3, "model.outlier.method=gaussian", "model.outlier.queue=2", "model.loss.condition_number=0.01")
		if err != nil {
			t.Fatal(err)
		}
		log, err := r.ReadMetrics()
		if err != nil {
			t.Fatal(err)
		}
		return r, log
	}
	first, log := train()
	if len(log) != 3 || log[2].Terms["loss_condition_number"] <= 0 {
		t.Fatalf("log %+v; want three steps with the term", log)
	}
	if _, again := train(); len(again) != 3 || again[2].Seconds != log[2].Seconds {
		t.Errorf("the finished variant was trained again: %+v", again)
	}
	of := s.Of(first, first)
	evaluations, err := of.Evaluate()
	if err != nil {
		t.Fatal(err)
	}
	table, err := PairedTable(evaluations)
	if err != nil {
		t.Fatal(err)
	}
	if text := table.String(); !strings.Contains(text, "difference from mine") || !strings.Contains(text, "AP50") {
		t.Errorf("table:\n%s", text)
	}
	if _, err := s.TrainVariant("bad", 3, "model.outlier.methd=none"); err == nil || !strings.Contains(err.Error(), "methd") {
		t.Errorf("an unknown setting: %v", err)
	}
	for d, want := range map[float64]string{0.0123: "+1.2", -0.0004: "0.0", 0.0004: "0.0", -0.05: "-5.0"} {
		if got := inPoints(d); got != want {
			t.Errorf("%v in points is %q, want %q", d, got, want)
		}
	}
}
