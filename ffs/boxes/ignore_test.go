package boxes_test

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/boxes"
	"ffslab/ffs/internal/testkit"
)

// Labels beside an ignored region, by hand: the object is (100, 0, 110, 10), the region (0, 0, 10,
// 10) of the first image, the same with a small one at 200 in the second, and one that overlaps
// nothing in the third. The fourth has the region as padding, the fifth an object of (0, 0, 10, 9)
// on it.
func TestIgnoredRegions(t *testing.T) {
	none := []float32{0, 0, 0, 0}
	object, region, small, lonely := []float32{100, 0, 110, 10}, []float32{0, 0, 10, 10}, []float32{200, 0, 204, 4}, []float32{400, 0, 410, 10}
	gt := [][][]float32{{object, region, none}, {object, region, small}, {object, lonely, none}, {object, region, none}, {{0, 0, 10, 9}, region, none}}
	valid := [][]bool{{true, false, false}, {true, false, false}, {true, false, false}, {true, false, false}, {true, false, false}}
	ignored := [][]bool{{false, true, false}, {false, true, true}, {false, true, false}, {false, false, false}, {false, true, false}}
	candidates := [][][]float32{{
		{0, 0, 10, 10},     // IoU 1 with the region
		{0, 0, 10, 5},      // 0.5
		{0, 0, 10, 4},      // 0.4
		{0, 0, 10, 2},      // 0.2
		{200, 0, 220, 4},   // 0.2 with the small region, which no box overlaps more
		{100, 0, 110, 10},  // the object
		{300, 50, 310, 60}, // nothing
	}}
	rows := func(m boxes.Matcher) func(in []*graph.Node) []*graph.Node {
		return func(in []*graph.Node) []*graph.Node {
			all := graph.BroadcastToDims(graph.Const(in[0].Graph(), true), in[0].Shape().Dim(0), 7)
			matches := m.Match(in[0], in[1], in[3], all)
			out := m.Ignore(matches, in[0], in[2], in[3], all)
			return []*graph.Node{out.Labels, out.Index, out.Unmatched, matches.Index, matches.Unmatched}
		}
	}
	quirk := rpnMatcher
	quirk.ZeroOverlapQuirk = true
	for _, c := range []struct {
		name    string
		matcher boxes.Matcher
		want    []int
	}{
		{"rpn", rpnMatcher, []int{
			-1, -1, -1, 0, 0, 1, 0,
			-1, -1, -1, 0, -1, 1, 0,
			0, 0, 0, 0, 0, 1, 0,
			0, 0, 0, 0, 0, 1, 0,
			1, -1, -1, 0, 0, 0, 0,
		}},
		{"roi", roiMatcher, []int{
			-1, -1, 0, 0, 0, 1, 0,
			-1, -1, 0, 0, 0, 1, 0,
			0, 0, 0, 0, 0, 1, 0,
			0, 0, 0, 0, 0, 1, 0,
			1, 1, 0, 0, 0, 0, 0,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := testkit.Run(t, rows(c.matcher), gt, valid, ignored, candidates)
			testkit.Close(t, "labels", out[0], c.want, 0)
			testkit.Close(t, "matches", out[1], out[3], 0)
			testkit.Close(t, "unmatched", out[2], out[4], 0)
		})
	}
	// A region that overlaps no box ignores none, even where such an object would make all
	// positive.
	out := testkit.Run(t, rows(quirk), gt[2:3], valid[2:3], ignored[2:3], candidates)
	testkit.Close(t, "labels", out[0], []int{0, 0, 0, 0, 0, 1, 0}, 0)
}
