package protocol

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/data"
	"ffslab/ffs/internal/tiny"
)

// tenImages are three batches of one size, and two of another.
func tenImages(t *testing.T, out string) Options {
	t.Helper()
	o := options(t)
	o.Inlier, o.Outliers, o.Out = tiny.Squares("squares:val", 10, "red", "blue"), []*data.Dataset{tiny.Squares("squares:ood", 5, "green")}, out
	return o
}

// TestShardsMergeToTheBytesOfTheWhole runs one of two shards, which is stopped and taken up; the
// whole detects the images of the other one alone.
func TestShardsMergeToTheBytesOfTheWhole(t *testing.T) {
	whole := tenImages(t, t.TempDir())
	if _, err := Run(t.Context(), whole); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stopped := tenImages(t, dir)
	stopped.Progress = func(string, int, int) { cancel() }
	if err := RunShard(ctx, stopped, Shard{1, 2}); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v of a shard that was stopped", err)
	}
	totals := map[string]int{}
	again := tenImages(t, dir)
	again.Progress = func(set string, _, total int) { totals[set] = total }
	if err := RunShard(t.Context(), again, Shard{1, 2}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"squares:val": 6, "squares:ood": 4}, totals); diff != "" { // batches of 4, 4, 2 and of 4, 1
		t.Errorf("images of the shard (-want +got):\n%s", diff)
	}
	if _, err := os.Stat(filepath.Join(dir, "metrics.json")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a shard measures: %v", err)
	}

	last := tenImages(t, dir)
	var notes []string
	last.Note = func(note string) { notes = append(notes, note) }
	detected := countRenders(last.Inlier)
	if _, err := Run(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]int{1, 0, 0, 1, 1, 1, 2, 1, 0, 0}, detected); diff != "" { // images 0, 3 and 6 are looked at to recognise the set
		t.Errorf("pictures that the merging evaluation has read (-want +got):\n%s", diff)
	}
	if text := strings.Join(notes, "\n"); !strings.Contains(text, "squares:val: 6 of 10 images come from detections.shard-1-of-2.jsonl") {
		t.Errorf("notes:\n%s", text)
	}
	if diff := cmp.Diff(files(t, whole.Out), files(t, dir)); diff != "" {
		t.Errorf("files (-whole +shards):\n%s", diff)
	}
}

// With scores the shards keep features, too. A shard that was detected without them is not taken
// in: its images would have none.
func TestShardsKeepFeatures(t *testing.T) {
	with := func(dir string) Options {
		o := tenImages(t, dir)
		s := scored(t)
		o.Scores, o.Train = s.Scores, s.Train
		return o
	}
	whole := with(t.TempDir())
	if _, err := Run(t.Context(), whole); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := RunShard(t.Context(), with(dir), Shard{1, 2}); err != nil {
		t.Fatal(err)
	}
	if err := RunShard(t.Context(), tenImages(t, dir), Shard{2, 2}); err != nil {
		t.Fatal(err)
	}
	last := with(dir)
	var notes []string
	last.Note = func(note string) { notes = append(notes, note) }
	if _, err := Run(t.Context(), last); err != nil {
		t.Fatal(err)
	}
	text := strings.Join(notes, "\n")
	for _, want := range []string{"6 of 10 images come from detections.shard-1-of-2.features.jsonl", "detections.shard-2-of-2.jsonl: left out"} {
		if !strings.Contains(text, want) {
			t.Errorf("notes without %q:\n%s", want, text)
		}
	}
	want, got := files(t, whole.Out), files(t, dir)
	for _, set := range []string{"squares-val", "squares-ood"} {
		delete(got, filepath.Join(set, "detections.shard-2-of-2.jsonl"))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-whole +shards):\n%.2000s", diff)
	}
}

// Records of another evaluation are neither used nor removed.
func TestForeignShardsAreLeftAlone(t *testing.T) {
	dir := t.TempDir()
	other := tenImages(t, dir)
	other.Inlier.Images = other.Inlier.Images[:9]
	if err := RunShard(t.Context(), other, Shard{1, 2}); err != nil {
		t.Fatal(err)
	}
	o := tenImages(t, dir)
	var notes []string
	o.Note = func(note string) { notes = append(notes, note) }
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if text := strings.Join(notes, "\n"); !strings.Contains(text, "shard-1-of-2.jsonl: left out") || !strings.Contains(text, "different: the set") {
		t.Errorf("notes:\n%s", text)
	}
	if _, err := os.Stat(filepath.Join(dir, "squares-val", "detections.shard-1-of-2.jsonl")); err != nil {
		t.Error(err)
	}
}

func TestParseShard(t *testing.T) {
	if s, err := ParseShard("2/8"); err != nil || s != (Shard{2, 8}) {
		t.Errorf("2/8: %v, %v", s, err)
	}
	for _, text := range []string{"", "2", "0/8", "9/8", "2/8x", "2/8 x", "-1/8", "2/0", "a/b"} {
		if s, err := ParseShard(text); err == nil || !strings.Contains(err.Error(), "2/8") {
			t.Errorf("%q: %v, error %v", text, s, err)
		}
	}
}
