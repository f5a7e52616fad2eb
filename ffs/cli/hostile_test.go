package cli

import (
	"strings"
	"testing"
	"time"

	"ffslab/data"
	"ffslab/viz/escape/hostile"
)

// The names of a data set's file and class, and of a run, reach the terminal by results, notes,
// progress and errors.
func TestHostileNamesOnTheTerminal(t *testing.T) {
	t.Run("results", func(t *testing.T) {
		var out strings.Builder
		stats := data.Stats{Set: hostile.Name, Annotations: hostile.Name, Notes: []string{hostile.Name}}
		stats.Classes = append(stats.Classes, data.ClassStats{Name: hostile.Name, Images: 1})
		if err := printStats(&out, stats); err != nil {
			t.Fatal(err)
		}
		printDuplicates(&out, []data.Duplicate{{Places: []data.Place{{File: hostile.Name, Set: hostile.Name}}}})
		hostile.Terminal(t, out.String())
	})
	t.Run("progress", func(t *testing.T) {
		var out strings.Builder
		bar := newTrainBar(&out)
		bar.Warn(hostile.Name)
		(&setProgress{w: &out}).update(hostile.Name, 1, 1)
		progress := studyProgress{trainBar: bar, begin: time.Now()}
		progress.Cell(1, 2, hostile.Name, hostile.Name)
		progress.Note(hostile.Name)
		hostile.Terminal(t, out.String())
	})
	t.Run("errors", func(t *testing.T) {
		out, err := program(t, "train", "--run", "\x1b\u202e"+hostile.Name, "--resume").CombinedOutput()
		if err == nil || !strings.Contains(string(out), "javascript") {
			t.Errorf("no error about the folder: %v, %s", err, out)
		}
		if strings.ContainsAny(string(out), "\x1b\u202e") {
			t.Errorf("control characters are in %q", out)
		}
	})
}
