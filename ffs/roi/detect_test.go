package roi

import (
	"fmt"
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ffslab/ffs/internal/testkit"
)

// detections are one image's valid rows.
type detections struct {
	boxes         [][4]float32
	scores        []float32
	classes, rows []int32
}

func (d Detections) nodes() []*graph.Node {
	return []*graph.Node{d.Boxes, d.Scores, d.Classes, d.Rows, d.Valid}
}

// perImage splits the outputs of Detections.nodes; it fails if a valid row follows one that is not.
func perImage(t *testing.T, out []*tensors.Tensor) []detections {
	t.Helper()
	boxes, scores := tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[float32](out[1])
	classes, rows, valid := tensors.MustCopyFlatData[int32](out[2]), tensors.MustCopyFlatData[int32](out[3]), tensors.MustCopyFlatData[bool](out[4])
	images := make([]detections, out[1].Shape().Dim(0))
	n := out[1].Shape().Dim(1)
	for i := range valid {
		image := &images[i/n]
		if !valid[i] {
			continue
		}
		if i%n != len(image.scores) {
			t.Fatalf("row %d of image %d follows a row that is not valid", i%n, i/n)
		}
		image.boxes = append(image.boxes, [4]float32(boxes[4*i:]))
		image.scores, image.classes, image.rows = append(image.scores, scores[i]), append(image.classes, classes[i]), append(image.rows, rows[i])
	}
	return images
}

// FFS's inference from the proposals of the whole tiny detector to boxes on the original image.
func TestDetectGolden(t *testing.T) {
	golden := testkit.Golden(t, "testdata/detector.npz")
	c := goldenConfig
	out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
		valid := graph.BroadcastToDims(graph.Const(in[0].Graph(), true), 1, in[0].Shape().Dim(0))
		found := c.Detect(graph.InsertAxes(in[0], 0), valid, in[1], in[2])
		return append(found.nodes(), found.OfProposals(in[1]))
	}, golden["proposal_boxes"].Tensor(), golden["cls_logits"].Tensor(), golden["box_deltas"].Tensor())
	found, logits := perImage(t, out)[0], tensors.MustCopyFlatData[float32](out[5])

	original, resized := golden["original_size"].Ints(), golden["resized"].Shape[1:]
	scaleY, scaleX := float64(original[0])/float64(resized[0]), float64(original[1])/float64(resized[1])
	var boxes, scores, kept []float32
	var classes []int32
	for i, box := range found.boxes {
		if finished, ok := Finish(box, scaleX, scaleY, original[1], original[0]); ok {
			boxes, scores, classes = append(boxes, finished[:]...), append(scores, found.scores[i]), append(classes, found.classes[i])
			kept = append(kept, logits[i*6:(i+1)*6]...)
		}
	}
	testkit.Close(t, "classes", classes, golden["classes"], 0)
	testkit.Close(t, "scores", scores, golden["scores"], 1e-5)
	testkit.Close(t, "boxes", boxes, golden["boxes"], 1e-5)
	testkit.Close(t, "logits", kept, golden["inter_feat"], 1e-5)
}

func TestDetectByHand(t *testing.T) {
	nan := float32(math.NaN())
	logOf := func(p ...float64) []float32 {
		row := make([]float32, len(p))
		for i, v := range p {
			row[i] = float32(math.Log(v))
		}
		return row
	}
	a, b, c := []float32{0, 0, 10, 10}, []float32{0, 1, 10, 11}, []float32{50, 50, 60, 60} // IoU(a, b) = 9/11
	yes, still := []bool{true, true, true}, [][]float32{make([]float32, 8), make([]float32, 8), make([]float32, 8)}
	cases := []struct {
		name          string
		boxes         [][]float32
		valid         []bool
		logits        [][]float32 // two classes and background
		deltas        [][]float32
		rows, classes []int32
	}{
		{
			"the second class of a proposal is kept, what scores too low is not", [][]float32{a, c, c}, []bool{true, true, false},
			[][]float32{logOf(0.6, 0.3, 0.1), logOf(0.02, 0.5, 0.48), logOf(0.9, 0.05, 0.05)}, still, []int32{0, 1, 0}, []int32{0, 1, 1},
		},
		{
			"suppression is within a class", [][]float32{a, b, c}, yes,
			[][]float32{logOf(0.5, 0.01, 0.49), logOf(0.7, 0.01, 0.29), logOf(0.01, 0.6, 0.39)}, still, []int32{1, 2}, []int32{0, 1},
		},
		{
			"equal scores: the lower proposal, then the lower class", [][]float32{c, a, b}, yes,
			[][]float32{{1, 1, 0}, {1, 1, 0}, {1, 1, 0}}, still, []int32{0, 0, 1, 1}, []int32{0, 1, 0, 1},
		},
		{
			"a proposal that is not finite is dropped whole", [][]float32{a, c, {30, 30, 40, 40}}, yes,
			[][]float32{{5, 1, 0}, {nan, 1, 0}, {5, 0, 0}}, [][]float32{{nan, 0, 0, 0, 0, 0, 0, 0}, make([]float32, 8), make([]float32, 8)},
			[]int32{2}, []int32{0},
		},
		{"nothing", [][]float32{a, b, c}, yes, [][]float32{{0, 0, 9}, {0, 0, 9}, {0, 0, 9}}, still, nil, nil},
	}
	// All cases are one batch.
	var proposals [][][]float32
	var valid [][]bool
	var logits, deltas [][]float32
	for _, test := range cases {
		proposals, valid = append(proposals, test.boxes), append(valid, test.valid)
		logits, deltas = append(logits, test.logits...), append(deltas, test.deltas...)
	}
	for _, limit := range []int{100, 3} {
		c := Config{Classes: 2, ScoreThreshold: 0.05, NMS: 0.5, Detections: limit}
		out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
			return c.Detect(in[0], in[1], in[2], in[3]).nodes()
		}, proposals, valid, logits, deltas)
		for i, got := range perImage(t, out) {
			test := cases[i]
			t.Run(fmt.Sprintf("%s, at most %d", test.name, limit), func(t *testing.T) {
				n := min(len(test.rows), limit)
				testkit.Close(t, "rows", got.rows, test.rows[:n], 0)
				testkit.Close(t, "classes", got.classes, test.classes[:n], 0)
				for j, row := range got.rows {
					testkit.Close(t, "box", got.boxes[j][:], test.boxes[row], 1e-6)
				}
			})
		}
	}
}

func TestFinish(t *testing.T) {
	nan := float32(math.NaN())
	for _, test := range []struct {
		name      string
		box, want [4]float32
		ok        bool
	}{
		{"scaled by axis", [4]float32{1, 2, 3, 4}, [4]float32{2, 6, 6, 12}, true},
		{"clipped to the original", [4]float32{-5, -5, 500, 500}, [4]float32{0, 0, 100, 60}, true},
		{"outside", [4]float32{60, 1, 70, 9}, [4]float32{100, 3, 100, 27}, false},
		{"not a number", [4]float32{nan, 1, 2, 3}, [4]float32{nan, 3, 4, 9}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, ok := Finish(test.box, 2, 3, 100, 60)
			testkit.Close(t, "box", got[:], test.want[:], 0)
			if ok != test.ok {
				t.Errorf("ok = %v, want %v", ok, test.ok)
			}
		})
	}
}
