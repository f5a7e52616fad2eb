package roi

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"ffslab/ffs/internal/bilinear"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/internal/xlacpu"
)

var strides = []int{4, 8, 16, 32}

// alignment is a form of ROIAlign, of boxes as place returns them.
type alignment = func(p *pyramid, level *graph.Node, y, x bilinear.Axis) *graph.Node

var alignments = map[string]alignment{"whole maps": alignWholeMaps, "windows": (*pyramid).align, "in a loop": alignInLoop}

func alignInLoop(p *pyramid, level *graph.Node, y, x bilinear.Axis) *graph.Node {
	return xlacpu.Align(p.features, level, y, x)
}

// alignWholeMaps is the reference: it applies the weights of each box's rows to whole maps, then
// those of its columns, on every level. The weights are zero on all levels but the box's own.
func alignWholeMaps(p *pyramid, level *graph.Node, y, x bilinear.Axis) *graph.Node {
	g, n := level.Graph(), level.Shape().Dim(0)
	positions := func(n int) *graph.Node { return graph.Iota(g, shapes.Make(dtypes.Float32, 1, n), 1) }
	pooled := graph.Zeros(g, shapes.Make(dtypes.Float32, n, poolSize, poolSize, p.channels))
	for i, f := range p.features {
		height, width := p.heights[i], p.widths[i]
		onLevel := graph.ConvertDType(graph.Equal(level, graph.Const(g, int32(i))), dtypes.Float32)
		rows := graph.StopGradient(graph.Mul(y.Weights(positions(height)), graph.Reshape(onLevel, n, 1, 1))) // [n, 7, height]
		columns := graph.StopGradient(x.Weights(positions(width)))                                           // [n, 7, width]
		rows = graph.Reshape(rows, p.batch, -1, height)
		strips := graph.Einsum("bnh,bhwc->bnwc", rows, f)
		bins := graph.Einsum("niwc,njw->nijc", graph.Reshape(strips, n, poolSize, width, p.channels), columns)
		pooled = graph.Add(pooled, bins)
	}
	return pooled
}

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
				level, y, x := p.place(boxes, valid)
				pooled := graph.TransposeAllAxes(align(p, level, y, x), 0, 3, 1, 2)
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

// All forms agree, forward and backward. The loop's gradient is written by hand; the others are
// derived.
func TestAlignmentsAgree(t *testing.T) {
	const height, width, channels = 256, 416, 3
	boxes, valid := awkwardBoxes(height, width)
	rng := rand.New(rand.NewPCG(5, 6))
	inputs := []any{boxes, valid, testkit.Random(rng, 2*len(boxes[0]), poolSize, poolSize, channels)}
	for _, stride := range strides {
		inputs = append(inputs, testkit.Random(rng, 2, height/stride, width/stride, channels))
	}
	run := func(align alignment) []*tensors.Tensor {
		return testkit.Run(t, func(in []*graph.Node) []*graph.Node {
			p := newPyramid(in[3:], strides, nil)
			level, y, x := p.place(in[0], in[1])
			pooled := align(p, level, y, x)
			return append(graph.Gradient(graph.ReduceAllSum(graph.Mul(pooled, in[2])), in[3:]...), pooled)
		}, inputs...)
	}
	inChunks := func(p *pyramid, level *graph.Node, y, x bilinear.Axis) *graph.Node {
		return p.alignInChunks(level, y, x, 9) // the last has fewer
	}
	want := run(alignWholeMaps)
	for name, align := range map[string]alignment{"windows": (*pyramid).align, "in chunks": inChunks, "in a loop": alignInLoop} {
		t.Run(name, func(t *testing.T) {
			got := run(align)
			for i := range strides {
				testkit.Close(t, fmt.Sprintf("gradient of level %d", i), got[i], want[i], 1e-5)
			}
			pooled := tensors.MustCopyFlatData[float32](got[len(strides)])
			testkit.Close(t, "bins", pooled, want[len(strides)], 1e-5)
			const ofBox = poolSize * poolSize * channels
			for i, v := range pooled[(len(boxes[0])+4)*ofBox:][:ofBox] {
				if v != 0 {
					t.Fatalf("element %d of a box that is not valid is %v, want 0", i, v)
				}
			}
		})
	}
}

func TestLevelBounds(t *testing.T) {
	// 4 + log2(s) rounds up to a whole number from a few units in the last place below the power of
	// two.
	for i, bound := range levelBounds(strides) {
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
			p := &pyramid{strides: strides}
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
