package zoo_test

import (
	"path/filepath"
	"testing"

	"ffslab/data"
	_ "ffslab/data/digits" // makes "digits2:..." a data set
	"ffslab/ffs/eval"
	"ffslab/ffs/infer"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/protocol"
	"ffslab/ffs/zoo"
)

// What is recorded of a detector is what it does: its AP50 on the whole inlier set lies in the
// interval of that on the first 100 scenes.
func TestRecordedAP50IsMeasuredAgain(t *testing.T) {
	if testing.Short() {
		t.Skip("detects on 100 scenes")
	}
	dir, err := zoo.Folder("zoo:digits-flow")
	if err != nil {
		t.Fatal(err)
	}
	m, err := infer.Open(testkit.Backend(t), dir)
	if err != nil {
		t.Fatal(err)
	}
	recorded, err := eval.ReadReport(filepath.Join(dir, "eval", "metrics.json"))
	if err != nil {
		t.Fatal(err)
	}
	scenes, err := data.Open(m.Config.Data.Val+"?n=100", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	set, err := scenes.WithClasses(m.Config.Model.Classes)
	if err != nil {
		t.Fatal(err)
	}
	report, err := protocol.Run(t.Context(), protocol.Options{
		Model: m, Inlier: set, Out: t.TempDir(), Temperature: 1, Bootstrap: eval.Bootstrap{Resamples: 200},
	})
	if err != nil {
		t.Fatal(err)
	}
	ap50, interval := recorded.MAP.AP50, report.MAPIntervals.AP50
	if ap50 < interval[0] || ap50 > interval[1] || interval[1]-interval[0] > 0.1 {
		t.Errorf("AP50 %.3f is recorded; on 100 scenes it is %.3f %.3f", ap50, report.MAP.AP50, interval)
	}
}
