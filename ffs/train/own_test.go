package train

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/backbone"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/optim"
	"ffslab/ffs/outlier"
)

// The parts "test_own" of a user, whose functions a test sets.
var (
	ownStages     func(images *graph.Node) []*graph.Node
	ownSynthesize func(in outlier.Input) outlier.Output
	ownApply      func()
)

type ownNetwork struct{}

func (ownNetwork) Stages(_ *model.Scope, images, _ *graph.Node) []*graph.Node {
	return ownStages(images)
}
func (ownNetwork) Frozen(string) bool { return false }

type ownSynthesizer struct{ outlier.Stateless }

func (ownSynthesizer) Count() int                                 { return 3 }
func (ownSynthesizer) Noise() []shapes.Shape                      { return outlier.Normals(3, 16) }
func (ownSynthesizer) Synthesize(in outlier.Input) outlier.Output { return ownSynthesize(in) }

type ownOptimizer struct{}

func (ownOptimizer) Apply(*model.Store, []optim.Gradient, *graph.Node) { ownApply() }

func init() {
	backbone.Register("test_own", func(backbone.Config) (backbone.Network, error) { return ownNetwork{}, nil })
	backbone.Register("test_nil", func(backbone.Config) (backbone.Network, error) { return nil, nil })
	outlier.Register(outlier.Method{Name: "test_own", New: func(outlier.Config) (outlier.Synthesizer, error) { return ownSynthesizer{}, nil }})
	outlier.Register(outlier.Method{Name: "test_nil", New: func(outlier.Config) (outlier.Synthesizer, error) { return nil, nil }})
	optim.Register("test_own", func(optim.Settings) (optim.Optimizer, error) { return ownOptimizer{}, nil })
	optim.Register("test_panics", func(optim.Settings) (optim.Optimizer, error) { panic("boom") })
}

// Every fault of a part that a user registers is an error that names the kind and the name of the
// part, and does not speak of the configuration's parameters.
func TestFaultsOfOwnPartsNameThem(t *testing.T) {
	maps := func(channels int, strides ...int) func(images *graph.Node) []*graph.Node {
		return func(images *graph.Node) (stages []*graph.Node) {
			for _, stride := range strides {
				d := images.Shape().Dimensions
				stages = append(stages, graph.Zeros(images.Graph(), shapes.Make(images.DType(), d[0], d[1]/stride, d[2]/stride, channels)))
			}
			return stages
		}
	}
	check := func(want string, settings ...string) {
		t.Helper()
		err := Check(testkit.Backend(t), tinyConfig(t, settings...), 1, 1)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %q", err, want)
		}
	}
	own := []string{"model.backbone.family=test_own"}
	for want, stages := range map[string]func(images *graph.Node) []*graph.Node{
		`backbone family "test_own": boom`:                                              func(*graph.Node) []*graph.Node { panic("boom") },
		`backbone family "test_own": returned 3 feature maps, want 4 of strides`:        maps(8, 4, 8, 16),
		`backbone family "test_own": returned the feature map (Float32)[2, 32, 32, 8] `: maps(8, 2, 8, 16, 32),
		`backbone family "test_own": returned the feature map nil of stride 4, want`:    func(*graph.Node) []*graph.Node { return make([]*graph.Node, 4) },
	} {
		ownStages = stages
		check(want, own...)
	}
	own = []string{"model.outlier.method=test_own"}
	for want, synthesize := range map[string]func(in outlier.Input) outlier.Output{
		`synthesiser "test_own": boom`: func(outlier.Input) outlier.Output { panic("boom") },
		`synthesiser "test_own": returned samples nil, want (Float32)[3, 16]: Count is`: func(outlier.Input) outlier.Output { return outlier.Output{} },
		`synthesiser "test_own": returned samples (Float32)[2, 16], want (Float32)[3, 1`: func(in outlier.Input) outlier.Output {
			return outlier.Output{Samples: graph.Slice(in.Noise[0], graph.AxisRange(0, 2))}
		},
		`synthesiser "test_own": returned NLL or candidates (Float32)[3, 16], want one`: func(in outlier.Input) outlier.Output {
			return outlier.Output{Samples: in.Noise[0], NLL: in.Noise[0]}
		},
	} {
		ownSynthesize = synthesize
		check(want, own...)
	}

	c := tinyConfig(t, "train.optimizer=test_own")
	ownApply = func() { panic("boom") }
	r := newRun(t, filepath.Join(t.TempDir(), "run"), c)
	err := Train(t.Context(), Options{Backend: testkit.Backend(t), Run: r, Data: squares(4)})
	if err == nil || err.Error() != `step 0: optimizer "test_own": boom` {
		t.Errorf("an optimizer that panics: %v", err)
	}

	for setting, want := range map[string]string{
		"model.backbone.family=test_nil": `model.backbone.family: backbone family "test_nil": the registered function returned nil`,
		"model.outlier.method=test_nil":  `model.outlier.method: synthesiser "test_nil": New returned nil`,
		"train.optimizer=test_panics":    `train.optimizer "test_panics": boom`,
	} {
		c := tinyConfig(t)
		err := c.Set(setting)
		if err == nil {
			err = c.Validate()
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("--set %s: error %v, want %q", setting, err, want)
		}
	}
}
