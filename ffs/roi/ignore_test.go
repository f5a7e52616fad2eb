package roi

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/testkit"
)

// Proposals on an ignored region, by hand: none is drawn, neither is the region itself; one that
// lies on an object, too, is foreground.
func TestProposalsOnIgnoredRegions(t *testing.T) {
	proposals := [][][]float32{{
		{0, 0, 10, 10}, {0, 0, 10, 5}, // the region: IoU 1 and 0.5
		{0, 0, 10, 4},   // 0.4
		{50, 0, 60, 9},  // the object, 0.9, and the region on it, 0.78
		{50, 0, 60, 14}, // 0.71 and 0.5
		{0, 40, 10, 50}, // nothing
	}}
	gt := [][][]float32{{{50, 0, 60, 10}, {0, 0, 10, 10}, {50, 0, 60, 7}, {0, 40, 10, 50}}}
	valid, ignored := [][]bool{{true, false, false, false}}, [][]bool{{false, true, true, false}} // the last is padding
	noise := [][]float32{{0.95, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1}}
	c := Config{Classes: 1, BatchPerImage: 8, PositiveFraction: 0.5}
	out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
		s := c.Sample(in[0], in[6], in[1], in[2], in[3], in[4], in[5])
		return []*graph.Node{s.Classes, s.Valid, graph.Slice(s.Boxes, graph.AxisRange(), graph.AxisRange(0, 5))}
	}, proposals, gt, [][]int32{{0, 0, 0, 0}}, valid, ignored, noise, [][]bool{{true, true, true, true, true, true}})
	testkit.Close(t, "classes", out[0], []int{0, 0, 0, 1, 1, 1, 1, 1}, 0)
	testkit.Close(t, "valid", out[1], []bool{true, true, true, true, true, false, false, false}, 0)
	testkit.Close(t, "boxes", out[2], []float32{
		50, 0, 60, 9, 50, 0, 60, 14, 50, 0, 60, 10, // foreground, in descending order of noise
		0, 0, 10, 4, 0, 40, 10, 50, // background
	}, 0)
}
