package study

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ffslab/ffs/run"
)

// CellStatus is how a cell stands.
type CellStatus struct {
	Cell string `json:"cell"`
	// State is "waiting", "running step 7 of 90", "measuring", "done", "stopped at step 7 of 90" or "failed: " and why.
	State string `json:"state"`
	// Stints say what has computed it so far.
	Stints []Stint `json:"computed"`
	// Log is the file with what its process said; empty if there is none.
	Log string `json:"log"`
}

// Status reads from a study's folder how its cells stand, in the order of Run. It can be called while they are computed, also elsewhere.
func Status(dir string) ([]CellStatus, error) {
	text, err := os.ReadFile(planPath(dir))
	if err != nil {
		return nil, fmt.Errorf("%s: no study begun by \"ffs study --out\": %w", dir, err)
	}
	var p plan
	if err := json.Unmarshal(text, &p); err != nil {
		return nil, fmt.Errorf("%s: %w: give the study's command again", planPath(dir), err)
	}
	all := make([]CellStatus, len(p.Cells))
	for i, name := range p.Cells {
		record, err := readRecord(dir, name)
		if err != nil {
			return nil, err
		}
		all[i] = CellStatus{Cell: name, State: p.state(dir, name, record, time.Now()), Stints: record.Stints}
		if _, err := os.Stat(LogPath(dir, name)); err == nil {
			all[i].Log = LogPath(dir, name)
		}
	}
	return all, nil
}

// state says in words what a record and the run's folder tell at that time.
func (p plan) state(dir, name string, r Record, now time.Time) string {
	folder := filepath.Join(dir, runsDir, name)
	if r.State == "" { // of before there were records, or not begun
		if _, err := os.Stat(filepath.Join(folder, "eval", "source.json")); err == nil {
			return done
		}
		return "waiting"
	}
	at := fmt.Sprintf("step %d of %d", lastStep(folder), p.Steps)
	switch {
	case r.State == failed:
		return "failed: " + r.Why
	case r.State == stopped:
		return "stopped at " + at
	case r.State == done:
		return done
	case now.Sub(r.Beat) > silence:
		return fmt.Sprintf("failed: no sign of life since %s, at %s: killed? the study's command goes on from its checkpoint", r.Beat.Format(time.DateTime), at)
	case r.State == training:
		return "running " + at
	}
	return r.State
}

// lastStep is the last one in the run's metrics, 0 if there is none.
func lastStep(folder string) int {
	r, err := run.Open(folder)
	if err != nil {
		return 0
	}
	metrics, err := r.ReadMetrics()
	if err != nil || len(metrics) == 0 {
		return 0
	}
	return metrics[len(metrics)-1].Step
}
