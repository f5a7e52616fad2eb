package rpn

import (
	"math"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
)

// cellAnchors returns the anchors of a level around the origin: one box (x1, y1, x2, y2) of area
// size^2 for each ratio.
func (c Config) cellAnchors(level int) [][]float32 {
	cells := make([][]float32, len(c.AnchorRatios))
	for i, ratio := range c.AnchorRatios {
		width := math.Sqrt(c.AnchorSizes[level] * c.AnchorSizes[level] / ratio)
		height := ratio * width
		cells[i] = []float32{float32(-width / 2), float32(-height / 2), float32(width / 2), float32(height / 2)}
	}
	return cells
}

// anchors returns the anchors of a level whose map has the given height and width:
// [height*width*ratios, 4], ordered by row, column and ratio, centred on the upper left corners of
// the pixels (detectron2's offset 0).
//
// The graph computes them, exactly as the host would. As constants they would add megabytes of text
// to the program.
func (c Config) anchors(g *graph.Graph, level, height, width int) *graph.Node {
	ratios, stride := len(c.AnchorRatios), float64(c.Strides[level])
	corner := func(axis int) *graph.Node {
		return graph.MulScalar(graph.Iota(g, shapes.Make(dtypes.Float32, height, width, ratios, 1), axis), stride)
	}
	x, y := corner(1), corner(0)
	cells := graph.Reshape(graph.Const(g, c.cellAnchors(level)), 1, 1, ratios, 4)
	return graph.Reshape(graph.Add(graph.Concatenate([]*graph.Node{x, y, x, y}, -1), cells), height*width*ratios, 4)
}
