package boxes_test

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ffslab/ffs/boxes"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/npz"
)

var (
	rpnMatcher = boxes.Matcher{Low: 0.3, High: 0.7, LowQuality: true}
	roiMatcher = boxes.Matcher{Low: 0.5, High: 0.5}
)

// The reference's sets as one batch: what a set has less than the largest is padded with boxes that
// would match everything.
func TestMatchMatchesReference(t *testing.T) {
	golden := testkit.Golden(t, "testdata/matching.npz")
	sets := []struct {
		name      string
		unmatched int
		labels    []int // of the RPN where they differ from the reference's, which has the quirk
	}{
		{"random", 0, nil},
		{"ties_all_overlap", 0, nil},
		{"no_gt", 0, nil},
		{"ties", 1, []int{1, -1, 1, -1, 1, 0, -1, -1, 0, 0, 0, -1, -1, -1, 1}},
		{"gt_no_overlap", 1, []int{1, -1, 1, -1, 0, 0, 0, 0, 0, 0, 0, -1, -1, 0, 0}},
		{"degenerate_gt", 2, []int{1, -1, 1, -1, 0, 0, 0, 0, 0, 0, 0, -1, -1, 0, 0, 0}},
	}
	const gts, candidates = 8, 152
	var gtBoxes, boxList []float32
	var gtValid, valid []bool
	for _, set := range sets {
		gt, box := golden[set.name+".gt"].Float32s(), golden[set.name+".boxes"].Float32s()
		gtBoxes, gtValid = pad(gtBoxes, gtValid, gt, box[:4], gts)
		boxList, valid = pad(boxList, valid, box, append(gt, 0, 0, 9, 9)[:4], candidates)
	}
	quirk := rpnMatcher
	quirk.ZeroOverlapQuirk = true
	out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
		outputs := []*graph.Node{boxes.IoU(in[0], in[2]), boxes.Area(in[2])}
		for _, matcher := range []boxes.Matcher{quirk, rpnMatcher, roiMatcher} {
			matches := matcher.Match(in[0], in[1], in[2], in[3])
			outputs = append(outputs, matches.Index, matches.Labels, matches.Unmatched)
		}
		return outputs
	}, npz.New(gtBoxes, len(sets), gts, 4).Tensor(), npz.New(gtValid, len(sets), gts).Tensor(),
		npz.New(boxList, len(sets), candidates, 4).Tensor(), npz.New(valid, len(sets), candidates).Tensor())

	iou, area := tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[float32](out[1])
	ints := func(i int) []int32 { return tensors.MustCopyFlatData[int32](out[i]) }
	for i, set := range sets {
		t.Run(set.name, func(t *testing.T) {
			n, m := golden[set.name+".boxes"].Shape[0], golden[set.name+".gt"].Shape[0]
			row := func(all []int32) []int32 { return all[i*candidates:][:n] }
			testkit.Close(t, "rpn match", row(ints(2)), golden[set.name+".rpn.match"], 0)
			testkit.Close(t, "rpn label", row(ints(3)), golden[set.name+".rpn.label"], 0)
			testkit.Close(t, "roi match", row(ints(8)), golden[set.name+".roi.match"], 0)
			testkit.Close(t, "roi label", row(ints(9)), golden[set.name+".roi.label"], 0)
			for _, label := range ints(3)[i*candidates+n : (i+1)*candidates] {
				if label != -1 {
					t.Fatalf("padding has the label %d", label)
				}
			}

			if set.labels == nil {
				set.labels = golden[set.name+".rpn.label"].Ints()
			}
			testkit.Close(t, "match without the quirk", row(ints(5)), golden[set.name+".rpn.match"], 0)
			testkit.Close(t, "label without the quirk", row(ints(6)), set.labels, 0)
			testkit.Close(t, "unmatched", ints(7)[i], set.unmatched, 0)

			testkit.Close(t, "area", area[i*candidates:][:n], golden[set.name+".area_boxes"], 1e-6)
			for j := range m {
				want := golden[set.name+".iou"].Float32s()[j*n : (j+1)*n]
				testkit.Close(t, "IoU to the bit", iou[(i*gts+j)*candidates:][:n], want, 0)
			}
		})
	}
}

// pad appends a list of boxes to values, filled up to n with the given one, and which of them are
// real to valid.
func pad(values []float32, valid []bool, list, filler []float32, n int) ([]float32, []bool) {
	values = append(values, list...)
	for i := range n {
		isReal := i < len(list)/4
		valid = append(valid, isReal)
		if !isReal {
			values = append(values, filler...)
		}
	}
	return values, valid
}

// Boxes outside the mask are ignored, and do not take the place of a ground truth's best box;
// images do not mix.
func TestMatchIgnoresInvalidBoxes(t *testing.T) {
	gt := [][][]float32{{{0, 0, 10, 10}, {90, 90, 99, 99}}, {{50, 50, 60, 60}, {0, 0, 0, 0}}}
	candidates := [][][]float32{{{0, 0, 10, 10}, {0, 0, 10, 4}, {50, 50, 60, 60}}} // one list for both images
	out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
		matches := rpnMatcher.Match(in[0], in[1], in[2], in[3])
		return []*graph.Node{matches.Index, matches.Labels, matches.Unmatched}
	}, gt, [][]bool{{true, true}, {true, false}}, candidates, [][]bool{{false, true, true}, {true, true, true}})
	testkit.Close(t, "label", out[1], []int{-1, 1, 0, 0, 0, 1}, 0)
	testkit.Close(t, "match", out[0], []int{0, 0, 0, 0, 0, 0}, 0)
	testkit.Close(t, "unmatched", out[2], []int{1, 0}, 0)
}
