package explore

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/google/go-cmp/cmp"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/detector"
	"ffslab/ffs/infer"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/internal/tiny"
	"ffslab/ffs/outlier"
	"ffslab/ffs/protocol"
	"ffslab/ffs/protocol/pictures"
	"ffslab/ffs/run"
	"ffslab/ffs/run/curves"
	"ffslab/viz"
)

// The scheme "squares:" provides pictures of 64x64 pixels with a coloured square each: red and blue
// ones are inliers, green ones unknown.
func init() {
	data.Register("squares", "squares:train|val|ood", func(arg string, _ data.Options) (*data.Dataset, error) {
		if arg == "ood" {
			return tiny.Squares(arg, 6, "green"), nil
		}
		return tiny.Squares(arg, 8, "red", "blue"), nil
	})
}

func tinyConfig() (config.Config, error) {
	return tiny.Config("model.backbone.depth=5", "model.backbone.w_a=14", "model.outlier.start_iter=1",
		"train.warmup_iters=1", "train.max_iter=3", "train.steps=[]", "train.checkpoint_every=3",
		"data.train=squares:train", "data.val=squares:val", "data.ood=[squares:ood]")
}

// tinySession trains the tiny detector.
func tinySession(t *testing.T) *Session {
	t.Helper()
	c, err := tinyConfig()
	if err != nil {
		t.Fatal(err)
	}
	return session(t, Options{Preset: c})
}

// session is one with an output folder of its own, on the tests' backend.
func session(t *testing.T, o Options) *Session {
	t.Helper()
	o.Out, o.Backend = t.TempDir(), func() (compute.Backend, error) { return testkit.Backend(t), nil }
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// finished makes the folder of the method's run as if it had been trained: the parameters are those
// that training starts from, since compiling a training step takes longer than all of these tests.
func finished(t *testing.T, s *Session, method string) string {
	t.Helper()
	c, err := s.configure(method)
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.openRun(method, c)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	det, err := detector.New(c)
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	g := graph.NewGraph(testkit.Backend(t), "parameters") // building the graph creates them
	images := graph.Parameter(g, "images", shapes.Make(dtypes.Uint8, 1, 64, 64, 3))
	det.Detect(store.RootScope(), images, graph.Parameter(g, "sizes", shapes.Make(dtypes.Int32, 1, 2)))
	if err := r.Save(store, c.Train.MaxIter); err != nil {
		t.Fatal(err)
	}
	log, err := r.OpenMetrics(0)
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	for step := 1; step <= c.Train.MaxIter; step++ {
		m := run.Metrics{Step: step, TotalLoss: 3 / float64(step), LossCls: 2 / float64(step), Seconds: 0.5, DataWait: 0.1, EnergyInlier: 1}
		if method == "flow" {
			m.LossNLL = 0.1
		}
		if method == "flow" && step > c.Model.Outlier.StartIter {
			m.LossEnergy, m.EnergyOutlier = 0.05, -1
		}
		if err := log.Append(m); err != nil {
			t.Fatal(err)
		}
	}
	return r.Dir
}

// TestStory goes the notebooks' way: nothing is there, two runs are trained, every table and figure
// can be made, and what was computed is not computed again.
func TestStory(t *testing.T) {
	s := tinySession(t)
	if _, err := s.Runs(); err == nil || !strings.Contains(err.Error(), "02_training") {
		t.Errorf("before any training Runs says %v, want the notebook that makes a run", err)
	}
	for _, method := range methods {
		finished(t, s, method)
		if err := s.Train(method); err != nil {
			t.Fatal(err)
		}
	}
	runs, err := s.Runs()
	if err != nil || len(runs) != 2 || runs[0].Name != "flow" || runs[1].Name != "none" {
		t.Fatalf("runs %v, %v; want flow and none", runs, err)
	}
	schedule, err := ScheduleTable(runs)
	if diff := cmp.Diff([]string{"flow", "flow", "3", "3", "2", "1", "0", "4.0", "20.0 %"}, schedule.Rows[0]); err != nil || diff != "" {
		t.Errorf("schedule: %v (-want +got):\n%s", err, diff)
	}
	sets, err := s.Sets()
	if err != nil || len(sets) != 3 {
		t.Fatalf("%d sets, %v; want training, inlier and outlier set", len(sets), err)
	}
	latents, err := s.Latents()
	if err != nil {
		t.Fatal(err)
	}
	synthesis, err := s.Synthesis()
	if err != nil {
		t.Fatal(err)
	}
	// One run is enough to measure, and takes half the time; TestGivenRun measures the other.
	if err := os.RemoveAll(s.runDir("none")); err != nil {
		t.Fatal(err)
	}
	evaluations, err := s.Evaluate()
	if err != nil {
		t.Fatal(err)
	}
	for name, make := range map[string]func() (*viz.Figure, error){
		"classes":    func() (*viz.Figure, error) { return ClassCounts(sets) },
		"sizes":      func() (*viz.Figure, error) { return ObjectSizes(sets) },
		"pictures":   func() (*viz.Figure, error) { return Sheet(sets[0], 5) },
		"objects":    func() (*viz.Figure, error) { return Crops(sets[0], 2, 3) },
		"losses":     func() (*viz.Figure, error) { return curves.Losses(runs) },
		"training":   func() (*viz.Figure, error) { return curves.Energies(runs) },
		"latents":    latents.Figure,
		"likelihood": latents.LikelihoodFigure,
		"by-class":   synthesis.ClassFigure,
		"outliers":   func() (*viz.Figure, error) { return synthesis.Figure(1.5) },
		"colder":     func() (*viz.Figure, error) { return synthesis.Figure(0.5) },
		"surface":    synthesis.SurfaceFigure,
		"energies":   synthesis.EnergyFigure,
		"nearest":    func() (*viz.Figure, error) { return synthesis.NearestFigure(2, 3) },
		"found":      func() (*viz.Figure, error) { return pictures.Sheet(evaluations[0], 1, 2) },
		"pairs":      func() (*viz.Figure, error) { return Pairs(evaluations, 1, 2) },
		"kinds":      func() (*viz.Figure, error) { return EnergiesByKind(evaluations) },
		"gaussians":  synthesis.GaussiansAgainstFlow,
	} {
		figure, err := make()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s.Show(name, figure)
		if _, err := os.Stat(filepath.Join(s.Out, "figures", name+".svg")); err != nil || figure.Caption == "" {
			t.Errorf("%s: %v, caption %q", name, err, figure.Caption)
		}
	}
	checkExplorer(t, s, synthesis)
	checkPaper(t, s, evaluations)
	if rows := latents.Table().Rows; len(rows) != 3 || rows[0][1] != "8" || rows[1][1] != "6" {
		t.Errorf("latents of %v; want 8 inliers, 6 unknown objects and draws", rows)
	}
	summary, err := s.Summarise(evaluations)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err := os.ReadFile(filepath.Join(s.Out, "summary.md")); err != nil || string(kept) != summary.String() || !strings.Contains(summary.String(), "Run flow") ||
		!strings.Contains(summary.String(), "trained on squares:train") || !strings.Contains(summary.String(), "Inlier set: ") {
		t.Errorf("summary.md: %v\n%s", err, kept)
	}

	computed := []string{"flow/eval/source.json", "flow/features/squares-ood.json", "flow/checkpoints/step-00000003.safetensors"}
	before := writtenAt(t, s, computed)
	features, err := s.Features(sets[2])
	if err := errors.Join(err, s.Train("flow"), second(s.Evaluate())); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, writtenAt(t, s, computed)); diff != "" {
		t.Errorf("computed again (-before +after):\n%s", diff)
	}
	fresh := &Features{Set: features.Set, Classes: features.Classes}
	if err := s.computeFeatures(fresh, sets[2], maxObjects); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fresh, features); diff != "" {
		t.Errorf("features read from the file (-computed +read):\n%s", diff)
	}
	// Other weights make them stale.
	trained, err := run.Open(s.runDir("flow"))
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	if _, err := trained.Load(store); err != nil {
		t.Fatal(err)
	}
	bias := store.GetVariable("/roi_heads/logistic_regression/bias")
	if err := bias.SetValue(tensors.FromValue([]float32{1, 2})); err != nil {
		t.Fatal(err)
	}
	if err := trained.Save(store, 3); err != nil {
		t.Fatal(err)
	}
	if err := second(s.Features(sets[2])); err != nil {
		t.Fatal(err)
	}
	if path := "flow/features/squares-ood.json"; writtenAt(t, s, computed[:2])[path] == before[path] {
		t.Error("features of an older checkpoint were used")
	}
}

func second[T any](_ T, err error) error { return err }

// writtenAt returns the times at which files below the runs were written, in nanoseconds.
func writtenAt(t *testing.T, s *Session, paths []string) map[string]int64 {
	t.Helper()
	times := map[string]int64{}
	for _, path := range paths {
		info, err := os.Stat(filepath.Join(s.Out, "runs", path))
		if err != nil {
			t.Fatal(err)
		}
		times[path] = info.ModTime().UnixNano()
	}
	return times
}

func TestRunOfAnotherConfigurationIsNotContinued(t *testing.T) {
	s := tinySession(t)
	finished(t, s, "flow")
	s.options.Preset.Train.Seed = 7
	if err := s.Train("flow"); err == nil || !strings.Contains(err.Error(), s.runDir("flow")) {
		t.Errorf("error %v, want one that names the folder", err)
	}
}

// TestGivenRun looks at a run without a flow that somebody else has trained: nothing is trained,
// nothing is written into its folder, and what needs a flow says that there is nothing to show.
func TestGivenRun(t *testing.T) {
	dir := finished(t, tinySession(t), "none")
	s := session(t, Options{Run: dir, Outliers: []string{"squares:ood"}})
	if c, err := s.Config(); err != nil || c.Data.Val != "squares:val" || len(c.Data.OOD) != 1 {
		t.Errorf("data %+v, %v; want the run's inlier set and the given outlier set", c.Data, err)
	}
	for name, err := range map[string]error{
		"Train":   s.Train("flow"),
		"Latents": second(s.Latents()),
	} {
		if !errors.Is(err, viz.ErrNothing) {
			t.Errorf("%s: %v, want viz.ErrNothing", name, err)
		}
	}
	if page, err := s.Explorer(); err != nil || len(page.Draws.Methods) != 1 || page.Draws.Methods[0].Name != outlier.MethodGaussian || len(page.Paths) != 0 {
		t.Errorf("the explorer of a run without a flow: %v; want the Gaussians' draws alone, and no paths", err)
	}
	if _, err := s.Evaluate(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(s.Out, "explored", "none", "eval", "metrics.json")); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "eval")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the given run's folder was written to: %v", err)
	}

	if _, err := New(Options{Run: t.TempDir()}); err == nil || !strings.Contains(err.Error(), "not a run folder") {
		t.Errorf("a folder that is no run: %v", err)
	}
}

// TestResultsOfEvalAreUsed looks at a run that "ffs eval" has measured: nothing is computed.
func TestResultsOfEvalAreUsed(t *testing.T) {
	dir := finished(t, tinySession(t), "none")
	first := session(t, Options{Run: dir, Outliers: []string{"squares:ood"}})
	sets, err := first.measuredSets()
	if err != nil {
		t.Fatal(err)
	}
	measured, err := infer.Open(testkit.Backend(t), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer measured.Close()
	options := protocol.Options{Model: measured, RunName: "none", RunDir: dir, Inlier: sets[0], Outliers: sets[1:], Out: filepath.Join(dir, "eval")}
	if _, err := protocol.Run(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	nothingRuns := errors.New("the model was asked for")
	evaluate := func() error {
		s := session(t, Options{Run: dir, Outliers: []string{"squares:ood"}})
		s.backend = func() (compute.Backend, error) { return nil, nothingRuns }
		_, err := s.Evaluate()
		return err
	}
	if err := evaluate(); err != nil {
		t.Errorf("after ffs eval: %v", err)
	}
	options.Temperature = 2
	if _, err := protocol.Run(t.Context(), options); err != nil {
		t.Fatal(err)
	}
	if err := evaluate(); !errors.Is(err, nothingRuns) {
		t.Errorf("after ffs eval at another temperature: %v, want %v", err, nothingRuns)
	}
}

func TestOpenReadsTheEnvironment(t *testing.T) {
	out := t.TempDir()
	for name, value := range map[string]string{
		"FFSLAB_OUT": out, "FFSLAB_ROOT": "", "FFSLAB_QUICK": "1", "FFSLAB_RUN": "", "FFSLAB_TRAIN": "", "FFSLAB_ID": "a:b", "FFSLAB_OOD": "c:d\n\n e:f\n", "FFSLAB_STUDY": "one\ntwo",
	} {
		t.Setenv(name, value)
	}
	s, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	o := s.options
	o.Backend = nil
	preset, err := config.Load(config.DefaultPreset)
	if err != nil {
		t.Fatal(err)
	}
	want := Options{
		Out: out, Quick: true, Trained: []string{"zoo:digits-flow", "zoo:digits-none"}, Preset: preset,
		Inlier: "a:b", Outliers: []string{"c:d", "e:f"}, Studies: []string{"one", "two"},
	}
	if diff := cmp.Diff(want, o); diff != "" || s.Out != out || !s.Quick || s.Given() {
		t.Errorf("options (-want +got):\n%s", diff)
	}
}

func TestTrainingReplacesTheZoo(t *testing.T) {
	for _, name := range []string{"FFSLAB_QUICK", "FFSLAB_RUN", "FFSLAB_ID", "FFSLAB_OOD", "FFSLAB_STUDY"} {
		t.Setenv(name, "")
	}
	t.Setenv("FFSLAB_OUT", t.TempDir())
	t.Setenv("FFSLAB_TRAIN", "1")
	s, err := Open()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Runs(); err == nil || !strings.Contains(err.Error(), "02_training") {
		t.Errorf("before any training Runs says %v, want the notebook that makes a run", err)
	}
}

func TestShorten(t *testing.T) {
	c, err := config.Load("digits", "train.max_iter=2000", "train.steps=[1400, 1800]", "train.base_lr=0.02", "train.warmup_iters=100", "train.checkpoint_every=200", "model.outlier.start_iter=1000")
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		steps, maxIter, start, warmup, checkpoint int
		lr                                        float64
		drops                                     []int
	}{
		{5000, 2000, 1000, 100, 200, 0.02, []int{1400, 1800}},
		{1000, 1000, 500, 100, 200, 0.02, []int{700, 900}},
		{50, 50, 25, 50, 12, 0.01, []int{35, 45}},
	} {
		short := c
		shorten(&short, test.steps)
		got := []any{short.Train.MaxIter, short.Model.Outlier.StartIter, short.Train.WarmupIters, short.Train.CheckpointEvery, short.Train.BaseLR, short.Train.Steps}
		if diff := cmp.Diff([]any{test.maxIter, test.start, test.warmup, test.checkpoint, test.lr, test.drops}, got); diff != "" {
			t.Errorf("%d steps (-want +got):\n%s", test.steps, diff)
		}
		if err := short.Validate(); err != nil {
			t.Errorf("%d steps: %v", test.steps, err)
		}
	}
	if c.Train.Steps[0] != 1400 {
		t.Error("the preset's own steps were changed")
	}
}

func TestCheckEndsTheCell(t *testing.T) {
	defer func() { exit = os.Exit }()
	for _, test := range []struct {
		err    error
		status int
	}{{nil, -1}, {errors.New("bad"), 1}, {fmt.Errorf("here: %w", nothing("no set")), 0}} {
		got := -1
		exit = func(status int) { got = status }
		Check(test.err)
		if got != test.status {
			t.Errorf("Check(%v) ends with status %d, want %d", test.err, got, test.status)
		}
	}
}

// A session that looks at the zoo explores its detectors, and trains the first steps of one run
// only.
func TestSessionOfTheZoo(t *testing.T) {
	preset, err := config.Load(config.DefaultPreset)
	if err != nil {
		t.Fatal(err)
	}
	s := session(t, Options{Trained: []string{"zoo:digits-flow", "zoo:digits-none"}, Preset: preset, Quick: true})
	runs, err := s.Runs()
	if err != nil || len(runs) != 2 || runs[0].Name != "flow" || runs[1].Name != "none" {
		t.Fatalf("runs %v, %v; want flow and none", runs, err)
	}
	if err := s.Train("none"); !errors.Is(err, viz.ErrNothing) {
		t.Errorf("training of a run that the zoo has: %v, want viz.ErrNothing", err)
	}
	if r, err := s.TrainVariant("alone", 300, "model.outlier.method=none"); err != nil || r.Run == nil || r.Dir != runs[1].Dir {
		t.Errorf("a variant that the zoo has: %v, %v; want the zoo's %s", r, err, runs[1].Dir)
	}
	if banner := s.banner(); banner != "" {
		t.Errorf("a detector that was trained to the end carries %q", banner)
	}
	if dir := s.workDir(runs[0]); dir != filepath.Join(s.Out, "explored", "flow") {
		t.Errorf("what is computed of the zoo's run goes to %s", dir)
	}
	if set, err := s.InlierSet(); err != nil || len(set.Images) != quickImages {
		t.Errorf("%v; want the first %d images of the inlier set", err, quickImages)
	}
}

func TestUntrainedRunsCarryABanner(t *testing.T) {
	s := tinySession(t)
	finished(t, s, "flow")
	if banner := s.banner(); banner != "" {
		t.Errorf("a run of the preset's length carries %q", banner)
	}
	s.options.Preset.Train.MaxIter = 3000
	if banner := s.banner(); !strings.Contains(banner, "3 of 3000 steps") {
		t.Errorf("a run of 3 of 3000 steps carries %q", banner)
	}
}

// A variant with a flow can start from a run without one: what that lacks starts from the seed.
func TestVariantStartsFromARunWithoutItsFlow(t *testing.T) {
	s := tinySession(t)
	from := finished(t, s, "none")
	c, err := s.configure("flow")
	if err != nil {
		t.Fatal(err)
	}
	r, err := s.openTuned("tuned", c, from)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	m, err := infer.Open(testkit.Backend(t), r.Dir)
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	if !m.HasFlow() {
		t.Error("the variant has no flow")
	}
}

// BenchmarkLiveDraw measures what a live page waits for: a draw at a temperature and seed that it
// does not hold, with the nearest objects and the scores of each, the flow being compiled.
//
//	go test ./ffs/explore -run '^$' -bench LiveDraw
func BenchmarkLiveDraw(b *testing.B) {
	preset, err := config.Load(config.DefaultPreset)
	if err != nil {
		b.Fatal(err)
	}
	backend := func() (compute.Backend, error) { return testkit.Backend(b), nil }
	s, err := New(Options{Out: b.TempDir(), Trained: []string{"zoo:digits-flow"}, Preset: preset, Quick: true, Backend: backend})
	if err != nil {
		b.Fatal(err)
	}
	page, err := s.Explorer()
	if err != nil {
		b.Fatal(err)
	}
	seed := uint64(100)
	for b.Loop() {
		seed++
		if _, err := page.Source.Draw(b.Context(), "flow", explorerDraws, 1.37, seed); err != nil {
			b.Fatal(err)
		}
	}
}
