package rpn_test

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/rpn"
)

// Anchors on an ignored region, by hand: they are neither objects nor background, so that none of
// them is sampled.
func TestAnchorsOnIgnoredRegions(t *testing.T) {
	anchors := [][]float32{
		{0, 0, 10, 10}, {0, 0, 10, 8}, {0, 0, 10, 4}, // the region: IoU 1, 0.8 and 0.4
		{0, 0, 10, 2},    // 0.2
		{50, 0, 60, 10},  // the object
		{50, 0, 60, 2},   // 0.2 with the object
		{0, 40, 10, 50},  // nothing
		{90, 90, 99, 99}, // outside of the image
	}
	inside := [][]bool{{true, true, true, true, true, true, true, false}}
	gt, valid, ignored := [][][]float32{{{50, 0, 60, 10}, {0, 0, 10, 10}}}, [][]bool{{true, false}}, [][]bool{{false, true}}
	config := rpn.Config{BatchPerImage: 8, PositiveFraction: 0.5}
	out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
		head := &rpn.Output{Anchors: in[0], InImage: in[1]}
		with, without := config.Targets(head, in[2], in[3], in[4]), config.Targets(head, in[2], in[3], nil)
		return []*graph.Node{with.Labels, without.Labels, config.Sample(with.Labels, in[5]), with.MatchedBoxes, without.MatchedBoxes}
	}, anchors, inside, gt, valid, ignored, [][]float32{{0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2}})
	want := []int{-1, -1, -1, 0, 1, 0, 0, -1}
	testkit.Close(t, "labels", out[0], want, 0)
	testkit.Close(t, "labels without the region", out[1], []int{0, 0, 0, 0, 1, 0, 0, -1}, 0)
	testkit.Close(t, "sampled", out[2], want, 0)
	testkit.Close(t, "matched boxes", out[3], out[4], 0)
}
