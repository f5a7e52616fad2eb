package heads

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/features"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/internal/tiny"
	"ffslab/ffs/protocol"
	"ffslab/ffs/study"
)

const dim = 8 // of the made features

// made are features of two classes, and of background and unknown objects between them, of a
// detector that is not there.
func made() *extracted {
	rng := rand.New(rand.NewPCG(1, 2))
	row := func(class int) []float32 {
		x := make([]float32, dim)
		for i := range x {
			x[i] = float32(rng.NormFloat64()*0.7 + 1)
		}
		if class < 2 {
			x[class] += 2
		}
		return x
	}
	table := func(n int, class func(i int) int) *features.Table {
		t := &features.Table{
			NumClasses: 2, Features: &features.Matrix{}, Logits: &features.Matrix{}, W: &features.Matrix{}, B: make([]float32, 3), Classes: []int{},
		}
		for i := range n {
			x := row(class(i))
			t.Features.Append(x)
			t.Logits.Append([]float32{x[0], x[1], 0})
			t.Classes = append(t.Classes, class(i)%2)
		}
		for k := range 3 {
			weights := make([]float32, dim)
			if k < 2 {
				weights[k] = 1
			}
			t.W.Append(weights)
		}
		return t
	}
	known := func(i int) int { return i % 2 }
	unknown := func(int) int { return 2 }
	f := &extracted{
		pool: &pool{dim: dim}, fit: table(30, known), detections: []*features.Table{table(40, known), table(40, unknown)},
		kept: &protocol.Evaluation{
			Report: &eval.Report{ScoreThreshold: new(float64), Subject: &eval.Subject{}},
			Sets:   []*data.Dataset{tiny.Squares("known", 10, "red", "blue"), tiny.Squares("unknown", 10, "green")},
		},
	}
	for i := range 90 {
		class := i % 3
		f.pool.features, f.pool.classes = append(f.pool.features, row(class)...), append(f.pool.classes, int32(class))
		if class == 2 {
			f.pool.background = append(f.pool.background, i)
		} else {
			f.pool.foreground = append(f.pool.foreground, i)
		}
	}
	for range f.kept.Sets {
		var detections []eval.Detection
		for i := range 40 {
			detections = append(detections, eval.Detection{ImageID: data.ID(i%10 + 1), CategoryID: 1, Score: 0.9, Logits: []float64{5, 0, 0}})
		}
		f.kept.Detections = append(f.kept.Detections, detections)
	}
	return f
}

func options(t *testing.T) Options {
	t.Helper()
	c, err := tiny.Config()
	if err == nil {
		c, err = Configure(c, "train.max_iter=12", "train.warmup_iters=0", "model.outlier.start_iter=4", "model.roi.batch_per_image=16",
			"model.outlier.select=4", "train.base_lr=0.01")
	}
	if err != nil {
		t.Fatal(err)
	}
	f := made()
	return Options{
		Config: c, Methods: []string{"none", "flow"}, Baseline: "none", Seeds: []int64{0, 1, 2}, Training: f.kept.Sets[0], Sets: f.kept.Sets,
		Variants: []study.Variant{{Name: "strong", Settings: []string{"model.loss.energy=2", "model.roi.reduce_dim=6"}}},
		Scores:   []string{"knn"}, Bootstrap: eval.Bootstrap{Resamples: 40}, Out: t.TempDir(), Progress: func(string) {},
		Backend: func() (compute.Backend, error) { return testkit.Backend(t), nil },
	}
}

// compare runs the study on the made features.
func compare(ctx context.Context, t *testing.T, o Options) (*Result, error) {
	t.Helper()
	settings, err := o.settings()
	if err != nil {
		t.Fatal(err)
	}
	return o.compare(ctx, made(), settings)
}

// The same seed gives the same heads, whether the study was interrupted or not, and nothing that is
// done is done again.
func TestInterruptedStudyEndsWithTheSameTables(t *testing.T) {
	o := options(t)
	o.Variants = nil
	whole, err := compare(t.Context(), t, o)
	if err != nil {
		t.Fatal(err)
	}
	o.Out = t.TempDir()
	trained := 0
	ctx, cancel := context.WithCancel(t.Context())
	o.Progress = func(doing string) {
		if strings.HasSuffix(doing, ": training") {
			if trained++; trained == 5 {
				cancel()
			}
		}
	}
	if _, err := compare(ctx, t, o); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v, want that of the context", err)
	}
	before, err := os.ReadFile(filepath.Join(o.Out, "heads.csv"))
	if err != nil || !strings.Contains(string(before), "none,unknown,energy,AUROC") {
		t.Errorf("no table of what is finished: %v\n%s", err, before)
	}
	again, err := compare(t.Context(), t, o)
	if err != nil {
		t.Fatal(err)
	}
	if trained != 7 { // six cells, one of which was interrupted
		t.Errorf("%d trainings were begun, want 7", trained)
	}
	if again.CSV() != whole.CSV() {
		t.Errorf("interrupted:\n%s\nwhole:\n%s", again.CSV(), whole.CSV())
	}
}

// A setting changes the heads, seeds differ, and every difference has its intervals, around the
// mean.
func TestDifferencesHaveIntervals(t *testing.T) {
	o := options(t)
	r, err := compare(t.Context(), t, o)
	if err != nil {
		t.Fatal(err)
	}
	m := study.Measure{Set: "unknown", Score: energy, Name: "AUROC"}
	base := r.row("none", m)
	if base == nil || base.Difference != nil || len(base.Values) != 3 || base.Values[0] == base.Values[1] {
		t.Fatalf("none: %+v", base)
	}
	for _, method := range []string{"flow", "strong"} {
		for _, name := range []string{energy, "knn"} {
			for _, measure := range []string{"AUROC", "FPR95"} {
				row := r.row(method, study.Measure{Set: "unknown", Score: name, Name: measure})
				if row == nil || row.Difference == nil || row.Difference.Seeds == nil || row.Difference.Images == nil || row.Difference.BeyondNoise == nil {
					t.Fatalf("%s: %s of %s lacks a difference or an interval: %+v", method, measure, name, row)
				}
				if d := row.Difference; d.Mean < d.Seeds[0] || d.Mean > d.Seeds[1] || d.Mean < d.Images[0]-0.05 || d.Mean > d.Images[1]+0.05 {
					t.Errorf("%s: %s of %s: the intervals are not around the mean: %+v", method, measure, name, d)
				}
			}
		}
		if row := r.row(method, m); row.Values[0] == base.Values[0] && row.Values[1] == base.Values[1] {
			t.Errorf("%s changes nothing: %v", method, row.Values)
		}
	}
	for _, name := range []string{"heads.json", "heads.md"} {
		if text, err := os.ReadFile(filepath.Join(o.Out, name)); err != nil || !strings.Contains(string(text), "strong") {
			t.Errorf("%s: %v\n%s", name, err, text)
		}
	}
	// Another setting makes its heads anew.
	o.Variants[0].Settings[0] = "model.loss.energy=0.5"
	other, err := compare(t.Context(), t, o)
	if err != nil {
		t.Fatal(err)
	}
	if other.row("strong", m).Values[0] == r.row("strong", m).Values[0] || other.row("flow", m).Values[0] != r.row("flow", m).Values[0] {
		t.Error("the changed setting alone must give other heads")
	}
}

func TestImpossibleStudies(t *testing.T) {
	for want, change := range map[string]func(*Options){
		`baseline "flow" is not one of`:    func(o *Options) { o.Methods, o.Baseline = []string{"none"}, "flow" },
		"one is given twice":               func(o *Options) { o.Seeds = []int64{1, 1} },
		"no methods or no seeds":           func(o *Options) { o.Seeds = nil },
		"duplicate row name in":            func(o *Options) { o.Variants[0].Name = "flow" },
		`no synthesiser is called "flo"`:   func(o *Options) { o.Methods = append(o.Methods, "flo") },
		"model.outlier.selekt":             func(o *Options) { o.Variants[0].Settings = []string{"model.outlier.selekt=3"} },
		`unknown score "knnn"`:             func(o *Options) { o.Scores = []string{"knnn"} },
		"model.outlier.select: 0 must be ": func(o *Options) { o.Variants[0].Settings = []string{"model.outlier.select=0"} },
	} {
		o := options(t)
		change(&o)
		if _, err := o.settings(); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want one line with %s", err, want)
		}
	}
}
