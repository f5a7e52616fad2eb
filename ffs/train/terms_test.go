package train

import (
	"context"
	"math"
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/infer"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/loss"
	"ffslab/ffs/options"
	"ffslab/ffs/run"
)

func init() {
	mean := func(over func(loss.Input, *graph.Node) *graph.Node) func(options.Options) (loss.Func, error) {
		return func(o options.Options) (loss.Func, error) {
			return func(in loss.Input) *graph.Node { return over(in, graph.ReduceMean(graph.Square(in.Features), -1)) }, o.Decode(&struct{}{})
		}
	}
	loss.Register(loss.Term{Name: "test_foreground", New: mean(loss.Input.MeanForeground)})
	loss.Register(loss.Term{Name: "test_proposals", New: mean(loss.Input.MeanProposals)})
}

// The extra terms, with features that the linear layer has shortened, are in the total and in the
// log, train the class layer, and are the same whether a step is computed in one or in parts; flow,
// synthesis and scores see the short features.
func TestExtraTermsOnReducedFeatures(t *testing.T) {
	settings := []string{
		"model.roi.reduce_dim=8", "model.loss.least_singular_value=0.003", "model.loss.condition_number=0.02",
		"model.loss.test_foreground={weight: 0.1, options: {}}", "model.loss.test_proposals=0.1",
		"train.images_per_step=4", "train.max_iter=4", "train.checkpoint_every=4", "train.optimizer=sgd", "train.base_lr=0.02", "train.steps=[]",
		"model.outlier.start_iter=1",
	}
	logs := make([][]run.Metrics, 2)
	for i, parts := range []int{1, 2} {
		r := newRun(t, filepath.Join(t.TempDir(), "run"), tinyConfig(t, settings...))
		if err := Train(context.Background(), Options{Backend: testkit.Backend(t), Run: r, Data: squares(8), Accumulate: parts}); err != nil {
			t.Fatal(err)
		}
		var err error
		if logs[i], err = r.ReadMetrics(); err != nil || len(logs[i]) != 4 {
			t.Fatalf("%d steps logged, %v", len(logs[i]), err)
		}
		store := model.NewStore()
		if _, err := r.Load(store); err != nil {
			t.Fatal(err)
		}
		for path, want := range map[string][]int{
			"/roi_heads/box_head_extension/weight": {8, 16}, "/roi_heads/box_head_extension/bias": {8}, "/roi_heads/box_predictor/cls_score/weight": {3, 8},
		} {
			if v := store.GetVariable(path); v == nil {
				t.Errorf("the checkpoint has no %s", path)
			} else {
				testkit.Close(t, path, v.Shape().Dimensions, want, 0)
			}
		}
		if i == 0 {
			m, err := infer.Open(testkit.Backend(t), r.Dir)
			if err != nil {
				t.Fatal(err)
			}
			s, err := m.Draw(t.Context(), "flow", 5, 1, 0)
			if err != nil || len(s.Features[0]) != 8 || len(s.Latents[0]) != 8 {
				t.Errorf("drawn features %v, error %v; want 8 numbers each", s, err)
			}
			m.Close()
		}
	}
	for i, m := range logs[0] {
		sum := 0.0
		for _, l := range m.Losses() {
			if l.Name != "total_loss" {
				sum += l.Value
			}
		}
		testkit.Close(t, "total", m.TotalLoss, sum, 1e-6)
		if len(m.Terms) != 4 {
			t.Fatalf("step %d has the terms %v", m.Step, m.Terms)
		}
		for name, value := range m.Terms {
			if value <= 0 || math.IsNaN(value) {
				t.Errorf("step %d: %s is %v", m.Step, name, value)
			}
			testkit.Close(t, name+" in parts", logs[1][i].Terms[name], value, 1e-5)
		}
	}
	if first, last := logs[0][0].Terms["loss_condition_number"], logs[0][3].Terms["loss_condition_number"]; last >= first {
		t.Errorf("the condition number's term went from %v to %v: it is not trained", first, last)
	}
}
