package study

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"ffslab/ffs/internal/jsonfile"
	"ffslab/ffs/run"
)

// CellStatus is the status of a cell.
type CellStatus struct {
	Cell string `json:"cell"`
	// State is "waiting", "running step 7 of 90", "measuring", "done", "stopped at step 7 of 90",
	// or "failed: " and the reason.
	State string `json:"state"`
	// Stints are the processes that have computed it so far.
	Stints []Stint `json:"computed"`
	// Log is the file with the output of its process; "" if there is none.
	Log string `json:"log"`
}

// Status returns the status of the cells of the study in a folder, in the order of Run. It can be
// called while they are computed, also on another machine.
func Status(dir string) ([]CellStatus, error) {
	var p plan
	if err := jsonfile.Read(planPath(dir), &p); err != nil {
		return nil, fmt.Errorf("%s: not a study started by \"ffs study --out\", or damaged: %w: run its command again", dir, err)
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

// state returns the state at the given time, from a record and the run folder.
func (p plan) state(dir, name string, r record, now time.Time) string {
	folder := filepath.Join(dir, runsDir, name)
	if r.State == "" { // of an older version, or not started
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
		return fmt.Sprintf("failed: no sign of life since %s, at %s: was it killed? Run the command of the study to continue from its checkpoint", r.Beat.Format(time.DateTime), at)
	case r.State == training:
		return "running " + at
	}
	return r.State
}

// lastStep returns the last step in the run's metrics, 0 if there is none.
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
