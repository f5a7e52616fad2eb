package optim

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
)

// Four steps of PyTorch 2's AdamW(lr=0.1, weight_decay=0.1) on the sum of c/2 (w - t)^2, computed
// there.
func TestAdamWIsPyTorchs(t *testing.T) {
	want := [][]float64{
		{0.89000005, -1.88, 0.39500001}, {0.78249478, -1.7613271, 0.29130468},
		{0.67904019, -1.6440586, 0.1890958}, {0.58187449, -1.5282747, 0.088573575},
	}
	store := model.NewStore()
	weight, err := store.CreateVariable("/layer/bias", tensors.FromValue([]float32{1, -2, 0.5}))
	if err != nil {
		t.Fatal(err)
	}
	exec, err := model.NewExec(testkit.Backend(t), store, func(scope *model.Scope, lr *graph.Node) *graph.Node {
		g := lr.Graph()
		distance := graph.Sub(weight.NodeValue(g), graph.Const(g, []float32{0.5, 1, -1}))
		loss := graph.MulScalar(graph.ReduceAllSum(graph.Mul(graph.Const(g, []float32{1, 3, 0.2}), graph.Square(distance))), 0.5)
		update(AdamW{WeightDecay: 0.1}, scope, loss, lr)
		return loss
	})
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	for step, values := range want {
		if _, err := exec.Call(float32(0.1)); err != nil {
			t.Fatal(err)
		}
		testkit.Close(t, "weights", weight.MustValue(), values, 1e-6)
		if t.Failed() {
			t.Fatalf("at step %d", step+1)
		}
	}
}
