package chaos

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ffslab/ffs/run"
)

// damages change a file's bytes.
var damages = map[string]func(rng *rand.Rand, data []byte) []byte{
	"a flipped bit": func(rng *rand.Rand, data []byte) []byte {
		data[rng.IntN(len(data))] ^= 1 << rng.IntN(8)
		return data
	},
	"random bytes": func(rng *rand.Rand, data []byte) []byte {
		part := somewhere(rng, data)
		for i := range part {
			part[i] = byte(rng.Uint32())
		}
		return data
	},
	"a digit": func(rng *rand.Rand, data []byte) []byte { // the damage that is hardest to see
		start := rng.IntN(len(data))
		for i := range data {
			if b := &data[(start+i)%len(data)]; *b >= '0' && *b <= '9' {
				*b = '0' + (*b-'0'+1+byte(rng.IntN(9)))%10
				break
			}
		}
		return data
	},
	"zeros":       func(rng *rand.Rand, data []byte) []byte { clear(somewhere(rng, data)); return data },
	"cut off":     func(rng *rand.Rand, data []byte) []byte { return data[:rng.IntN(len(data))] },
	"bytes added": func(rng *rand.Rand, data []byte) []byte { return append(data, make([]byte, 1+rng.IntN(4096))...) },
	"a part twice": func(rng *rand.Rand, data []byte) []byte {
		at := rng.IntN(len(data))
		return slices.Insert(data, at, bytes.Clone(somewhere(rng, data))...)
	},
	"a part lost": func(rng *rand.Rand, data []byte) []byte {
		at := rng.IntN(len(data))
		return slices.Delete(data, at, at+rng.IntN(len(data)-at))
	},
}

// somewhere is a part of the data of at most 4 KiB.
func somewhere(rng *rand.Rand, data []byte) []byte {
	at := rng.IntN(len(data))
	return data[at : at+1+rng.IntN(min(4096, len(data)-at))]
}

// stoppedAt is the step at which the run was stopped whose files are damaged.
const stoppedAt = 5

// stopped copies the undisturbed run as it was after a step, with three checkpoints.
func stopped(t *testing.T, want *reference) (dir string) {
	t.Helper()
	dir = filepath.Join(t.TempDir(), "run")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.CopyFS(dir, os.DirFS(want.dir)))
	for step := 1; step <= lastStep; step++ {
		if step <= stoppedAt-3 || step > stoppedAt {
			must(os.Remove(checkpointPath(dir, step)))
		}
	}
	path := filepath.Join(dir, "metrics.jsonl")
	text, err := os.ReadFile(path)
	must(err)
	lines := slices.Collect(bytes.Lines(text))
	must(os.WriteFile(path, bytes.Join(lines[:stoppedAt+1], nil), 0o644))
	return dir
}

// damageFile damages one file of a run that was stopped. What is then read from the run must be
// what was written, and be said where it is not the newest; now and then the run goes on, to the
// same numbers or to one error.
func damageFile(t *testing.T, rng *rand.Rand, want *reference) string {
	dir := stopped(t, want)
	var all []string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	path := all[rng.IntN(len(all))]
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	name := slices.Sorted(maps.Keys(damages))[rng.IntN(len(damages))]
	t.Logf("%s: %s", filepath.Base(path), name)
	damaged := append(make([]byte, 0, 8), 0)
	if len(data) > 0 {
		damaged = damages[name](rng, bytes.Clone(data))
	}
	if err := os.WriteFile(path, damaged, 0o644); err != nil {
		t.Fatal(err)
	}
	outcome := read(t, dir, want)
	if rng.IntN(6) > 0 || t.Failed() {
		return outcome
	}
	out, err := command(dir, trainArgs(dir)...).CombinedOutput()
	if err != nil {
		tells(t, out, dir)
		if outcome != refused {
			t.Errorf("%s, but training does not go on:\n%s", outcome, out)
		}
		return outcome + "; trained on: one error"
	}
	if outcome == refused {
		t.Errorf("what cannot be read was trained on:\n%s", out)
	}
	want.same(t, dir)
	return outcome + "; trained on: same numbers"
}

const refused = "refused"

// read looks at a damaged run as evaluation and figures do.
func read(t *testing.T, dir string, want *reference) (outcome string) {
	t.Helper()
	explain := func(err error) {
		if text := err.Error(); !strings.HasPrefix(text, dir) || strings.Count(text, ": ") < 1 || strings.ContainsAny(text, "\n\x1b\x00") {
			t.Errorf("the error does not name a file and say what it is about: %q", text)
		}
	}
	r, err := run.Open(dir)
	if err != nil {
		explain(err)
		return refused
	}
	newest, err := r.Newest()
	if err != nil {
		explain(err)
		return refused
	}
	step := want.agrees(t, dir)
	outcome = "whole"
	if step < stoppedAt {
		outcome = "an older checkpoint"
		if len(newest.Notes) == 0 {
			t.Errorf("the checkpoint of step %d is used and nothing said of step %d", step, stoppedAt)
		}
	}
	metrics, err := r.ReadMetrics()
	if err != nil {
		explain(err)
		return outcome + ", metrics refused"
	}
	before, err := run.Open(want.dir)
	if err != nil {
		t.Fatal(err)
	}
	whole, err := before.ReadMetrics()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range metrics {
		if m.Step < 1 || m.Step > len(whole) || fmt.Sprint(whole[m.Step-1]) != fmt.Sprint(m) {
			t.Errorf("metrics hold %+v", m)
		}
	}
	return outcome
}
