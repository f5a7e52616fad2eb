package run

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
)

// Finding is what Inspect found out about a file of a run.
type Finding struct {
	// File is relative to the folder of the run; "." is the run as a whole.
	File string `json:"file"`
	// Whole says that the file is as the program wrote it, or that it cannot be checked and shows
	// no damage.
	Whole bool `json:"whole"`
	// Text says how the file can be used, or what is wrong with it.
	Text string `json:"text"`
}

// Inspect reads every file of the run in a folder, checks every checksum, and says which can be
// used. It is an error if the folder is not a run.
func Inspect(dir string) ([]Finding, error) {
	r, err := Open(dir)
	first := Finding{configFile, true, "whole"}
	if errors.Is(err, errSeal) {
		first.Whole, first.Text = false, within(filepath.Join(dir, configFile), err)
		if r, err = openBroken(dir); err != nil {
			return []Finding{first, {".", false, unusable}}, nil
		}
	} else if err == nil && !r.sealed {
		first.Text = "without a checksum: of an older version, or edited"
	}
	if err != nil {
		return nil, err
	}
	steps, err := r.Checkpoints()
	if err != nil {
		return nil, err
	}
	all := []Finding{first}
	usable := -1
	for _, step := range steps {
		f := Finding{File: filepath.Join(checkpointsDir, filepath.Base(r.checkpointPath(step)))}
		c, _, err := r.readStep(step)
		switch {
		case err != nil:
			f.Text = within(r.checkpointPath(step), err)
		case len(c.Notes) > 0:
			f.Whole, f.Text, usable = true, within(r.checkpointPath(step), errors.New(c.Notes[0])), step
		default:
			f.Whole, f.Text, usable = true, "whole; weights "+c.Digest[:12], step
		}
		all = append(all, f)
	}
	metrics, err := r.inspectMetrics()
	if err != nil {
		return nil, err
	}
	all = append(all, metrics)
	whole := Finding{".", true, fmt.Sprintf("the checkpoint of step %d of %d is the newest that can be used", usable, r.Config.Train.MaxIter)}
	switch {
	case !first.Whole:
		whole.Whole, whole.Text = false, unusable
	case usable < 0 && len(steps) > 0:
		whole.Whole, whole.Text = false, "no checkpoint can be used: restore one from a backup, or train or import again into another folder"
	case usable < 0 && r.Config.Origin.Weights != "":
		whole.Whole, whole.Text = false, r.errNone().Error()
	case usable < 0:
		whole.Text = "there is no checkpoint yet: resuming starts at step 0"
		if logged, err := r.logged(); err != nil {
			return nil, err
		} else if r.lost(logged) {
			whole.Whole, whole.Text = false, startsAgain(logged)+" if it is resumed; or restore the checkpoints from a backup"
		}
	case usable < steps[len(steps)-1]:
		whole.Text += "; resuming continues from there"
	}
	return append(all, whole), nil
}

const unusable = "nothing can be used before config.yaml is restored"

func (r *Run) inspectMetrics() (Finding, error) {
	f := Finding{File: metricsFile, Whole: true}
	lines, err := readLines(r.Path(metricsFile))
	if err != nil {
		return f, err
	}
	last := 0
	var damaged []string
	for _, l := range lines {
		m, err := l.metrics(last)
		if err != nil && !l.cut {
			damaged = append(damaged, fmt.Sprintf("line %d: %v", l.number, err))
		} else if err == nil {
			last = m.Step
		}
	}
	f.Text = fmt.Sprintf("whole, up to step %d", last)
	if len(damaged) > 0 {
		f.Whole = false
		f.Text = fmt.Sprintf("%d of %d lines are damaged (%s): resuming leaves them out", len(damaged), len(lines), damaged[0])
	}
	return f, nil
}

// logged returns the last step in metrics.jsonl, 0 if there is none.
func (r *Run) logged() (step int, err error) {
	lines, err := readLines(r.Path(metricsFile))
	for _, l := range lines {
		if m, err := l.metrics(step); err == nil {
			step = m.Step
		}
	}
	return step, err
}

// within returns the text of the error without the name of its file.
func within(path string, err error) string {
	text := strings.TrimPrefix(err.Error(), path)
	return strings.TrimPrefix(text, ": ")
}
