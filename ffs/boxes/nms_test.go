package boxes_test

import (
	"cmp"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ffslab/ffs/boxes"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/npz"
)

// ways are those that backends choose from: each has to give the same.
var ways = []func(boxes, valid *graph.Node, iouThreshold float64) *graph.Node{boxes.SuppressInOrder, boxes.SuppressAtOnce}

// The reference's keep lists, of boxes that suppress those of their own class alone: one list for
// each class.
func TestNMSMatchesReference(t *testing.T) {
	golden := testkit.Golden(t, "testdata/nms.npz")
	for _, set := range []string{"ties300", "rpn300", "many1500", "one_class200"} {
		t.Run(set, func(t *testing.T) {
			threshold := golden[set+".iou_threshold"].Float64s()[0]
			order, sorted := byScore(golden[set+".scores"].Float32s(), golden[set+".boxes"].Float32s())
			n := len(order)
			lists := slices.Max(golden[set+".classes"].Ints()) + 1
			perClass, repeated := make([]bool, lists*n), []float32{}
			for i, row := range order {
				class := golden[set+".classes"].Ints()[row]
				perClass[class*n+i] = true
			}
			for range lists {
				repeated = append(repeated, sorted...)
			}
			out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
				var out []*graph.Node
				for _, suppress := range ways {
					out = append(out, graph.ReduceLogicalOr(suppress(in[0], in[1], threshold), 0))
				}
				return out
			}, npz.New(repeated, lists, n, 4).Tensor(), npz.New(perClass, lists, n).Tensor())
			for i, form := range []string{"in order", "at once"} {
				var keep []int
				for j, kept := range tensors.MustCopyFlatData[bool](out[i]) {
					if kept {
						keep = append(keep, order[j])
					}
				}
				testkit.Close(t, form, keep, golden[set+".keep"], 0)
			}
		})
	}
}

// byScore returns the rows in descending order of score, the lower row first on ties, and the boxes
// in that order.
func byScore(scores, values []float32) (order []int, sorted []float32) {
	order = make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	for _, row := range order {
		sorted = append(sorted, values[row*4:row*4+4]...)
	}
	return order, sorted
}

func TestNMSByHand(t *testing.T) {
	a, b, c := []float32{0, 0, 10, 10}, []float32{0, 0, 10, 5}, []float32{0, 0, 10, 3} // IoU(a, b) = 1/2, IoU(b, c) = 3/5, IoU(a, c) = 3/10
	tests := []struct {
		name      string
		boxes     [][]float32
		valid     []bool
		threshold float64
		want      []bool
	}{
		{"equal to the threshold is kept", [][]float32{a, b, c}, []bool{true, true, true}, 0.5, []bool{true, true, false}},
		{"a suppressed box suppresses nothing", [][]float32{a, b, c}, []bool{true, true, true}, 0.4, []bool{true, false, true}},
		{"float32(0.3) is above 0.3", [][]float32{a, c, b}, []bool{true, true, true}, 0.3, []bool{true, false, false}},
		{"an invalid box neither suppresses nor stays", [][]float32{a, b, c}, []bool{false, true, true}, 0.5, []bool{false, true, false}},
		{"none", [][]float32{a, b, c}, []bool{false, false, false}, 0.5, []bool{false, false, false}},
		{"copies", [][]float32{a, a, a}, []bool{true, true, true}, 0.99, []bool{true, false, false}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if test.threshold == 0.3 && testkit.OnGPU(t) {
				t.Skip("the last bit of a quotient decides (see IoU)")
			}
			out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
				return []*graph.Node{boxes.NMS(in[0], in[1], test.threshold), boxes.SuppressAtOnce(in[0], in[1], test.threshold)}
			}, [][][]float32{test.boxes}, [][]bool{test.valid})
			testkit.Close(t, "keep", out[0], test.want, 0)
			testkit.Close(t, "keep, at once", out[1], test.want, 0)
		})
	}
}

// A row of boxes of which each overlaps the next: every second one stays, and each decision hangs
// on the one before.
func TestLongestChain(t *testing.T) {
	const n = 301
	row, valid, want := make([][]float32, n), make([]bool, n), make([]bool, n)
	for i := range n {
		row[i], valid[i], want[i] = []float32{float32(i), 0, float32(i) + 2, 1}, true, i%2 == 0
	}
	out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
		var out []*graph.Node
		for _, suppress := range ways {
			out = append(out, suppress(in[0], in[1], 0.3)) // IoU of neighbours: 1/3
		}
		return out
	}, [][][]float32{row}, [][]bool{valid})
	for i := range out {
		testkit.Close(t, "keep", out[i], want, 0)
	}
}
