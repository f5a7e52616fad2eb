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
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/google/go-cmp/cmp"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/internal/tiny"
	"ffslab/ffs/protocol"
	"ffslab/ffs/run"
	"ffslab/ffs/train"
)

// options study the tiny detector on squares of its classes and of another one.
func options(t *testing.T, settings ...string) Options {
	t.Helper()
	c, err := tiny.Config(append([]string{"train.base_lr=0.25"}, settings...)...)
	if err != nil {
		t.Fatal(err)
	}
	c.Origin.Command, c.Origin.Commit = "ffs study", "0123abc"
	return Options{
		Config: c, Methods: []string{"flow", "none"}, Baseline: "none", Seeds: []int64{3, 5},
		Training: tiny.Squares("squares:train", 6, "red", "blue"), Inlier: tiny.Squares("squares:val", 8, "red", "blue"),
		Outliers:  []*data.Dataset{tiny.Squares("squares:ood", 6, "green")},
		Bootstrap: eval.Bootstrap{Resamples: 40}, Out: filepath.Join(t.TempDir(), "study"),
		Backend: func() (compute.Backend, error) { return testkit.Backend(t), nil },
	}
}

// pretended replaces training and measuring, whose compiling takes longer than all else, by what
// depends on nothing but the cell. It logs what is asked for, and interrupts the study in the
// training whose name and step it is given.
type pretended struct {
	asked     []string
	interrupt string // "flow-seed3 at 2"
	cancel    context.CancelFunc
}

func (p *pretended) replace(o *Options) {
	o.Backend = func() (compute.Backend, error) { return nil, nil }
	o.trainRun, o.evaluateRun = p.train, p.evaluate
}

func (p *pretended) train(ctx context.Context, o train.Options) error {
	steps, err := o.Run.Checkpoints()
	if err != nil {
		return err
	}
	step := 0
	if len(steps) > 0 {
		step = steps[len(steps)-1]
	}
	name := filepath.Base(o.Run.Dir)
	p.asked = append(p.asked, fmt.Sprintf("train %s from %d", name, step))
	log, err := o.Run.OpenMetrics(step)
	if err != nil {
		return err
	}
	defer log.Close()
	for step < o.Run.Config.Train.MaxIter && ctx.Err() == nil {
		step++
		if err := log.Append(run.Metrics{Step: step, TotalLoss: 1, LossNLL: 0.01, EnergyInlier: 1, EnergyOutlier: -1}); err != nil {
			return err
		}
		if p.interrupt == fmt.Sprintf("%s at %d", name, step) {
			p.cancel()
		}
	}
	store := model.NewStore()
	if _, err := store.CreateVariable("/x", tensors.FromScalar(float32(step))); err != nil {
		return err
	}
	return errors.Join(o.Run.Save(store, step), ctx.Err())
}

// evaluate finds each annotated object, one in five with the wrong class, with energies that depend
// on image, method and seed.
func (p *pretended) evaluate(_ context.Context, o protocol.EvaluationOptions) (*protocol.Evaluation, error) {
	p.asked = append(p.asked, "measure "+o.Run.Name)
	e := &protocol.Evaluation{Run: o.Run, Sets: o.Sets}
	c := o.Run.Config
	results := make([]eval.Results, len(o.Sets))
	for i, set := range o.Sets {
		results[i].Annotations = protocol.Annotations(set)
		for j, object := range results[i].Annotations.Objects {
			d := eval.Detection{ImageID: object.ImageID, CategoryID: 1, Box: object.Box, Score: 0.9, Logits: []float64{5, 0, -2}}
			if i == 0 && (j+int(c.Train.Seed))%5 > 0 {
				d.CategoryID = object.CategoryID
			}
			energy := float64((int(c.Model.Outlier.Method[0])*j+3*int(c.Train.Seed))%11) - 3*float64(i)
			d.Scores = map[string]float64{"energy": energy}
			for _, name := range o.Scores {
				d.Scores[name] = -float64(i) // it tells the sets apart entirely
			}
			results[i].Detections = append(results[i].Detections, d)
		}
		e.Detections = append(e.Detections, results[i].Detections)
	}
	outliers := map[string]eval.Results{}
	for i, set := range o.Sets[1:] {
		outliers[set.Name] = results[i+1]
	}
	var err error
	e.Report, err = eval.Evaluate(results[0], outliers, eval.Settings{})
	return e, err
}

// Post-hoc scores have a table for each outlier set, the best one at the top, and rows in the CSV
// file, and leave the other tables as they are.
func TestScoresOfAStudy(t *testing.T) {
	o := options(t)
	new(pretended).replace(&o)
	without, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	o.Scores = []string{"knn"}
	with, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	head, tables, found := strings.Cut(with.Markdown(), "\n## Which score: ")
	if !found || head != without.Markdown() {
		t.Errorf("without scores:\n%s\nwith scores:\n%s", without.Markdown(), with.Markdown())
	}
	knn, energy := strings.Index(tables, "| knn "), strings.Index(tables, "| energy ")
	if knn < 0 || energy < knn {
		t.Errorf("knn, which tells the sets apart entirely, does not come first:\n%s", tables)
	}
	if row, ok := with.row("flow", Measure{with.Outliers[0].Name, "knn", "AUROC"}); !ok || row.Mean == nil || row.Difference == nil {
		t.Errorf("no row of knn: %+v", row)
	}
	if !strings.Contains(with.LaTeX(), "knn") || !strings.Contains(with.CSV(), ",knn,AUROC,") {
		t.Error("LaTeX or CSV lack knn")
	}
}

func TestInterruptedStudyEndsWithTheSameTables(t *testing.T) {
	whole := options(t)
	new(pretended).replace(&whole)
	want, err := Run(t.Context(), whole)
	if err != nil {
		t.Fatal(err)
	}

	o := options(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	p := &pretended{interrupt: "flow-seed3 at 2", cancel: cancel}
	p.replace(&o)
	if _, err := Run(ctx, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v of an interrupted study, want the context's", err)
	}
	if text := read(t, o, "study.md"); !strings.Contains(text, "UNFINISHED: 1 of 4 runs") {
		t.Errorf("study.md after the first cell:\n%s", text)
	}
	if diff := cmp.Diff([]string{"train none-seed3 from 0", "measure none-seed3", "train flow-seed3 from 0"}, p.asked); diff != "" {
		t.Errorf("before the interruption (-want +got):\n%s", diff)
	}
	again := &pretended{}
	again.replace(&o)
	got, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	// A finished cell is looked up by protocol.EvaluateRun, which measures nothing anew.
	if diff := cmp.Diff([]string{
		"measure none-seed3", "train flow-seed3 from 2", "measure flow-seed3",
		"train none-seed5 from 0", "measure none-seed5", "train flow-seed5 from 0", "measure flow-seed5",
	}, again.asked); diff != "" {
		t.Errorf("after the interruption (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(want.Rows, got.Rows); diff != "" {
		t.Errorf("results (-uninterrupted +resumed):\n%s", diff)
	}
	for _, name := range []string{"study.md", "study.csv", "study.tex", "study.json"} {
		if diff := cmp.Diff(read(t, whole, name), read(t, o, name)); diff != "" {
			t.Errorf("%s (-uninterrupted +resumed):\n%s", name, diff)
		}
	}
	for _, name := range []string{"flow-fit.svg", "training-energies.png", "training-energies.csv"} {
		if _, err := os.Stat(filepath.Join(o.Out, "figures", name)); err != nil {
			t.Error(err)
		}
	}
}

func read(t *testing.T, o Options, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(o.Out, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestValuesAreThoseOfTheReports computes means and differences from the reports of the cells, and
// the interval by package eval's own function.
func TestValuesAreThoseOfTheReports(t *testing.T) {
	o := options(t)
	p := &pretended{}
	p.replace(&o)
	measured := map[string]*protocol.Evaluation{}
	o.evaluateRun = func(ctx context.Context, eo protocol.EvaluationOptions) (*protocol.Evaluation, error) {
		e, err := p.evaluate(ctx, eo)
		measured[eo.Run.Name] = e
		return e, err
	}
	result, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	auroc := func(name string) float64 { return measured[name].Report.Outliers["squares:ood"].Scores["energy"].AUROC }
	row, ok := result.row("flow", Measure{"squares:ood", "energy", "AUROC"})
	if !ok {
		t.Fatalf("no such row in %+v", result.Rows)
	}
	first, second := auroc("flow-seed3"), auroc("flow-seed5")
	if first == second || first == auroc("none-seed3") {
		t.Fatalf("the cells are too alike to test anything: AUROC %v, %v", first, second)
	}
	mean := (first + second) / 2
	testkit.Close(t, "values", []float64{*row.Values[0], *row.Values[1]}, []float64{first, second}, 0)
	testkit.Close(t, "mean", *row.Mean, mean, 1e-15)
	testkit.Close(t, "deviation", *row.Deviation*(*row.Deviation), (first-mean)*(first-mean)+(second-mean)*(second-mean), 1e-15)
	testkit.Close(t, "differences", []float64{*row.Difference.Values[0], *row.Difference.Values[1]},
		[]float64{first - auroc("none-seed3"), second - auroc("none-seed5")}, 1e-15)

	a, b := measured["flow-seed5"], measured["none-seed5"]
	var scores [2]eval.Sides
	for i, e := range []*protocol.Evaluation{a, b} {
		scores[i].Inlier, _ = eval.CollectScores(eval.Results{Annotations: protocol.Annotations(o.Inlier), Detections: e.Detections[0]}, "energy")
		scores[i].Outlier, _ = eval.CollectScores(eval.Results{Annotations: protocol.Annotations(o.Outliers[0]), Detections: e.Detections[1]}, "energy")
	}
	want, err := eval.PairedBootstrap(scores[0], scores[1], o.Bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	if got := row.Difference.CI95[1]; got == nil || *got != want.AUROC.CI95 || got[0] >= got[1] {
		t.Errorf("interval %v, want %v", got, want.AUROC.CI95)
	}
	if base, _ := result.row("none", row.Measure); base.Difference != nil {
		t.Errorf("the baseline differs from itself: %+v", base.Difference)
	}
}

func TestChangedConfigurationIsRefusedBeforeAnythingIsComputed(t *testing.T) {
	o := options(t)
	o.Seeds = []int64{3}
	new(pretended).replace(&o)
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	p := &pretended{}
	p.replace(&o)
	o.Config.Train.BaseLR = 0.5
	o.Seeds = []int64{9, 3}
	_, err := Run(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "none-seed3: the run there has another configuration: train.base_lr is 0.25 in its config.yaml and 0.5 now") {
		t.Errorf("error %v, want one that names the run and the key", err)
	}
	if len(p.asked) > 0 {
		t.Errorf("computed before the refusal: %v", p.asked)
	}
}

func TestGridsThatMakeNoStudyAreRefused(t *testing.T) {
	for want, change := range map[string]func(*Options){
		"no methods or no seeds":                                  func(o *Options) { o.Methods = nil },
		"needs at least one of each":                              func(o *Options) { o.Seeds = nil },
		"methods [flow none flow]: one":                           func(o *Options) { o.Methods = append(o.Methods, "flow") },
		"seeds [1 1]: one is given twice":                         func(o *Options) { o.Seeds = []int64{1, 1} },
		`baseline "gaussian" is not one of`:                       func(o *Options) { o.Baseline = "gaussian" },
		"model.outlier.method: no synthesiser is called \"flaw\"": func(o *Options) { o.Methods[0] = "flaw" },
		"duplicate row name":                                      func(o *Options) { o.Variants = []Variant{{"flow", []string{"train.flow_lr_factor=2"}}} },
		"is also a folder name":                                   func(o *Options) { o.Variants = []Variant{{"../x", []string{"train.flow_lr_factor=2"}}} },
		"x: setting model.flow.blocs=1":                           func(o *Options) { o.Variants = []Variant{{"x", []string{"model.flow.blocs=1"}}} },
		"x: model.outlier.select":                                 func(o *Options) { o.Variants = []Variant{{"x", []string{"model.outlier.select=0"}}} },
	} {
		o := options(t)
		change(&o)
		p := &pretended{}
		p.replace(&o)
		if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want one with %q", err, want)
		}
		if _, err := os.Stat(o.Out); !errors.Is(err, os.ErrNotExist) || len(p.asked) > 0 {
			t.Errorf("%s: something was made (%v, %v)", want, err, p.asked)
		}
	}
}

// A study gets a variant later: what is there stays, the variant is trained with its settings and
// compared like a method.
func TestVariantsAreRowsOfTheirOwn(t *testing.T) {
	o := options(t)
	new(pretended).replace(&o)
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	variant, err := ParseVariant("fast  train.flow_lr_factor=10 model.outlier.select=2")
	if err != nil {
		t.Fatal(err)
	}
	o.Variants = []Variant{variant}
	again := &pretended{}
	again.replace(&o)
	result, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	var trained []string
	for _, asked := range again.asked {
		if strings.HasPrefix(asked, "train") {
			trained = append(trained, asked)
		}
	}
	if diff := cmp.Diff([]string{"train fast-seed3 from 0", "train fast-seed5 from 0"}, trained); diff != "" {
		t.Errorf("trained (-want +got):\n%s", diff)
	}
	r, err := run.Open(filepath.Join(o.Out, "runs", "fast-seed5"))
	if err != nil {
		t.Fatal(err)
	}
	c := r.Config
	if c.Train.FlowLRFactor != 10 || c.Model.Outlier.Select != 2 || c.Model.Outlier.Method != "flow" || c.Train.Seed != 5 {
		t.Errorf("the variant's run has factor %g, select %d, method %s, seed %d", c.Train.FlowLRFactor, c.Model.Outlier.Select, c.Model.Outlier.Method, c.Train.Seed)
	}
	if diff := cmp.Diff([]string{"flow", "none", "fast"}, result.Methods); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
	if text := read(t, o, "study.md"); !strings.Contains(text, "fast: flow with train.flow_lr_factor=10, model.outlier.select=2") || !strings.Contains(text, "\n| fast ") {
		t.Errorf("study.md:\n%s", text)
	}
}

func TestReadGivesTheSameTables(t *testing.T) {
	o := options(t)
	new(pretended).replace(&o)
	want, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	got, err := Read(o.Out)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.Markdown(), got.Markdown()); diff != "" {
		t.Errorf("(-run +read):\n%s", diff)
	}
	figure, err := got.Figure()
	if err != nil {
		t.Fatal(err)
	}
	text, err := figure.CSV()
	row, ok := want.row("flow", Measure{"squares:ood", "energy", "FPR95"})
	if err != nil || !ok || !strings.Contains(string(text), fmt.Sprintf("ood: FPR95 ↓,flow,mean,%v,", 100**row.Difference.Mean)) {
		t.Errorf("the figure lacks the difference of %v: %v\n%s", row, err, text)
	}
	if _, err := Read(t.TempDir()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v of an empty folder", err)
	}
	for _, content := range []string{"{", "[]", "{}"} {
		if err := os.WriteFile(filepath.Join(o.Out, "study.json"), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(o.Out); err == nil || !strings.Contains(err.Error(), "study.json: ") {
			t.Errorf("%s: error %v", content, err)
		}
	}
}

func TestParseVariant(t *testing.T) {
	for _, text := range []string{"", "name", "train.flow_lr_factor=2", "train.flow_lr_factor=2 model.outlier.select=2"} {
		if v, err := ParseVariant(text); err == nil || !strings.Contains(err.Error(), "variant ") {
			t.Errorf("%q: %v, error %v", text, v, err)
		}
	}
}

// TestStudyTrainsAndMeasures goes the whole way with one cell, and then again, which computes
// nothing. (That an interrupted training continues to the same numbers is a test of package train.)
func TestStudyTrainsAndMeasures(t *testing.T) {
	if testing.Short() {
		t.Skip("compiles a training step")
	}
	o := options(t, "model.roi.score_threshold=0.01", "model.roi.detections=10", "train.max_iter=2", "train.steps=[]", "train.base_lr=0.001")
	o.Methods, o.Seeds = []string{"none"}, []int64{1}
	p := &watching{}
	o.Progress = p
	result, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"1 of 1 none-seed1 training", "step 1 of 2", "step 2 of 2", "1 of 1 none-seed1 measuring", "squares:val 8", "squares:ood 6"}, p.seen); diff != "" {
		t.Errorf("progress (-want +got):\n%s", diff)
	}
	report, err := eval.ReadReport(filepath.Join(o.Out, "runs", "none-seed1", "eval", "metrics.json"))
	if err != nil {
		t.Fatal(err)
	}
	if row, ok := result.row("none", Measure{Name: "AP50"}); !ok || *row.Mean != report.MAP.AP50 || row.Deviation != nil {
		t.Errorf("AP50 %+v, want %v of metrics.json without a deviation", row, report.MAP.AP50)
	}
	before := read(t, o, "study.json")
	o.Backend = func() (compute.Backend, error) { return nil, errors.New("a finished study computes nothing") }
	if _, err := Run(t.Context(), o); err != nil {
		t.Error(err)
	}
	if diff := cmp.Diff(before, read(t, o, "study.json")); diff != "" {
		t.Errorf("study.json of a finished study (-before +after):\n%s", diff)
	}
}

// watching notes what it is told, of sets only that they are done.
type watching struct {
	silent
	seen []string
}

func (p *watching) Cell(n, total int, name, doing string) {
	p.seen = append(p.seen, fmt.Sprintf("%d of %d %s %s", n, total, name, doing))
}

func (p *watching) Step(m run.Metrics, maxIter int) {
	p.seen = append(p.seen, fmt.Sprintf("step %d of %d", m.Step, maxIter))
}

func (p *watching) Images(set string, done, total int) {
	if done == total {
		p.seen = append(p.seen, fmt.Sprintf("%s %d", set, total))
	}
}
