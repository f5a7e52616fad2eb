package rpn_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/npz"
	"ffslab/ffs/rpn"
)

// Every case against a sort on the host; the noise has few distinct values, so that ties at the border are the rule.
func TestSample(t *testing.T) {
	const anchors = 900
	tests := []struct {
		name                string
		positive, negative  int // of the 900 anchors; the rest is ignored
		batch               int
		fraction            float64
		wantPos, wantSample int
	}{
		{"plenty of both", 300, 500, 256, 0.5, 128, 256},
		{"few positive ones, background fills", 3, 500, 256, 0.5, 3, 256},
		{"no positive ones", 0, 500, 256, 0.5, 0, 256},
		{"too few of both", 7, 20, 256, 0.5, 7, 27},
		{"no background", 300, 0, 256, 0.5, 128, 128},
		{"nothing", 0, 0, 256, 0.5, 0, 0},
		{"no room for positive ones", 300, 500, 256, 0, 0, 256},
		{"only positive ones", 300, 500, 64, 1, 64, 64},
		{"more wanted than anchors", 300, 600, 4000, 0.5, 300, 900},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(1, 2))
			labels, noise := make([]int32, 2*anchors), make([]float32, 2*anchors)
			for image := range 2 {
				for i, at := range rng.Perm(anchors) {
					label := int32(-1)
					if i < test.positive {
						label = 1
					} else if i < test.positive+test.negative {
						label = 0
					}
					labels[image*anchors+at] = label
					noise[image*anchors+at] = float32(rng.IntN(16)) / 16
				}
			}
			config := rpn.Config{BatchPerImage: test.batch, PositiveFraction: test.fraction}
			out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
				return []*graph.Node{config.Sample(in[0], in[1])}
			}, npz.New(labels, 2, anchors).Tensor(), npz.New(noise, 2, anchors).Tensor())

			var want []int32
			for image := range 2 {
				from, to := image*anchors, (image+1)*anchors
				want = append(want, sampled(labels[from:to], noise[from:to], test.wantPos, test.wantSample-test.wantPos)...)
			}
			testkit.Close(t, "labels", out[0], want, 0)
		})
	}
}

// sampled keeps the labels of the given numbers of positive and negative anchors, those with the largest noise.
func sampled(labels []int32, noise []float32, positive, negative int) []int32 {
	order := make([]int, len(labels))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(noise[b], noise[a]) })
	left := map[int32]int{1: positive, 0: negative}
	kept := slices.Repeat([]int32{-1}, len(labels))
	for _, i := range order {
		if left[labels[i]] > 0 {
			left[labels[i]]--
			kept[i] = labels[i]
		}
	}
	return kept
}
