package roi

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ffslab/ffs/internal/testkit"
)

// A row of candidates is written by its class: 'a' and 'b' overlap the ground truth of class 0 and
// 1, '.' is background, '-' is not valid.
func TestSample(t *testing.T) {
	truth := map[byte][]float32{'a': {0, 0, 100, 100}, 'b': {200, 0, 300, 50}, '.': {0, 300, 9, 309}, '-': {0, 0, 100, 100}}
	tests := []struct {
		name            string
		proposals, gt   string // gt rows: 'a', 'b', or '-' for padding
		size            int
		fraction        float64
		foreground, all int
	}{
		{"foreground is capped, background fills", "aaaabbbb............", "ab", 8, 0.25, 2, 8},
		{"background fills what foreground leaves", "a.......", "--", 6, 0.5, 0, 6},
		{"the ground truth is a candidate itself", "......", "b-", 4, 0.5, 1, 4},
		{"little background", "aaaa.--", "a-", 8, 0.25, 2, 3},
		{"fewer candidates than rows", "a.-", "a-", 16, 0.25, 2, 3},
		{"none", "---", "--", 4, 0.25, 0, 0},
		{"no foreground is wanted", "aa...", "a-", 4, 0.1, 0, 3},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := Config{Classes: 2, BatchPerImage: test.size, PositiveFraction: test.fraction}
			boxes := func(letters string) (values [][]float32, valid []bool) {
				for i := range letters {
					values, valid = append(values, truth[letters[i]]), append(valid, letters[i] != '-')
				}
				return values, valid
			}
			proposals, valid := boxes(test.proposals)
			for i, letter := range []byte(test.proposals) { // so that the rows can be told apart
				if letter != '-' {
					proposals[i] = []float32{proposals[i][0], proposals[i][1], proposals[i][2], proposals[i][3] + float32(i)/16}
				}
			}
			gt, gtValid := boxes(test.gt)
			gtClasses := make([]int32, len(test.gt))
			for i, letter := range []byte(test.gt) {
				if letter == 'b' {
					gtClasses[i] = 1
				}
			}
			// Two images that differ in their noise alone.
			rng := rand.New(rand.NewPCG(5, 6))
			noises := [][]float32{make([]float32, len(proposals)+len(gt)), make([]float32, len(proposals)+len(gt))}
			for _, noise := range noises {
				for i, rank := range rng.Perm(len(noise)) {
					noise[i] = float32(rank) / float32(len(noise))
				}
			}
			out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
				s := c.Sample(in[0], in[1], in[2], in[3], in[4], nil, in[5])
				return []*graph.Node{s.Boxes, s.GTBoxes, s.Classes, s.Valid, s.Foreground}
			}, [][][]float32{proposals, proposals}, [][]bool{valid, valid}, [][][]float32{gt, gt}, [][]int32{gtClasses, gtClasses},
				[][]bool{gtValid, gtValid}, noises)
			gotBoxes, gotGT := tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[float32](out[1])
			gotClasses := tensors.MustCopyFlatData[int32](out[2])

			wantValid, wantForeground := make([]bool, 2*test.size), make([]bool, 2*test.size)
			candidates, all := slices.Concat([]byte(test.proposals), []byte(test.gt)), slices.Concat(proposals, gt)
			for image, noise := range noises {
				// The expected rows by the definition: each kind in descending order of noise.
				var foreground, background []int
				for i, letter := range candidates {
					switch {
					case letter == '-':
					case strings.IndexByte(test.gt, letter) >= 0:
						foreground = append(foreground, i)
					default:
						background = append(background, i)
					}
				}
				for _, rows := range [][]int{foreground, background} {
					slices.SortFunc(rows, func(i, j int) int { return cmp.Compare(noise[j], noise[i]) })
				}
				want := slices.Concat(foreground[:test.foreground], background[:test.all-test.foreground])
				for i, row := range want {
					at := image*test.size + i
					wantValid[at], wantForeground[at] = true, i < test.foreground
					testkit.Close(t, "box", gotBoxes[4*at:4*at+4], all[row], 0)
					class := int32(2)
					if i < test.foreground {
						class = int32(candidates[row] - 'a')
						testkit.Close(t, "ground truth", gotGT[4*at:4*at+4], truth[candidates[row]], 0)
					}
					if gotClasses[at] != class {
						t.Errorf("image %d: class of row %d = %d, want %d", image, i, gotClasses[at], class)
					}
				}
			}
			testkit.Close(t, "valid", out[3], wantValid, 0)
			testkit.Close(t, "foreground", out[4], wantForeground, 0)
		})
	}
}
