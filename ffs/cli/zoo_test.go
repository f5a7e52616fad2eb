package cli

import (
	"encoding/json"
	"strings"
	"testing"

	"ffslab/ffs/eval"
)

// What was not computed is not shown as 0.
func TestZooEntryWithoutIntervals(t *testing.T) {
	report := &eval.Report{MAP: eval.Stats{AP50: 0.5}, Outliers: map[string]*eval.Outcome{
		"birds": {Scores: map[string]eval.Separation{"energy": {AUROC: 0.75}}}, "empty": {},
	}}
	var e zooEntry
	e.take(report)
	if text := e.ap50(); text != "50.0" {
		t.Errorf("AP50 %q", text)
	}
	text, err := json.Marshal(e)
	if err != nil || !strings.Contains(string(text), `"ap50_ci95":null,"energy_auroc":{"birds":0.75}`) {
		t.Errorf("error %v, JSON %s", err, text)
	}

	report.MAPIntervals = &eval.StatsIntervals{AP50: eval.Interval{0.4, 0.625}}
	e.take(report)
	if text := e.ap50(); text != "50.0 [40.0, 62.5]" {
		t.Errorf("AP50 %q", text)
	}
	report.MAP.AP50 = -1 // nothing annotated
	e.take(report)
	if text := e.ap50(); text != "-" {
		t.Errorf("AP50 %q", text)
	}
}
