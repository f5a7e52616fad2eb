package rpn_test

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/npz"
)

// An image on a larger canvas, with large values where its features end, gives the proposals,
// labels and losses that it gives on its own.
func TestPaddingChangesNothing(t *testing.T) {
	golden := testkit.Golden(t, "testdata/rpn.npz")
	gt := golden["gt_boxes.img1"]
	config := reference
	config.ZeroOverlapPositive = false
	run := func(height, width int) []*tensors.Tensor {
		var inputs []any
		for i, stride := range config.Strides {
			feature := golden[fmt.Sprintf("feat.p%d", i+2)]
			inputs = append(inputs, onCanvas(feature, 1, (height+stride-1)/stride, (width+stride-1)/stride).Tensor())
		}
		inputs = append(inputs, [][]int32{{90, 120}}, npz.New(gt.Float32s(), 1, 2, 4).Tensor(), [][]bool{{true, true}})
		return testkit.RunModel(t, referenceHead(t, golden), func(scope *model.Scope, in []*graph.Node) []*graph.Node {
			head := forward(config, scope, in)
			head.Logits = graph.Where(head.InImage, head.Logits, graph.Const(in[0].Graph(), float32(20))) // the best, if they counted
			proposals, logits, valid := config.Proposals(head, in[5], true)
			targets := config.Targets(head, in[6], in[7], nil)
			cls, loc, _ := config.Losses(head, targets.Labels, targets.MatchedBoxes)
			counts := make([]*graph.Node, 2)
			for label := range counts {
				is := graph.Equal(targets.Labels, graph.Const(cls.Graph(), int32(label)))
				counts[label] = graph.ReduceAllSum(graph.ConvertDType(is, targets.Labels.DType()))
			}
			return []*graph.Node{proposals, logits, valid, cls, loc, counts[0], counts[1]}
		}, inputs...)
	}
	alone, padded := run(96, 128), run(160, 192)
	for i, name := range []string{"proposals", "logits", "valid", "classification loss", "localisation loss", "background", "objects"} {
		testkit.Close(t, name, padded[i], alone[i], 1e-5)
	}
}

// onCanvas lays an image's features [batch, channels, height, width] on a larger map that is 50
// elsewhere.
func onCanvas(a *npz.Array, image, height, width int) *npz.Array {
	channels, h, w := a.Shape[1], a.Shape[2], a.Shape[3]
	from, to := a.Float32s(), slices.Repeat([]float32{50}, channels*height*width)
	for c := range channels {
		for y := range h {
			copy(to[(c*height+y)*width:], from[((image*channels+c)*h+y)*w:][:w])
		}
	}
	return npz.New(to, 1, channels, height, width)
}

// A ground truth without area overlaps nothing: in the original it makes every anchor that overlaps
// nothing an object, here it is counted and changes no label.
func TestUnreachableGroundTruth(t *testing.T) {
	golden := testkit.Golden(t, "testdata/rpn.npz")
	gtBoxes := [][][]float32{{{20, 20, 60, 60}, {30, 30, 30, 50}}, {{20, 20, 60, 60}, {0, 0, 0, 0}}}
	gtValid := [][]bool{{true, true}, {true, false}} // the second image is the first without that ground truth
	for _, quirk := range []bool{false, true} {
		t.Run(fmt.Sprintf("quirk=%v", quirk), func(t *testing.T) {
			config := reference
			config.ZeroOverlapPositive = quirk
			inputs := append(features(golden)[:5], [][]int32{{96, 128}, {96, 128}}, gtBoxes, gtValid)
			out := testkit.RunModel(t, referenceHead(t, golden), func(scope *model.Scope, in []*graph.Node) []*graph.Node {
				targets := config.Targets(forward(config, scope, in), in[6], in[7], nil)
				return []*graph.Node{targets.Labels, targets.Unmatched}
			}, inputs...)
			labels := tensors.MustCopyFlatData[int32](out[0])
			n := len(labels) / 2
			if same := slices.Equal(labels[:n], labels[n:]); same == quirk {
				t.Errorf("labels with and without the unreachable ground truth are equal: %v, want %v", same, !quirk)
			}
			testkit.Close(t, "unmatched", out[1], []int{1, 0}, 0)
		})
	}
}

// Anchors whose score or move is not finite give no proposal, and do not disturb others.
func TestProposalsAreFinite(t *testing.T) {
	golden := testkit.Golden(t, "testdata/rpn.npz")
	out := testkit.RunModel(t, referenceHead(t, golden), func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		head := forward(reference, scope, in)
		g, dims := head.Logits.Graph(), head.Logits.Shape().Dimensions
		anchor := graph.Iota(g, shapes.Make(dtypes.Float32, dims...), 1)
		is := func(i int) *graph.Node { return graph.Equal(anchor, graph.Const(g, float32(i))) }
		put := func(x *graph.Node, i int, v float64) *graph.Node {
			return graph.Where(is(i), graph.Const(g, float32(v)), x)
		}
		head.Logits = put(put(put(put(head.Logits, 7, math.NaN()), 8, math.Inf(1)), 9, 1e6), 10, 1e6)
		head.Deltas = put(put(head.Deltas, 9, math.NaN()), 10, math.Inf(-1))
		head.Logits = put(head.Logits, 11, 1e6)
		head.Deltas = put(head.Deltas, 11, math.Inf(1))
		proposals, logits, valid := reference.Proposals(head, in[5], true)
		return []*graph.Node{proposals, logits, valid}
	}, features(golden)...)
	for _, v := range append(tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[float32](out[1])...) {
		if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) || v > 1e5 {
			t.Fatalf("a proposal with coordinate or logit %v", v)
		}
	}
	if valid := tensors.MustCopyFlatData[bool](out[2]); slices.Contains(valid, false) {
		t.Error("fewer proposals than asked for")
	}
}

// A map with fewer anchors than proposals: what is missing comes last, without box.
func TestFewProposals(t *testing.T) {
	config := reference
	config.NMS = 0.01 // leaves hardly any box beside the best
	out := testkit.RunModel(t, model.NewStore(), func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		var maps []*graph.Node
		for _, size := range []int{8, 4, 2, 1, 1} {
			maps = append(maps, graph.MulScalar(graph.IotaFull(in[0].Graph(), shapes.Make(dtypes.Float32, 1, size, size, 4)), 0.01))
		}
		proposals, logits, valid := config.Proposals(config.Forward(scope, maps, in[0]), in[0], false)
		return []*graph.Node{proposals, logits, valid}
	}, [][]int32{{32, 32}})
	values, valid := tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[bool](out[2])
	kept := 0
	for i, ok := range valid {
		box := values[4*i : 4*i+4]
		switch {
		case ok && i > kept:
			t.Fatalf("proposal %d is valid after an invalid one", i)
		case ok:
			kept++
			if box[2] <= box[0] || box[3] <= box[1] || box[0] < 0 || box[1] < 0 || box[2] > 32 || box[3] > 32 {
				t.Errorf("proposal %d: %v is empty or outside of the image", i, box)
			}
		case !slices.Equal(box, []float32{0, 0, 0, 0}):
			t.Errorf("padding %d has the box %v", i, box)
		}
	}
	if kept == 0 || kept == len(valid) || len(valid) != config.PostNMSTest {
		t.Errorf("%d valid of %d proposals, want some of %d", kept, len(valid), config.PostNMSTest)
	}
	if logits := tensors.MustCopyFlatData[float32](out[1]); !slices.IsSortedFunc(logits, func(a, b float32) int { return cmp.Compare(b, a) }) {
		t.Errorf("logits are not in descending order: %v", logits)
	}
}
