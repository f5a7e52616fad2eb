package study

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	_ "github.com/gomlx/compute/gobackend" // "go"
	"github.com/google/go-cmp/cmp"

	"ffslab/ffs/device"
	"ffslab/ffs/train"
)

// inProcess is a launcher that computes the cells here, in an order of its own, but for those that
// fail.
type inProcess struct {
	o     Options
	fails string
	asked []string
	over  bool
}

func (l *inProcess) Launch(ctx context.Context, job Job) (bool, error) {
	var failure error
	for i := len(job.Cells) - 1; i >= 0; i-- {
		l.asked = append(l.asked, job.Cells[i])
		if job.Cells[i] == l.fails {
			failure = fmt.Errorf("%s: broken", l.fails)
			continue
		}
		if err := RunCell(ctx, l.o, job.Cells[i]); err != nil {
			return true, err
		}
	}
	return l.over, failure
}

// TestLaunchedCellsGiveTheTablesOfRun computes the cells backwards, one of them, the baseline of a
// seed, only by the second call.
func TestLaunchedCellsGiveTheTablesOfRun(t *testing.T) {
	whole := options(t)
	new(pretended).replace(&whole)
	want, err := Run(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}

	o := options(t)
	new(pretended).replace(&o)
	launch := func(l *inProcess) (*Result, error) {
		t.Helper()
		job, err := NewJob(t.Context(), o, "", nil)
		if err != nil {
			t.Fatal(err)
		}
		return Launch(t.Context(), o, job, l)
	}
	l := &inProcess{o: o, fails: "none-seed3", over: true}
	partial, err := launch(l)
	if err == nil || !strings.Contains(err.Error(), "none-seed3: broken") {
		t.Errorf("error %v, want that of the cell", err)
	}
	if diff := cmp.Diff([]string{"flow-seed5", "none-seed5", "flow-seed3", "none-seed3"}, l.asked); diff != "" {
		t.Errorf("cells (-want +got):\n%s", diff)
	}
	row, ok := partial.row("flow", Measure{Name: "AP50"})
	if !ok || row.Values[0] == nil || row.Difference.Values[0] != nil || row.Difference.Values[1] == nil {
		t.Errorf("without its baseline a cell has a value and no difference: %+v", row)
	}
	if text := read(t, o, "study.md"); !strings.Contains(text, "UNFINISHED: 3 of 4 runs") {
		t.Errorf("study.md:\n%s", text)
	}

	l = &inProcess{o: o, over: true}
	got, err := launch(l)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"none-seed3"}, l.asked); diff != "" {
		t.Errorf("cells of the second call (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.Rows, got.Rows); diff != "" {
		t.Errorf("results (-run +launched):\n%s", diff)
	}
	for _, name := range []string{"study.md", "study.csv", "study.tex", "study.json"} {
		if diff := cmp.Diff(read(t, whole, name), read(t, o, name)); diff != "" {
			t.Errorf("%s (-run +launched):\n%s", name, diff)
		}
	}
	if _, err := os.Stat(filepath.Join(o.Out, "figures", "flow-fit.svg")); err != nil {
		t.Error(err)
	}

	l = &inProcess{o: o} // a launcher that does not wait is not asked either
	if _, err := launch(l); err != nil || l.asked != nil {
		t.Errorf("a finished study: asked for %v, error %v", l.asked, err)
	}
}

func TestRunCellNamesWhatThereIs(t *testing.T) {
	o := options(t)
	new(pretended).replace(&o)
	if err := RunCell(t.Context(), o, "flow-seed4"); err == nil || !strings.Contains(err.Error(), `cell "flow-seed4"`) || !strings.Contains(err.Error(), "flow-seed5") {
		t.Errorf("error %v", err)
	}
}

// TestRecordsSayWhatComputed interrupts a cell, continues it on another machine, and has another
// one fail.
func TestRecordsSayWhatComputed(t *testing.T) {
	o := options(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := &pretended{interrupt: "none-seed3 at 2", cancel: cancel}
	p.replace(&o)
	o.Backend = func() (compute.Backend, error) { return compute.NewWithConfig("go") }
	states := func() map[string]string {
		t.Helper()
		all, err := Status(o.Out)
		if err != nil {
			t.Fatal(err)
		}
		found := map[string]string{}
		for _, c := range all {
			found[c.Cell] = c.State
		}
		return found
	}
	if _, err := Status(o.Out); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v of a study that is not begun", err)
	}
	if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"none-seed3": "stopped at step 2 of 8", "flow-seed3": "waiting", "none-seed5": "waiting", "flow-seed5": "waiting"}, states()); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	record, err := readRecord(o.Out, "none-seed3")
	if err != nil || len(record.Stints) != 1 {
		t.Fatal(record, err)
	}
	host, _ := os.Hostname()
	if s := record.Stints[0]; s.Host != host || s.Device == "" || s.Driver != "go" || s.Begin.IsZero() {
		t.Errorf("stint %+v", s)
	}
	record.Stints[0].Machine = device.Machine{Host: "far", Device: "A", Driver: "1"}
	if err := record.save(o.Out, "none-seed3"); err != nil {
		t.Fatal(err)
	}

	trainRun := o.trainRun
	o.trainRun = func(ctx context.Context, to train.Options) error {
		if filepath.Base(to.Run.Dir) == "flow-seed5" {
			return errors.New("out of memory")
		}
		return trainRun(ctx, to)
	}
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "out of memory") {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]string{"none-seed3": "done", "flow-seed3": "done", "none-seed5": "done", "flow-seed5": "failed: out of memory"}, states()); diff != "" {
		t.Errorf("states (-want +got):\n%s", diff)
	}
	text := read(t, o, "study.md")
	if !strings.Contains(text, "WARNING: the runs were computed on different devices") || !strings.Contains(text, "A (1): none-seed3;") || !strings.Contains(text, "none-seed3, flow-seed3, none-seed5.") {
		t.Errorf("study.md does not say that devices differ:\n%s", text)
	}
	result, err := Read(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	if stints := result.Cells[0].Computed; len(stints) != 2 || stints[0].Host != "far" || stints[1].Host != host {
		t.Errorf("study.json has the stints %+v", stints)
	}
}

func TestAnUnreadableRecordIsNamed(t *testing.T) {
	o := options(t)
	new(pretended).replace(&o)
	path := recordPath(o.Out, "none-seed3")
	if err := (record{}).save(o.Out, "none-seed3"); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("error %v does not name %s", err, path)
	}
}
