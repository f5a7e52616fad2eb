// Package rpn is the region proposal network (Ren et al., "Faster R-CNN", NeurIPS 2015) on a feature pyramid: anchors, the head that
// scores and moves them, proposals, and in training the anchors' targets, their sampling and the losses. Semantics are detectron2's.
//
// All levels and all images of the batch are handled together. Images smaller than the canvas give the proposals, labels and
// losses that they would give alone: anchors beyond an image's own extent take no part.
package rpn

import (
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/boxes"
	"ffslab/ffs/nn"
)

// Node is a value of the graph.
type Node = graph.Node

// Config holds the settings of a region proposal network; reference values in parentheses.
type Config struct {
	// Sizes are the sides in pixels of the levels' square anchors (32, 64, 128, 256, 512 on p2 to p6).
	Sizes []float64
	// Ratios are the anchors' heights over their widths (0.5, 1, 2), of the same area each.
	Ratios []float64
	// Strides are the levels' strides in pixels (4, 8, 16, 32, 64).
	Strides []int
	// BatchPerImage anchors are sampled for the losses (256), at most PositiveFraction of them positive (0.5).
	BatchPerImage    int
	PositiveFraction float64
	// PreNMSTrain and PreNMSTest are how many proposals enter non-maximum suppression on each level (2000, 1000).
	PreNMSTrain, PreNMSTest int
	// PostNMSTrain and PostNMSTest are how many leave it, over all levels (1000, 1000).
	PostNMSTrain, PostNMSTest int
	// NMS is the overlap above which the better proposal of a level suppresses the other (0.7).
	NMS float64
	// ZeroOverlapQuirk keeps the original's labels where a ground truth overlaps no anchor, see boxes.Matcher.
	ZeroOverlapQuirk bool
}

// Output is what the head says about every anchor. The A anchors are ordered by level, row, column and ratio.
type Output struct {
	// Anchors are the boxes [A, 4].
	Anchors *Node
	// InImage [batch, A] booleans tell the anchors whose cell lies in the image, padded as if it were alone.
	InImage *Node
	// Logits [batch, A] are the scores for "object", Deltas [batch, A, 4] the moves (boxes.Coder with unit weights).
	Logits, Deltas *Node

	levelSizes []int // the number of anchors of each level; their sum is A
}

// coder is that of the anchors' moves.
var coder = boxes.Coder{Weights: [4]float64{1, 1, 1, 1}}

// Forward applies the head, whose parameters lie under proposal_generator/rpn_head in scope, to the features [batch, height, width,
// channels] of each level. The images' true sizes [batch, 2] int32 are (height, width).
func (c Config) Forward(scope *model.Scope, features []*Node, sizes *Node) *Output {
	head := scope.At("proposal_generator").At("rpn_head")
	g, batch, channels := sizes.Graph(), sizes.Shape().Dim(0), features[0].Shape().Dim(-1)
	layer := func(name string, out, kernel int, x *Node) *Node {
		return nn.Conv{Out: out, Kernel: kernel, Bias: true, Init: nn.Normal(0.01)}.Apply(head.At("%s", name), x)
	}

	ratios := len(c.Ratios)
	output := &Output{}
	var anchors, inImage, hidden []*Node
	for i, feature := range features {
		height, width := feature.Shape().Dim(1), feature.Shape().Dim(2)
		extent := nn.ExtentAt(sizes, c.Strides[i])
		feature = layer("conv", channels, 3, nn.Mask(feature, extent))
		hidden = append(hidden, graph.Reshape(nn.ReLU(feature), batch, height*width, 1, channels))

		inside := graph.InsertAxes(nn.InExtent(extent, height, width), -1)
		inside = graph.BroadcastToDims(inside, batch, height, width, ratios)
		inImage = append(inImage, graph.Reshape(inside, batch, height*width*ratios))
		anchors = append(anchors, c.anchors(g, i, height, width))
		output.levelSizes = append(output.levelSizes, height*width*ratios)
	}
	// The 1x1 layers see the pixels of all levels as one column.
	pixels := graph.Concatenate(hidden, 1)
	output.Anchors = graph.Concatenate(anchors, 0)
	output.InImage = graph.StopGradient(graph.Concatenate(inImage, 1))
	output.Logits = graph.Reshape(layer("objectness_logits", ratios, 1, pixels), batch, -1)
	output.Deltas = graph.Reshape(layer("anchor_deltas", 4*ratios, 1, pixels), batch, -1, 4)
	output.Logits.AssertDims(batch, output.Anchors.Shape().Dim(0))
	return output
}
