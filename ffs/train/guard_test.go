package train

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/loss"
	"ffslab/ffs/options"
)

// misbehave is what the loss term "test_bad" does.
var misbehave func(in loss.Input) *graph.Node

func init() {
	loss.Register(loss.Term{Name: "test_bad", New: func(o options.Options) (loss.Func, error) {
		return func(in loss.Input) *graph.Node { return misbehave(in) }, o.Decode(&struct{}{})
	}})
}

// A part that panics with anything, or returns what is no scalar, is an error that names it, before
// a step is made and instead of one.
func TestFaultsOfPartsAreErrors(t *testing.T) {
	c := tinyConfig(t, "model.loss.test_bad=1")
	for want, fault := range map[string]func(in loss.Input) *graph.Node{
		`loss term "test_bad": my own words`: func(loss.Input) *graph.Node { panic("my own words") },
		`loss term "test_bad": 42`:           func(loss.Input) *graph.Node { panic(42) },
		"model.loss.test_bad:":               func(in loss.Input) *graph.Node { return in.Features },
		"want a float32":                     func(loss.Input) *graph.Node { return nil },
	} {
		misbehave = fault
		if err := Check(testkit.Backend(t), c, 1, 1); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Check: error %v, want %q", err, want)
		}
		r := newRun(t, filepath.Join(t.TempDir(), "run"), c)
		err := Train(t.Context(), Options{Backend: testkit.Backend(t), Run: r, Data: squares(4)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("Train: error %v, want %q", err, want)
		}
		if _, err := os.Stat(r.Path("checkpoints", "step-00000002.safetensors")); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a checkpoint of a training that could not start: %v", err)
		}
	}
}
