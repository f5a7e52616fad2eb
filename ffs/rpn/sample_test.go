package rpn_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/npz"
	"ffslab/ffs/rpn"
)

// Every case against a sort on the host; the noise has few distinct values, so that ties at the
// border are the rule.
func TestSample(t *testing.T) {
	const anchors = 900
	images := []struct{ positive, background int }{ // the rest of the 900 anchors is ignored
		{300, 500}, {3, 500}, {0, 500}, {7, 20}, {300, 0}, {0, 0}, {300, 600},
	}
	rng := rand.New(rand.NewPCG(1, 2))
	var labels []int32
	var noise []float32
	for _, image := range images {
		one := slices.Repeat([]int32{-1}, anchors)
		for i, at := range rng.Perm(anchors)[:image.positive+image.background] {
			one[at] = 0
			if i < image.positive {
				one[at] = 1
			}
		}
		labels = append(labels, one...)
		for range anchors {
			noise = append(noise, float32(rng.IntN(16))/16)
		}
	}

	tests := []struct {
		batch        int
		fraction     float64
		mostPositive int
	}{{256, 0.5, 128}, {256, 0, 0}, {64, 1, 64}, {4000, 0.5, 2000}}
	for _, test := range tests {
		t.Run(fmt.Sprintf("%d anchors, %v positive", test.batch, test.fraction), func(t *testing.T) {
			config := rpn.Config{BatchPerImage: test.batch, PositiveFraction: test.fraction}
			out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
				return []*graph.Node{config.Sample(in[0], in[1])}
			}, npz.New(labels, len(images), anchors).Tensor(), npz.New(noise, len(images), anchors).Tensor())
			var want []int32
			for i, image := range images {
				from, to := i*anchors, (i+1)*anchors
				positive := min(test.mostPositive, image.positive)
				want = append(want, keepLargest(labels[from:to], noise[from:to], positive, test.batch-positive)...)
			}
			testkit.Close(t, "labels", out[0], want, 0)
		})
	}
}

// keepLargest keeps the labels of at most the given numbers of positive and background anchors,
// those with the largest noise, the lower index first; the others become -1.
func keepLargest(labels []int32, noise []float32, positive, background int) []int32 {
	order := make([]int, len(labels))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(noise[b], noise[a]) })
	left := map[int32]int{1: positive, 0: background}
	kept := slices.Repeat([]int32{-1}, len(labels))
	for _, i := range order {
		if left[labels[i]] > 0 {
			left[labels[i]]--
			kept[i] = labels[i]
		}
	}
	return kept
}
