package train

import (
	"path/filepath"
	"testing"

	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
)

// Recomputation changes neither losses nor parameters, with a frozen stem and with squeeze and
// excitation.
func TestRecompute(t *testing.T) {
	var losses [2][]float64
	var stores [2]*model.Store
	for i, recompute := range []string{"train.recompute=false", "train.recompute=true"} {
		c := tinyConfig(t, recompute, "model.backbone.se_ratio=0.25", "model.backbone.freeze_at=1", "model.outlier.start_iter=1",
			"train.max_iter=3", "train.checkpoint_every=3", "train.optimizer=sgd", "train.base_lr=0.02", "train.steps=[]")
		r := newRun(t, filepath.Join(t.TempDir(), "run"), c)
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
		stores[i] = model.NewStore()
		if _, err := r.Load(stores[i]); err != nil {
			t.Fatal(err)
		}
	}
	testkit.Close(t, "losses", losses[1], losses[0], 1e-5)
	for v := range stores[0].IterVariables() {
		testkit.Close(t, v.Path(), stores[1].GetVariable(v.Path()).MustValue(), v.MustValue(), 1e-5)
	}
}
