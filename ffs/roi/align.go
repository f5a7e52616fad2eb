package roi

import (
	"math"
	"math/bits"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/internal/bilinear"
	"ffslab/ffs/internal/xlacpu"
)

// poolSize is the side of the grid of bins to which a box is pooled.
const poolSize = 7

// Align pools the features under each box to 7x7 bins (ROIAlign of He et al., "Mask R-CNN", ICCV
// 2017, in detectron2's form: half-pixel aligned, ceil(side / 7) samples for each bin and axis,
// bilinear). It returns [batch * boxes, 7, 7, channels]. Gradients flow only to the features.
//
// The features are consecutive levels of a pyramid, p2 first, each [batch, height, width,
// channels]; strides holds their strides, powers of two. A box of boxes [batch, boxes, 4] is pooled
// from the level that its area chooses: floor(4 + log2(sqrt(area) / 224)), clamped to the given
// levels. Boxes lie on the canvas, so levels for larger boxes are not built. Rows that are not
// valid [batch, boxes] pool to zero. With sizes [batch, 2] int32, the true (height, width) of each
// image, the features of an image end where they do if it is alone (padded to a multiple of 32, see
// nn.ExtentAt), whatever the canvas: samples beyond the centre of the last pixel are moved there.
// With nil sizes, the maps end where the images do.
func Align(features []*graph.Node, strides []int, boxes, valid, sizes *graph.Node) *graph.Node {
	n := levelsInUse(features[0].Shape().Dim(1)*strides[0], features[0].Shape().Dim(2)*strides[0], strides)
	p := newPyramid(features[:n], strides[:n], sizes)
	level, y, x := p.place(boxes, valid)
	if xlacpu.Wanted(boxes.Graph()) {
		return xlacpu.Align(p.features, level, y, x)
	}
	return p.align(level, y, x)
}

// pyramid holds the maps from which boxes are pooled.
type pyramid struct {
	features        []*graph.Node
	strides         []int
	heights, widths []int
	batch, channels int
	sizes           *graph.Node // [batch, 2] true (height, width) of the images in pixels, or nil
}

func newPyramid(features []*graph.Node, strides []int, sizes *graph.Node) *pyramid {
	p := &pyramid{features: features, strides: strides, sizes: sizes}
	p.batch, p.channels = features[0].Shape().Dim(0), features[0].Shape().Dim(3)
	for _, f := range features {
		height, width := f.Shape().Dim(1), f.Shape().Dim(2)
		f.AssertDims(p.batch, height, width, p.channels)
		p.heights, p.widths = append(p.heights, height), append(p.widths, width)
	}
	return p
}

// place returns the level [n] int32 of each of the n boxes of all images, and its sides on the map
// of that level. Boxes that are not valid become empty, which pool to zero.
func (p *pyramid) place(boxes, valid *graph.Node) (level *graph.Node, y, x bilinear.Axis) {
	perImage := boxes.Shape().Dim(1)
	boxes = graph.StopGradient(graph.Where(valid, boxes, graph.ZerosLike(boxes)))
	column := func(i int) *graph.Node {
		return graph.Reshape(graph.Slice(boxes, graph.AxisRange(), graph.AxisRange(), graph.AxisElem(i)), -1)
	}
	x1, y1, x2, y2 := column(0), column(1), column(2), column(3)
	level = p.levelOf(graph.Mul(graph.Sub(x2, x1), graph.Sub(y2, y1)))

	scales := make([]float64, len(p.strides))
	for i, stride := range p.strides {
		scales[i] = 1 / float64(stride)
	}
	scale := perLevel(level, scales)
	heights, widths := perLevel(level, p.heights), perLevel(level, p.widths)
	if p.sizes != nil {
		// detectron2 pads a single image to a multiple of 32, which all strides divide.
		pixels := func(axis int) *graph.Node {
			size := graph.ConvertDType(graph.Slice(p.sizes, graph.AxisRange(), graph.AxisElem(axis)), dtypes.Float32)
			size = graph.Reshape(graph.BroadcastToDims(size, p.batch, perImage), -1)
			size = graph.StopGradient(graph.MulScalar(graph.Ceil(graph.DivScalar(size, 32)), 32))
			return graph.Mul(size, scale)
		}
		heights, widths = graph.Min(heights, pixels(0)), graph.Min(widths, pixels(1))
	}
	y = bilinear.NewAxis(graph.Mul(y1, scale), graph.Mul(y2, scale), heights, poolSize)
	x = bilinear.NewAxis(graph.Mul(x1, scale), graph.Mul(x2, scale), widths, poolSize)
	return level, y, x
}

// A box of area canonicalSize^2 belongs to the level of stride 2^canonicalLevel (Lin et al.,
// "Feature Pyramid Networks", equation 1).
const (
	canonicalSize  = 224
	canonicalLevel = 4
	levelEpsilon   = 1e-8
)

// levelOf returns the level [n] int32 for each area [n] of a box.
func (p *pyramid) levelOf(area *graph.Node) *graph.Node {
	scale := graph.AddScalar(graph.DivScalar(graph.Sqrt(area), canonicalSize), levelEpsilon)
	level := graph.Zeros(area.Graph(), shapes.Make(dtypes.Int32, area.Shape().Dim(0)))
	for _, bound := range levelBounds(p.strides) {
		reached := graph.GreaterOrEqual(scale, graph.Const(area.Graph(), bound))
		level = graph.Add(level, graph.ConvertDType(reached, dtypes.Int32))
	}
	return level
}

// levelBounds returns, for every level but the first, the smallest float32 s for which
// floor(canonicalLevel + log2(s)) is that level if each operation rounds to float32, as the
// original's do. Comparing with these bounds does not depend on the logarithm of the backend.
func levelBounds(strides []int) []float32 {
	bounds := make([]float32, len(strides)-1)
	for i := range bounds {
		target := float32(bits.TrailingZeros(uint(strides[i+1])))
		bound := float32(math.Exp2(float64(target - canonicalLevel)))
		for {
			below := math.Nextafter32(bound, 0)
			if canonicalLevel+float32(math.Log2(float64(below))) < target {
				break
			}
			bound = below
		}
		bounds[i] = bound
	}
	return bounds
}

// levelsInUse returns the number of levels that boxes within a canvas of the given size in pixels
// can be pooled from.
func levelsInUse(height, width int, strides []int) int {
	scale := math.Sqrt(float64(height)*float64(width))/canonicalSize + 1e-3 // more than rounding can add
	n := 1
	for _, bound := range levelBounds(strides) {
		if scale >= float64(bound) {
			n++
		}
	}
	return n
}

// perLevel looks up a value for each box by its level [n].
func perLevel[T int | float64](level *graph.Node, values []T) *graph.Node {
	table := make([]float32, len(values))
	for i, v := range values {
		table[i] = float32(v)
	}
	return graph.Gather(graph.Const(level.Graph(), table), graph.InsertAxes(level, -1))
}
