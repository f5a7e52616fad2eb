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

// match runs the matcher on one image; the ground truth is padded by two rows that would match everything.
func match(t *testing.T, m boxes.Matcher, gt, candidates *npz.Array) []*tensors.Tensor {
	t.Helper()
	n := gt.Size() / 4
	padded := append(gt.Float32s(), candidates.Float32s()[:8]...)
	valid := make([]bool, n+2)
	for i := range n {
		valid[i] = true
	}
	return testkit.Run(t, func(in []*graph.Node) []*graph.Node {
		matches := m.Match(in[0], in[1], in[2], nil)
		return []*graph.Node{matches.Index, matches.Labels, matches.Unmatched}
	}, npz.New(padded, 1, n+2, 4).Tensor(), npz.New(valid, 1, n+2).Tensor(), rows(candidates, 1, candidates.Size()/4, 4).Tensor())
}

func TestMatchMatchesReference(t *testing.T) {
	golden := testkit.Golden(t, "testdata/matching.npz")
	quirk := rpnMatcher
	quirk.ZeroOverlapQuirk = true
	for _, set := range []string{"random", "ties", "ties_all_overlap", "no_gt", "gt_no_overlap", "degenerate_gt"} {
		t.Run(set, func(t *testing.T) {
			gt, candidates := golden[set+".gt"], golden[set+".boxes"]
			for head, matcher := range map[string]boxes.Matcher{"rpn": quirk, "roi": roiMatcher} {
				out := match(t, matcher, gt, candidates)
				testkit.Close(t, head+" match", out[0], golden[set+"."+head+".match"], 0)
				testkit.Close(t, head+" label", out[1], golden[set+"."+head+".label"], 0)
			}
			if gt.Size() == 0 {
				return
			}
			out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
				return []*graph.Node{boxes.IoU(in[0], in[1]), boxes.Area(in[1])}
			}, gt.Tensor(), candidates.Tensor())
			testkit.Close(t, "IoU to the bit", out[0], golden[set+".iou"], 0)
			testkit.Close(t, "area", out[1], golden[set+".area_boxes"], 1e-6)
		})
	}
}

// A ground truth that overlaps nothing promotes nothing by default, and is counted; the rest is as with the quirk.
func TestMatchWithoutTheQuirk(t *testing.T) {
	golden := testkit.Golden(t, "testdata/matching.npz")
	tests := []struct {
		set       string
		unmatched int
		labels    []int // nil: as with the quirk
	}{
		{"random", 0, nil},
		{"ties_all_overlap", 0, nil},
		{"no_gt", 0, nil},
		{"ties", 1, []int{1, -1, 1, -1, 1, 0, -1, -1, 0, 0, 0, -1, -1, -1, 1}},
		{"gt_no_overlap", 1, []int{1, -1, 1, -1, 0, 0, 0, 0, 0, 0, 0, -1, -1, 0, 0}},
		{"degenerate_gt", 2, []int{1, -1, 1, -1, 0, 0, 0, 0, 0, 0, 0, -1, -1, 0, 0, 0}},
	}
	for _, test := range tests {
		t.Run(test.set, func(t *testing.T) {
			if test.labels == nil {
				test.labels = golden[test.set+".rpn.label"].Ints()
			}
			out := match(t, rpnMatcher, golden[test.set+".gt"], golden[test.set+".boxes"])
			testkit.Close(t, "label", out[1], test.labels, 0)
			testkit.Close(t, "unmatched", out[2], []int{test.unmatched}, 0)
		})
	}
}

// Boxes outside the mask are ignored, and do not take the place of a ground truth's best box; images do not mix.
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
