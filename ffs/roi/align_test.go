package roi

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ffslab/ffs/internal/testkit"
)

var strides = []int{4, 8, 16, 32}

type alignment = func(p *pyramid, boxes, valid *graph.Node) *graph.Node

var alignments = map[string]alignment{"dense": (*pyramid).alignDense, "windows": (*pyramid).alignWindows, "turns": (*pyramid).alignByTurns}

func TestAlignGolden(t *testing.T) {
	golden := testkit.Golden(t, "testdata/roi_align.npz")
	inputs := []any{golden["boxes_img0"].Tensor(), golden["boxes_img1"].Tensor(), golden["g"].Tensor()}
	names := []string{"p2", "p3", "p4", "p5"}
	for _, name := range names {
		inputs = append(inputs, golden["feat."+name].Tensor())
	}
	for name, align := range alignments {
		t.Run(name, func(t *testing.T) {
			outputs := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
				boxes := graph.Stack([]*graph.Node{in[0], in[1]}, 0)
				valid := graph.BroadcastToDims(graph.Const(in[0].Graph(), true), 2, 20)
				features := make([]*graph.Node, len(strides))
				for i := range features {
					features[i] = graph.TransposeAllAxes(in[3+i], 0, 2, 3, 1)
				}
				p := newPyramid(features, strides, nil)
				pooled := graph.TransposeAllAxes(align(p, boxes, valid), 0, 3, 1, 2)
				level := p.levelOf(flatBoxes(boxes, valid))
				loss := graph.ReduceAllSum(graph.Mul(pooled, in[2]))
				return append([]*graph.Node{level, pooled}, graph.Gradient(loss, in[3:]...)...)
			}, inputs...)
			testkit.Close(t, "levels", outputs[0], golden["levels"], 0)
			testkit.Close(t, "out", outputs[1], golden["out"], 1e-5)
			for i, name := range names {
				testkit.Close(t, "grad."+name, outputs[2+i], golden["grad."+name], 1e-4)
			}
		})
	}
}

// pool runs both implementations, the second also in uneven chunks, on random features of a canvas;
// they return [batch * boxes, 7, 7, channels].
func pool(t *testing.T, height, width, channels int, boxes [][][]float32, valid [][]bool) (dense, windows, chunked, turns []float32) {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	inputs := []any{boxes, valid}
	for _, stride := range strides {
		inputs = append(inputs, testkit.Random(rng, len(boxes), height/stride, width/stride, channels))
	}
	out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
		p := newPyramid(in[2:], strides, nil)
		return []*graph.Node{p.alignDense(in[0], in[1]), p.alignWindows(in[0], in[1]), p.alignInChunks(in[0], in[1], 9), p.alignByTurns(in[0], in[1])}
	}, inputs...)
	flat := tensors.MustCopyFlatData[float32]
	return flat(out[0]), flat(out[1]), flat(out[2]), flat(out[3])
}

// awkwardBoxes are two images' boxes on a canvas: thin across the whole map, at and beyond the
// borders, empty, on the levels' borders, huge, and rows that are not valid.
func awkwardBoxes(height, width float32) (boxes [][][]float32, valid [][]bool) {
	odd := [][]float32{
		{0, 100, 416, 109}, {200, 0, 203, 256}, {0, 0, 416, 256}, {-20, -30, 60, 50}, {400, 240, 440, 300}, {50, 50, 50, 50}, {60, 60, 50, 50},
		{0, 0, 112, 112}, {0, 0, 111.99999, 112}, {3, 5, 227, 229}, {0, 0, 56, 56}, {10.3, 20.7, 11, 21.2}, {415, 255, 416, 256}, {0, 0, 28, 448},
	}
	rng := rand.New(rand.NewPCG(3, 4))
	random := make([][]float32, len(odd))
	for i := range random {
		x, y := rng.Float32()*width, rng.Float32()*height
		random[i] = []float32{x, y, x + rng.Float32()*(width-x), y + rng.Float32()*(height-y)}
	}
	valid = [][]bool{make([]bool, len(odd)), make([]bool, len(odd))}
	for i := range odd {
		valid[0][i], valid[1][i] = true, i != 4
	}
	nan := float32(math.NaN())
	random[4] = []float32{nan, 0, nan, 7}
	return [][][]float32{odd, random}, valid
}

func TestAlignmentsAgree(t *testing.T) {
	const height, width = 256, 416
	boxes, valid := awkwardBoxes(height, width)
	dense, windows, chunked, turns := pool(t, height, width, 3, boxes, valid)
	testkit.Close(t, "windows against dense", windows, dense, 1e-5)
	testkit.Close(t, "chunks against one", chunked, windows, 1e-6)
	testkit.Close(t, "turns against windows", turns, windows, 1e-6)
	for i, v := range dense[(len(boxes[0])+4)*poolSize*poolSize*3:][:poolSize*poolSize*3] {
		if v != 0 {
			t.Fatalf("element %d of a box that is not valid is %v, want 0", i, v)
		}
	}
}

// The turns' gradient is written by hand; the dense implementation's is derived.
func TestTurnsGradient(t *testing.T) {
	const height, width, channels = 256, 416, 3
	boxes, valid := awkwardBoxes(height, width)
	rng := rand.New(rand.NewPCG(5, 6))
	inputs := []any{boxes, valid, testkit.Random(rng, 2*len(boxes[0]), poolSize, poolSize, channels)}
	for _, stride := range strides {
		inputs = append(inputs, testkit.Random(rng, 2, height/stride, width/stride, channels))
	}
	gradients := func(align alignment) []*tensors.Tensor {
		return testkit.Run(t, func(in []*graph.Node) []*graph.Node {
			pooled := align(newPyramid(in[3:], strides, nil), in[0], in[1])
			return graph.Gradient(graph.ReduceAllSum(graph.Mul(pooled, in[2])), in[3:]...)
		}, inputs...)
	}
	want := gradients((*pyramid).alignDense)
	for i, got := range gradients((*pyramid).alignByTurns) {
		testkit.Close(t, fmt.Sprintf("gradient of level %d", i), got, want[i], 1e-5)
	}
}

func TestLevelBounds(t *testing.T) {
	// 4 + log2(s) rounds up to a whole number from a few units in the last place below the power of
	// two.
	for i, bound := range (&pyramid{strides: strides}).levelBounds() {
		power := math.Exp2(float64(i) - 1)
		if float64(bound) >= power || float64(bound) < power*(1-3e-7) {
			t.Errorf("bound %d = %v, want just below %v", i, bound, power)
		}
	}
}

func TestWindowCapacity(t *testing.T) {
	for _, test := range []struct {
		name          string
		height, width int
		want          int
	}{
		{"a small canvas has all its finest level", 96, 128, 24 * 32},
		// Five rows are of a box more than 2 pixels high, thus less than 392 long: all of the row.
		{"a thin box fills five whole rows", 800, 1344, 5 * 336},
		{"the coarsest level is not bounded", 2048, 2048, 64 * 64},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &pyramid{strides: strides, features: make([]*graph.Node, 4)}
			for _, stride := range strides {
				p.heights, p.widths = append(p.heights, test.height/stride), append(p.widths, test.width/stride)
			}
			if got := p.windowCapacity(); got != test.want {
				t.Errorf("capacity = %d, want %d", got, test.want)
			}
		})
	}
}

func TestLevelsInUse(t *testing.T) {
	for _, c := range []struct{ height, width, want int }{
		{64, 64, 1}, {96, 128, 1}, {112, 112, 2}, {192, 192, 2}, {224, 192, 2}, {224, 224, 3}, {320, 320, 3}, {448, 448, 4}, {800, 1344, 4},
	} {
		if got := levelsInUse(c.height, c.width, strides); got != c.want {
			t.Errorf("%dx%d: %d levels, want %d", c.height, c.width, got, c.want)
		}
	}
}
