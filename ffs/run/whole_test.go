package run

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/gofrs/flock"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/config"
)

func preset(t *testing.T, settings ...string) config.Config {
	t.Helper()
	c, err := config.Load("digits", settings...)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return all
}

// A run's folder appears whole or not at all, whatever a process that was killed has left there,
// and what is somebody's is never taken for that.
func TestCreateIsWholeOrNothing(t *testing.T) {
	for what, c := range map[string]struct {
		left  []string // files in the folder that holds the run's; folders end with /
		fault string
	}{
		"no folder":                         {},
		"an empty folder":                   {left: []string{"run/"}},
		"killed beside it":                  {left: []string{".run.new/checkpoints/.step-1", ".run.new/.lock"}},
		"killed in it":                      {left: []string{"run/.new/.config.yaml12"}},
		"killed as it moved up":             {left: []string{"run/.new/config.yaml", "run/checkpoints/step-00000000.safetensors", "run/.lock"}},
		"killed by an earlier version":      {left: []string{"run/checkpoints/", "run/.lock", "run/.config.yaml123"}},
		"checkpoints without a config.yaml": {left: []string{"run/checkpoints/step-00000100.safetensors", "run/.lock"}, fault: "not empty"},
		"somebody's file":                   {left: []string{"run/notes.txt"}, fault: "not empty"},
	} {
		t.Run(what, func(t *testing.T) {
			parent := t.TempDir()
			for _, name := range c.left {
				path := filepath.Join(parent, name)
				must(t, os.MkdirAll(filepath.Dir(path), 0o755))
				if strings.HasSuffix(name, "/") {
					must(t, os.MkdirAll(path, 0o755))
				} else {
					must(t, os.WriteFile(path, []byte("x"), 0o644))
				}
			}
			dir := filepath.Join(parent, "run")
			r, err := Create(dir, preset(t))
			if c.fault != "" {
				if err == nil || !strings.Contains(err.Error(), c.fault) {
					t.Fatalf("error %v, want one with %q", err, c.fault)
				}
				if left := names(t, dir); len(left) != len(c.left) {
					t.Errorf("left %q", left)
				}
				return
			}
			must(t, err)
			defer r.Close()
			if made := names(t, dir); !slices.Equal(made, []string{".lock", "checkpoints", "config.yaml"}) {
				t.Errorf("the run is made of %q", made)
			}
			if made := append(names(t, parent), names(t, r.Path(checkpointsDir))...); !slices.Equal(made, []string{"run"}) {
				t.Errorf("left: %q", made)
			}
			if _, err := Resume(dir); err == nil || !strings.Contains(err.Error(), "another process") {
				t.Errorf("the new run is not locked: %v", err)
			}
		})
	}
}

func TestTwoProcessesDoNotMakeOneRun(t *testing.T) {
	parent := t.TempDir()
	must(t, os.Mkdir(filepath.Join(parent, ".run.new"), 0o755))
	lock := flock.New(filepath.Join(parent, ".run.new", lockFile))
	if ok, err := lock.TryLock(); err != nil || !ok {
		t.Fatal(ok, err)
	}
	defer lock.Unlock()
	if _, err := Create(filepath.Join(parent, "run"), preset(t)); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Errorf("error %v", err)
	}
	if left := names(t, parent); !slices.Equal(left, []string{".run.new"}) {
		t.Errorf("the other process's folder is gone: %q", left)
	}
}

// An import that fails leaves nothing, and a run that starts from imported weights never starts
// without them.
func TestImportedRunNeedsItsWeights(t *testing.T) {
	parent := t.TempDir()
	dir := filepath.Join(parent, "run")
	if _, err := Import(dir, preset(t), storeOf(t, float32(math.NaN())), 0); err == nil {
		t.Fatal("NaN was imported")
	}
	if left := names(t, parent); len(left) > 0 {
		t.Errorf("the failed import has left %q", left)
	}
	r, err := Import(dir, preset(t), storeOf(t, 1), 0)
	must(t, err)
	defer r.Close()
	reopened, err := Open(dir)
	must(t, err)
	from, err := reopened.Start(model.NewStore())
	if err != nil || from.Digest != reopened.Config.Origin.Weights || from.Digest == "" {
		t.Errorf("it starts from %v, %v; marked with %q", from, err, reopened.Config.Origin.Weights)
	}
	must(t, os.Remove(r.checkpointPath(0)))
	if _, err := reopened.Start(model.NewStore()); err == nil || !strings.Contains(err.Error(), "imported weights") {
		t.Errorf("without its weights: %v", err)
	}
	plain := newRun(t)
	if from, err := plain.Start(model.NewStore()); err != nil || from.Digest != "" {
		t.Errorf("a new run starts from %v, %v", from, err)
	}
}

// rewrite changes the header of a checkpoint and puts its bytes together again.
func rewrite(t *testing.T, path string, change func(header map[string]any)) {
	t.Helper()
	data, err := os.ReadFile(path)
	must(t, err)
	length := binary.LittleEndian.Uint64(data)
	var header map[string]any
	must(t, json.Unmarshal(data[8:8+length], &header))
	change(header)
	text, err := json.Marshal(header)
	must(t, err)
	out := append(binary.LittleEndian.AppendUint64(nil, uint64(len(text))), text...)
	must(t, os.WriteFile(path, append(out, data[8+length:]...), 0o644))
}

func metadataOf(header map[string]any) map[string]any {
	return header["__metadata__"].(map[string]any)
}

// What is wrong with the newest checkpoint is said, and the one before is used; if none can be
// used, that is an error with the remedy.
func TestDamagedCheckpointsArePassedOver(t *testing.T) {
	onBytes := func(change func(data []byte) []byte) func(*testing.T, string) {
		return func(t *testing.T, path string) {
			data, err := os.ReadFile(path)
			must(t, err)
			must(t, os.WriteFile(path, change(data), 0o644))
		}
	}
	inHeader := func(change func(header map[string]any)) func(*testing.T, string) {
		return func(t *testing.T, path string) { rewrite(t, path, change) }
	}
	for what, c := range map[string]struct {
		damage func(t *testing.T, path string)
		want   string
	}{
		"a flipped bit": {onBytes(func(d []byte) []byte { d[len(d)-3] ^= 1; return d }), "checksum"},
		"zeros":         {onBytes(func(d []byte) []byte { clear(d[len(d)-8:]); return d }), "checksum"},
		"cut off":       {onBytes(func(d []byte) []byte { return d[:len(d)-1] }), "bytes of data"},
		"empty":         {onBytes(func(d []byte) []byte { return nil }), "empty"},
		"random":        {onBytes(func(d []byte) []byte { return bytes.Repeat([]byte{0x5a, 0x17}, 500) }), "not a checkpoint"},
		"a renamed tensor": {inHeader(func(h map[string]any) {
			h["/roi_heads/fc2/weight"] = h["/roi_heads/fc1/weight"]
			delete(h, "/roi_heads/fc1/weight")
		}), "checksum"},
		"another step told":      {inHeader(func(h map[string]any) { metadataOf(h)[stepKey] = "301" }), "checksum"},
		"no checksum":            {inHeader(func(h map[string]any) { delete(metadataOf(h), "ffslab.checksum") }), "lacks its checksum"},
		"another program's file": {inHeader(func(h map[string]any) { delete(h, "__metadata__") }), "not a checkpoint of a run"},
		"another step's file": {func(t *testing.T, path string) {
			data, err := os.ReadFile(strings.Replace(path, "300", "200", 1))
			must(t, err)
			must(t, os.WriteFile(path, data, 0o644))
		}, "the checkpoint of step 200: rename it back"},
		"an old file with NaN": {func(t *testing.T, path string) {
			rewrite(t, path, func(h map[string]any) { h["__metadata__"] = map[string]any{stepKey: "300"} })
			data, err := os.ReadFile(path)
			must(t, err)
			at := bytes.Index(data, binary.LittleEndian.AppendUint32(nil, math.Float32bits(2))) // the second weight
			binary.LittleEndian.PutUint32(data[at:], math.Float32bits(float32(math.Inf(1))))
			must(t, os.WriteFile(path, data, 0o644))
		}, "not finite"},
	} {
		t.Run(what, func(t *testing.T) {
			r := newRun(t)
			r.Config.Train.KeepCheckpoints = 3
			must(t, r.saveConfig())
			for _, step := range []int{200, 300} {
				must(t, r.Save(storeOf(t, float32(step)), step))
			}
			c.damage(t, r.checkpointPath(300))
			store := model.NewStore()
			loaded, err := r.Load(store)
			must(t, err)
			weights := store.GetVariable("/roi_heads/fc1/weight").MustValue().Value().([]float32)
			if loaded.Step != 200 || weights[0] != 200 {
				t.Errorf("step %d and weights %v, want those of step 200", loaded.Step, weights)
			}
			if len(loaded.Notes) != 1 || !strings.Contains(loaded.Notes[0], "step-00000300") || !strings.Contains(loaded.Notes[0], c.want) {
				t.Errorf("notes %q, want one that names the file and %q", loaded.Notes, c.want)
			}
			must(t, os.Remove(r.checkpointPath(200)))
			if _, err := r.Load(model.NewStore()); err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "from a backup") {
				t.Errorf("with no other checkpoint: %v", err)
			}
		})
	}
}

// A damaged checkpoint is newer than those that a training writes next: it must not make them go.
func TestTrainingGoesOnBesideADamagedCheckpoint(t *testing.T) {
	r := newRun(t)
	for _, step := range []int{100, 500} {
		must(t, r.Save(storeOf(t, float32(step)), step))
	}
	must(t, os.WriteFile(r.checkpointPath(500), []byte("x"), 0o644))
	r.Config.Train.KeepCheckpoints = 1
	if newest, err := r.Newest(); err != nil || newest.Step != 100 { // which moves nothing
		t.Errorf("%v, %v", newest, err)
	}
	from, err := r.Start(model.NewStore())
	if err != nil || from.Step != 100 || len(from.Notes) != 1 {
		t.Errorf("starts from %v, %v", from, err)
	}
	must(t, r.Save(storeOf(t, 200), 200))
	if left := names(t, r.Path(checkpointsDir)); !slices.Equal(left, []string{"step-00000200.safetensors", "step-00000500.safetensors.damaged"}) {
		t.Errorf("left: %q", left)
	}
}

// What a process that was killed after it wrote its last checkpoint has not come to remove goes at
// the next start.
func TestOldCheckpointsGoAtTheNextStart(t *testing.T) {
	r := newRun(t)
	for _, step := range []int{100, 200} {
		must(t, r.Save(storeOf(t, 1), step))
	}
	r.Config.Train.KeepCheckpoints = 1
	if from, err := r.Start(model.NewStore()); err != nil || from.Step != 200 {
		t.Errorf("starts from %v, %v", from, err)
	}
	if left := names(t, r.Path(checkpointsDir)); !slices.Equal(left, []string{"step-00000200.safetensors"}) {
		t.Errorf("left: %q", left)
	}
}

// No byte of a checkpoint can change without being noticed, but for those that hold nothing.
func TestEveryByteOfACheckpointCounts(t *testing.T) {
	r := newRun(t)
	must(t, r.Save(storeOf(t, 1), 100))
	want, err := r.Newest()
	must(t, err)
	whole, err := os.ReadFile(r.checkpointPath(100))
	must(t, err)
	noticed := 0
	for at := range whole {
		damaged := bytes.Clone(whole)
		damaged[at] ^= 1 << (at % 8)
		must(t, os.WriteFile(r.checkpointPath(100), damaged, 0o644))
		got, err := r.Newest()
		if err != nil {
			noticed++
		} else if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("byte %d of %d: %v, want %v", at, len(whole), got, want)
		}
	}
	if noticed < len(whole)*9/10 {
		t.Errorf("%d of %d damaged bytes were noticed", noticed, len(whole))
	}
}

func TestOldCheckpointsOpenWithANote(t *testing.T) {
	r := newRun(t)
	must(t, r.Save(storeOf(t, 1), 100))
	rewrite(t, r.checkpointPath(100), func(h map[string]any) { h["__metadata__"] = map[string]any{stepKey: "100"} })
	loaded, err := r.Load(model.NewStore())
	if err != nil || loaded.Step != 100 || len(loaded.Notes) != 1 || !strings.Contains(loaded.Notes[0], "without a checksum") {
		t.Errorf("%v, %v", loaded, err)
	}
}

// edit replaces text in config.yaml, with or without its checksum.
func edit(t *testing.T, r *Run, from, to string, sealed bool) {
	t.Helper()
	text, err := os.ReadFile(r.Path(configFile))
	must(t, err)
	if !bytes.Contains(text, []byte(from)) {
		t.Fatalf("%s holds no %q", configFile, from)
	}
	text = bytes.Replace(text, []byte(from), []byte(to), 1)
	if !sealed {
		text = text[:bytes.Index(text, []byte(sealMark))]
	}
	must(t, os.WriteFile(r.Path(configFile), text, 0o644))
}

// A run whose configuration was changed is not used with it: the key is named, with both values.
func TestChangedConfigurationIsAnError(t *testing.T) {
	for _, c := range []struct {
		from, to string
		sealed   bool
		want     []string
	}{
		{"fc_dim: 64", "fc_dim: 96", true, []string{configFile, "changed since", "model.roi.fc_dim is 96, and 64 in the checkpoint of step 100"}},
		{"base_lr: 0.", "base_lr: 1.", true, []string{configFile, "changed since", "train.base_lr is 1."}},
		{"fc_dim: 64", "fc_dim: [", true, []string{configFile, "changed since", "from a backup"}},
		{"fc_dim: 64", "fc_dim: 96", false, []string{"step-00000100", "model.roi.fc_dim 64, which is 96 in config.yaml: put it back"}},
		{"max_iter: ", "max_iter: 9", false, []string{"step-00000100", "train.max_iter", "resume the run with the new setting"}},
	} {
		r := newRun(t)
		r.Config = preset(t, "model.roi.fc_dim=64", "train.keep_checkpoints=2")
		must(t, r.saveConfig())
		must(t, r.Save(storeOf(t, 1), 100))
		edit(t, r, c.from, c.to, c.sealed)
		reopened, err := Open(r.Dir)
		if err == nil {
			_, err = reopened.Load(model.NewStore())
		}
		for _, want := range c.want {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s, sealed %v: error %v, want one with %q", c.to, c.sealed, err, want)
			}
		}
	}
}

// A change of the training that is meant is written down, and older checkpoints go on; the model's
// cannot be changed.
func TestChangeOfTheTraining(t *testing.T) {
	r := newRun(t)
	must(t, r.Save(storeOf(t, 1), 100))
	longer := r.Config
	longer.Train.MaxIter += 900
	must(t, r.Change(longer))
	reopened, err := Open(r.Dir)
	must(t, err)
	if reopened.Config.Train.MaxIter != longer.Train.MaxIter {
		t.Errorf("max_iter is %d", reopened.Config.Train.MaxIter)
	}
	if loaded, err := reopened.Load(model.NewStore()); err != nil || loaded.Step != 100 {
		t.Errorf("%v, %v", loaded, err)
	}
	other := longer
	other.Model.ROI.FCDim *= 2
	if err := r.Change(other); err == nil || !strings.Contains(err.Error(), "model.roi.fc_dim cannot become") {
		t.Errorf("error %v", err)
	}
}

// Damaged lines go, and only they; what else there is stays as it was written.
func TestDamagedMetrics(t *testing.T) {
	for what, c := range map[string]struct {
		damage func(text string) string
		want   []int // steps
		notes  []string
	}{
		"whole":   {func(s string) string { return s }, []int{1, 2, 3, 4}, nil},
		"a digit": {func(s string) string { return strings.Replace(s, `"total_loss":1.5`, `"total_loss":7.5`, 1) }, []int{1, 2, 4}, []string{":3: damaged"}},
		"no checksum": {func(s string) string {
			line := strings.Index(s, "\n")
			return s[:line] + strings.Replace(s[line:], `"crc32"`, `"crc33"`, 1)
		}, []int{1, 3, 4}, []string{":2: damaged: it lacks its checksum"}},
		"a line of 2 MB":     {func(s string) string { return strings.Replace(s, "\n", "\n"+strings.Repeat("x", 2<<20)+"\n", 1) }, []int{1, 2, 3, 4}, []string{":2: damaged: longer"}},
		"no JSON":            {func(s string) string { return "\x00\x01\n" + s }, []int{1, 2, 3, 4}, []string{":1: damaged"}},
		"cut at a kill":      {func(s string) string { return s + `{"step":6,"tot` }, []int{1, 2, 3, 4}, nil},
		"the end lost":       {func(s string) string { return s[:strings.Index(s, `{"step":4`)] }, []int{1, 2, 3}, []string{"the lines between are lost"}},
		"a line twice":       {func(s string) string { return s[:strings.Index(s, "\n")+1] + s }, []int{1, 2, 3, 4}, []string{":2: damaged: step 1 after step 1"}},
		"everything damaged": {func(s string) string { return strings.ReplaceAll(s, "total", "t0tal") }, nil, []string{":1:", ":2:", ":3:", ":4:", ":5:", "lost"}},
	} {
		t.Run(what, func(t *testing.T) {
			r := newRun(t)
			log, err := r.OpenMetrics(0)
			must(t, err)
			for step := 1; step <= 5; step++ {
				must(t, log.Append(Metrics{Step: step, TotalLoss: float64(step) / 2}))
			}
			must(t, log.Close())
			text, err := os.ReadFile(r.Path(metricsFile))
			must(t, err)
			must(t, os.WriteFile(r.Path(metricsFile), []byte(c.damage(string(text))), 0o644))

			log, err = r.OpenMetrics(4)
			must(t, err)
			must(t, log.Close())
			if len(log.Notes) != len(c.notes) {
				t.Errorf("notes %q, want %d", log.Notes, len(c.notes))
			}
			for i, note := range log.Notes {
				if !strings.Contains(note, r.Path(metricsFile)) || i < len(c.notes) && !strings.Contains(note, c.notes[i]) {
					t.Errorf("note %q, want one with %q", note, c.notes[i])
				}
			}
			all, err := r.ReadMetrics()
			must(t, err)
			var steps []int
			for _, m := range all {
				steps = append(steps, m.Step)
				if m.TotalLoss != float64(m.Step)/2 {
					t.Errorf("step %d: loss %v", m.Step, m.TotalLoss)
				}
			}
			if !slices.Equal(steps, c.want) {
				t.Errorf("steps %v, want %v", steps, c.want)
			}
		})
	}
}

func TestDamagedMetricsAreNotShown(t *testing.T) {
	r := newRun(t)
	log, err := r.OpenMetrics(0)
	must(t, err)
	must(t, log.Append(Metrics{Step: 1, TotalLoss: 3}))
	must(t, log.Close())
	text, err := os.ReadFile(r.Path(metricsFile))
	must(t, err)
	must(t, os.WriteFile(r.Path(metricsFile), bytes.Replace(text, []byte(`"total_loss":3`), []byte(`"total_loss":4`), 1), 0o644))
	if _, err := r.ReadMetrics(); err == nil || !strings.Contains(err.Error(), "metrics.jsonl:1: damaged") || !strings.Contains(err.Error(), "resume the run") {
		t.Errorf("error %v", err)
	}
}

// Files that a killed process was about to rename go when the run is opened to go on.
func TestTemporaryFilesGo(t *testing.T) {
	r := newRun(t)
	must(t, r.Close())
	for _, name := range []string{"checkpoints/.step-00000100.safetensors12", ".metrics.jsonl345", ".config.yaml678", ".new/x", ".mine", "checkpoints/mine"} {
		must(t, os.MkdirAll(filepath.Dir(r.Path(name)), 0o755))
		must(t, os.WriteFile(r.Path(name), nil, 0o644))
	}
	resumed, err := Resume(r.Dir)
	must(t, err)
	defer resumed.Close()
	if left := append(names(t, r.Dir), names(t, r.Path(checkpointsDir))...); !slices.Equal(left, []string{".lock", ".mine", "checkpoints", "config.yaml", "mine"}) {
		t.Errorf("left: %q", left)
	}
}

func TestInspect(t *testing.T) {
	r := newRun(t)
	for _, step := range []int{100, 200} {
		must(t, r.Save(storeOf(t, 1), step))
	}
	found := func() (text string, whole bool) {
		t.Helper()
		all, err := Inspect(r.Dir)
		must(t, err)
		whole = true
		for _, f := range all {
			whole = whole && f.Whole
			text += fmt.Sprintf("%v %s: %s\n", f.Whole, f.File, f.Text)
		}
		return text, whole
	}
	expect := func(whole bool, want ...string) {
		t.Helper()
		text, ok := found()
		for _, w := range want {
			if ok != whole || !strings.Contains(text, w) {
				t.Errorf("whole %v, want %v with %q:\n%s", ok, whole, w, text)
			}
		}
	}
	expect(true, "true checkpoints/step-00000200.safetensors: whole", "true .: the checkpoint of step 200 of")
	must(t, os.WriteFile(r.checkpointPath(200), []byte("PK"), 0o644))
	must(t, os.WriteFile(r.Path(metricsFile), []byte("x\n"), 0o644))
	expect(false, "false checkpoints/step-00000200.safetensors: not a checkpoint", "step 100 of", "false metrics.jsonl: 1 of 1 lines are damaged (line 1: ")
	must(t, os.WriteFile(r.checkpointPath(100), nil, 0o644))
	expect(false, "false .: no checkpoint can be used")
	edit(t, r, "depth: ", "depth: 1", true)
	expect(false, "false config.yaml: changed since", "false .: nothing can be used before config.yaml is restored")
	if _, err := Inspect(t.TempDir()); err == nil {
		t.Error("an empty folder was inspected")
	}
}

func TestUnreadableCheckpointIsNoDamage(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	r := newRun(t)
	must(t, r.Save(storeOf(t, 1), 100))
	must(t, r.Save(storeOf(t, 2), 200))
	must(t, os.Chmod(r.checkpointPath(200), 0))
	if _, err := r.Load(model.NewStore()); !errors.Is(err, os.ErrPermission) {
		t.Errorf("error %v", err)
	}
}
