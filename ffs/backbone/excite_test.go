package backbone

import (
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
)

// Squeeze and excitation of 2 channels through 1, written out: gate = sigmoid(W2 relu(W1 mean + b1)
// + b2). The mean is over the image, not over the canvas.
func TestSqueezeExciteByHand(t *testing.T) {
	store := model.NewStore()
	for path, value := range map[string]any{
		"/0/weight": [][][][]float32{{{{0.5}, {-0.25}}}}, "/0/bias": []float32{0.1}, // [1, 1, in, out]
		"/2/weight": [][][][]float32{{{{2, -1}}}}, "/2/bias": []float32{0.3, -0.2},
	} {
		if _, err := store.CreateVariable(path, tensors.MustFromAnyValue(value)); err != nil {
			t.Fatal(err)
		}
	}
	// One image of 128x64, 4x2 pixels of stride 32, on a canvas of 128x128; what lies beyond is not
	// counted.
	var pixels, want []float32
	mean := [2]float64{}
	value := func(y, x, c int) float64 { return float64(y+1)*0.5 + float64(x)*0.25 - float64(c) }
	for y := range 4 {
		for x := range 2 {
			for c := range 2 {
				mean[c] += value(y, x, c) / 8
			}
		}
	}
	hidden := max(0, 0.5*mean[0]-0.25*mean[1]+0.1)
	gate := [2]float64{1 / (1 + math.Exp(-(2*hidden + 0.3))), 1 / (1 + math.Exp(-(-hidden - 0.2)))}
	for y := range 4 {
		for x := range 4 {
			for c := range 2 {
				v := 100.0
				if x < 2 {
					v = value(y, x, c)
				}
				pixels, want = append(pixels, float32(v)), append(want, float32(v*gate[c]))
			}
		}
	}
	if hidden == 0 {
		t.Fatal("the hidden unit is off: the gates would not depend on the image")
	}
	out := testkit.RunModel(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		b := block{norm: FrozenBatchNorm, seWidth: 1, sizes: graph.Const(in[0].Graph(), [][]int32{{128, 64}})}
		return []*graph.Node{b.squeezeExcite(scope, in[0], 32)}
	}, tensors.FromFlatDataAndDimensions(pixels, 1, 4, 4, 2))
	testkit.Close(t, "gated", out[0], want, 1e-6)
}
