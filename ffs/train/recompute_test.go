package train

import (
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
)

// Recomputation changes neither losses nor parameters, for every family of networks.
func TestRecompute(t *testing.T) {
	for name, settings := range map[string][]string{
		"regnet": nil,
		"regnet with squeeze and excitation, frozen stem": {"model.backbone.se_ratio=0.25", "model.backbone.freeze_at=1"},
	} {
		t.Run(name, func(t *testing.T) {
			stores := map[bool]*model.Store{}
			var losses [2][]float64
			for i, recompute := range []string{"train.recompute=false", "train.recompute=true"} {
				settings := append([]string{recompute, "train.max_iter=3", "train.checkpoint_every=3", "train.optimizer=sgd", "train.base_lr=0.02", "train.steps=[]", "model.outlier.start_iter=1"}, settings...)
				r := newRun(t, filepath.Join(t.TempDir(), "run"), tinyConfig(t, settings...))
				if err := Train(t.Context(), Options{Backend: testkit.Backend(t), Run: r, Data: squares(4)}); err != nil {
					t.Fatal(err)
				}
				log, err := r.ReadMetrics()
				if err != nil {
					t.Fatal(err)
				}
				for _, m := range log {
					losses[i] = append(losses[i], m.TotalLoss)
				}
				store := model.NewStore()
				if _, err := r.Load(store); err != nil {
					t.Fatal(err)
				}
				stores[i == 1] = store
			}
			testkit.Close(t, "losses", losses[1], losses[0], 1e-5)
			for v := range stores[false].IterVariables() {
				testkit.Close(t, v.Path(), stores[true].GetVariable(v.Path()).MustValue(), v.MustValue(), 1e-5)
			}
		})
	}
}
