package boxes_test

import (
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/boxes"
	"ffslab/ffs/internal/testkit"
)

func TestCoderMatchesReference(t *testing.T) {
	golden := testkit.Golden(t, "testdata/box_transform.npz")
	for _, head := range []string{"rpn", "roi"} {
		t.Run(head, func(t *testing.T) {
			var coder boxes.Coder
			copy(coder.Weights[:], golden[head+".weights"].Float64s())
			out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
				deltas := coder.Encode(in[0], in[1])
				return []*graph.Node{deltas, coder.Decode(deltas, in[0]), coder.Decode(in[2], in[0])}
			}, golden["src"].Tensor(), golden["target"].Tensor(), golden[head+".multi_deltas"].Tensor())
			testkit.Close(t, "deltas", out[0], golden[head+".deltas"], 1e-4)
			testkit.Close(t, "decoded", out[1], golden[head+".decoded"], 1e-4)
			testkit.Close(t, "decoded, three classes", out[2], golden[head+".multi_decoded"], 1e-4)
		})
	}
}

func TestClipAndMasks(t *testing.T) {
	nan, inf := float32(math.NaN()), float32(math.Inf(1))
	batch := [][][]float32{
		{{-5, -5, 500, 500}, {10, 20, 30, 40}, {250, 10, 300, 20}, {nan, 0, 5, 5}},
		{{-5, -5, 500, 500}, {30, 10, 20, 40}, {5, 7, 5, 9}, {0, 0, inf, 5}},
	}
	sizes := [][]int32{{100, 200}, {50, 60}} // height, width
	out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
		clipped := boxes.Clip(in[0], in[1])
		return []*graph.Node{clipped, boxes.NonEmpty(clipped), boxes.Area(in[0])}
	}, batch, sizes)
	testkit.Close(t, "clipped", out[0], []float32{
		0, 0, 200, 100, 10, 20, 30, 40, 200, 10, 200, 20, nan, 0, 5, 5,
		0, 0, 60, 50, 30, 10, 20, 40, 5, 7, 5, 9, 0, 0, 60, 5,
	}, 0)
	testkit.Close(t, "not empty", out[1], []bool{true, true, false, false, true, false, false, true}, 0)
	testkit.Close(t, "area", out[2], []float32{505 * 505, 400, 500, nan, 505 * 505, -300, 0, inf}, 0)
}

func TestTake(t *testing.T) {
	out := testkit.Run(t, func(in []*graph.Node) []*graph.Node { return []*graph.Node{boxes.Take(in[0], in[1])} },
		[][][]float32{{{1, 2}, {3, 4}, {5, 6}}, {{7, 8}, {9, 10}, {11, 12}}}, [][]int32{{2, 0}, {1, 1}})
	testkit.Close(t, "rows", out[0], []float32{5, 6, 1, 2, 9, 10, 9, 10}, 0)
}
