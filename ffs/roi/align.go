package roi

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"

	"ffslab/ffs/nn"
)

// poolSize is the side of the grid of bins to which a box is pooled.
const poolSize = 7

// Align pools the features under each box to 7x7 bins (ROIAlign of He et al., "Mask R-CNN", ICCV
// 2017, in detectron2's form: half-pixel aligned, ceil(side / 7) samples for each bin and axis,
// bilinear). It returns [batch * boxes, 7, 7, channels].
//
// The features are consecutive levels of a pyramid, p2 first, each [batch, height, width,
// channels]; strides holds their strides, powers of two. A box of boxes [batch, boxes, 4] is pooled
// from the level that its area chooses: floor(4 + log2(sqrt(area) / 224)), clamped to the given
// levels. Boxes lie on the canvas, so levels for larger boxes are not built. Rows that are not
// valid [batch, boxes] pool to zero. With sizes [batch, 2] int32, the true (height, width) of each
// image, the features of an image end where they do if it is alone (padded to a multiple of 32, see
// nn.ExtentAt), whatever the canvas: samples beyond the centre of the last pixel are moved there.
// With nil sizes, the maps end where the images do.
//
// The value of a bin is linear in the features, and its weights factor into a row and a column part
// with closed forms (see axis), so no sample is computed by itself. Three implementations use that,
// equal up to rounding. A CPU loops over the boxes, which takes a third of the time of gathering
// all windows at once, forward and backward, and the memory of one window. A GPU uses the cheaper
// of the other two. Gradients flow only to the features.
func Align(features []*graph.Node, strides []int, boxes, valid, sizes *graph.Node) *graph.Node {
	n := levelsInUse(features[0].Shape().Dim(1)*strides[0], features[0].Shape().Dim(2)*strides[0], strides)
	p := newPyramid(features[:n], strides[:n], sizes)
	switch {
	case nn.OnCPU(boxes.Graph()):
		return p.alignByTurns(boxes, valid)
	case p.denseCost() <= p.windowCost():
		return p.alignDense(boxes, valid)
	}
	return p.alignWindows(boxes, valid)
}

// pyramid holds the maps from which boxes are pooled.
type pyramid struct {
	features               []*graph.Node
	strides                []int
	heights, widths        []int
	batch, channels, total int         // total is the number of pixels of one image on all levels
	sizes                  *graph.Node // [batch, 2] true (height, width) of the images in pixels, or nil
}

func newPyramid(features []*graph.Node, strides []int, sizes *graph.Node) *pyramid {
	p := &pyramid{features: features, strides: strides, sizes: sizes}
	p.batch, p.channels = features[0].Shape().Dim(0), features[0].Shape().Dim(3)
	for _, f := range features {
		height, width := f.Shape().Dim(1), f.Shape().Dim(2)
		f.AssertDims(p.batch, height, width, p.channels)
		p.heights, p.widths = append(p.heights, height), append(p.widths, width)
		p.total += height * width
	}
	return p
}

// Costs of one box, forward and backward, in multiply-adds of the dense implementation. The
// constants were fitted on XLA's CPU backend, before it had its own implementation, for canvases of
// 192 and 384 pixels with 32 to 256 channels.
const (
	// windowPixelCost is the cost of the position and the weights of a pixel of a window.
	windowPixelCost = 2100
	// windowValueCost is the cost of fetching a channel of the pixel and adding it to 49 bins.
	windowValueCost = 30
)

// denseCost grows with the area of the maps: the rows of a bin are summed along whole maps.
func (p *pyramid) denseCost() int {
	cost := 0
	for i, width := range p.widths {
		cost += poolSize * (p.heights[i] + poolSize) * width * p.channels
	}
	return cost
}

// windowCost grows with the largest possible window of a box.
func (p *pyramid) windowCost() int {
	return p.windowCapacity() * (windowPixelCost + windowValueCost*p.channels)
}

// alignDense applies the row weights of each box to whole maps, then its column weights, on every
// level. The weights are zero on all levels but the box's own.
func (p *pyramid) alignDense(boxes, valid *graph.Node) *graph.Node {
	g, perImage := boxes.Graph(), boxes.Shape().Dim(1)
	n := p.batch * perImage
	flat := flatBoxes(boxes, valid)
	level := p.levelOf(flat)
	r := p.regions(flat, level, p.perBox(perImage))
	var pooled *graph.Node
	for i, f := range p.features {
		height, width := p.heights[i], p.widths[i]
		onLevel := graph.ConvertDType(graph.Equal(level, graph.Const(g, int32(i))), dtypes.Float32)
		rows := graph.Mul(r.y.weights(positions(g, height)), graph.Reshape(onLevel, n, 1, 1)) // [n, 7, height]
		columns := r.x.weights(positions(g, width))                                           // [n, 7, width]
		rows, columns = graph.StopGradient(rows), graph.StopGradient(columns)

		rows = graph.Reshape(rows, p.batch, perImage*poolSize, height)
		f = graph.Reshape(f, p.batch, height, width*p.channels)
		strips := graph.DotGeneral(rows, []int{2}, []int{0}, f, []int{1}, []int{0})
		// Repeat the column weights for each row of bins of a box: many small products avoid a
		// transposed copy of the strips, the largest arrays here.
		strips = graph.Reshape(strips, n*poolSize, width, p.channels)
		columns = graph.BroadcastToDims(graph.InsertAxes(columns, 1), n, poolSize, poolSize, width)
		columns = graph.Reshape(columns, n*poolSize, poolSize, width)
		bins := graph.DotGeneral(columns, []int{2}, []int{0}, strips, []int{1}, []int{0})
		if pooled == nil {
			pooled = bins
		} else {
			pooled = graph.Add(pooled, bins)
		}
	}
	return graph.Reshape(pooled, n, poolSize, poolSize, p.channels)
}

// perBox repeats the size of each image for its boxes, [batch * boxes, 2]; nil if unknown.
func (p *pyramid) perBox(perImage int) *graph.Node {
	if p.sizes == nil {
		return nil
	}
	sizes := graph.InsertAxes(graph.ConvertDType(p.sizes, dtypes.Float32), 1)
	return graph.StopGradient(graph.Reshape(graph.BroadcastToDims(sizes, p.batch, perImage, 2), -1, 2))
}

// flatBoxes returns the boxes of all images, [batch * boxes, 4]. Boxes that are not valid become
// empty, which pool to zero.
func flatBoxes(boxes, valid *graph.Node) *graph.Node {
	boxes = graph.StopGradient(graph.Where(valid, boxes, graph.ZerosLike(boxes)))
	return graph.Reshape(boxes, -1, 4)
}

// positions returns the pixels 0..n-1 of an axis as [1, n].
func positions(g *graph.Graph, n int) *graph.Node {
	return graph.Iota(g, shapes.Make(dtypes.Float32, 1, n), 1)
}
