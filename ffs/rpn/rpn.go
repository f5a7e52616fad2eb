// Package rpn implements the region proposal network (Ren et al., "Faster R-CNN", NeurIPS 2015) on
// a feature pyramid: anchors, the head that scores and moves them, proposals, and for training the
// targets of the anchors, their sampling and the losses. Semantics are detectron2's.
//
// All levels and all images of the batch are handled together. An image smaller than the canvas
// gives the proposals, labels and losses that it would give alone: anchors beyond its extent take
// no part.
package rpn

import (
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/boxes"
	"ffslab/ffs/internal/check"
	"ffslab/ffs/nn"
)

// Config holds the settings of a region proposal network. Reference values are in parentheses.
type Config struct {
	// AnchorSizes are the sides in pixels of the square anchors of the levels (32, 64, 128, 256,
	// 512 on p2 to p6).
	AnchorSizes []float64 `yaml:"anchor_sizes,flow"`
	// AnchorRatios are the ratios of height to width of anchors of equal area (0.5, 1, 2).
	AnchorRatios []float64 `yaml:"anchor_ratios,flow"`
	// BatchPerImage is the number of anchors sampled for the losses (256), at most PositiveFraction
	// of them positive (0.5).
	BatchPerImage    int     `yaml:"batch_per_image"`
	PositiveFraction float64 `yaml:"positive_fraction"`
	// PreNMSTrain and PreNMSTest are the numbers of proposals that enter non-maximum suppression on
	// each level (2000, 1000).
	PreNMSTrain int `yaml:"pre_nms_train"`
	PreNMSTest  int `yaml:"pre_nms_test"`
	// PostNMSTrain and PostNMSTest are the numbers of proposals that remain over all levels (1000,
	// 1000).
	PostNMSTrain int `yaml:"post_nms_train"`
	PostNMSTest  int `yaml:"post_nms_test"`
	// NMS is the IoU above which the better proposal of a level suppresses the other (0.7).
	NMS float64 `yaml:"nms"`
	// ZeroOverlapPositive keeps detectron2's labels: a ground truth that overlaps no anchor makes
	// every anchor of zero IoU positive (see boxes.Matcher).
	ZeroOverlapPositive bool `yaml:"zero_overlap_positive"`
	// Strides are the strides of the levels in pixels (4, 8, 16, 32, 64), which the pyramid
	// determines.
	Strides []int `yaml:"-"`
}

// Validate returns an error that names the first impossible setting.
func (c Config) Validate() error {
	return check.First(
		check.Rule{OK: len(c.AnchorSizes) == 5 && check.Positive(c.AnchorSizes), Key: "anchor_sizes", Value: c.AnchorSizes, Meaning: "must be five positive sizes in pixels, for p2..p6"},
		check.Rule{OK: len(c.AnchorRatios) > 0 && check.Positive(c.AnchorRatios), Key: "anchor_ratios", Value: c.AnchorRatios, Meaning: "must be positive"},
		check.AtLeastOne("batch_per_image", c.BatchPerImage),
		check.Fraction("positive_fraction", c.PositiveFraction),
		check.AtLeastOne("pre_nms_train", c.PreNMSTrain),
		check.AtLeastOne("pre_nms_test", c.PreNMSTest),
		check.AtLeastOne("post_nms_train", c.PostNMSTrain),
		check.AtLeastOne("post_nms_test", c.PostNMSTest),
		check.Fraction("nms", c.NMS),
	)
}

// Output is the output of the head for A anchors, ordered by level, row, column and ratio.
type Output struct {
	// Anchors are the boxes [A, 4].
	Anchors *graph.Node
	// InImage [batch, A] bool marks the anchors whose cell lies in the image, padded as if it were
	// alone.
	InImage *graph.Node
	// Logits [batch, A] are the objectness scores, Deltas [batch, A, 4] the moves (boxes.Coder with
	// unit weights).
	Logits, Deltas *graph.Node

	levelSizes []int // the number of anchors of each level; their sum is A
}

// coder encodes the moves of anchors.
var coder = boxes.Coder{Weights: [4]float64{1, 1, 1, 1}}

// Forward applies the head, with parameters in proposal_generator/rpn_head of the scope, to the
// features [batch, height, width, channels] of each level. The true sizes of the images, [batch, 2]
// int32, are (height, width).
func (c Config) Forward(scope *model.Scope, features []*graph.Node, sizes *graph.Node) *Output {
	head := scope.At("proposal_generator").At("rpn_head")
	g, batch, channels := sizes.Graph(), sizes.Shape().Dim(0), features[0].Shape().Dim(-1)
	layer := func(name string, out, kernel int, x *graph.Node) *graph.Node {
		return nn.Conv{Out: out, Kernel: kernel, Bias: true, Init: nn.Normal(0.01)}.Apply(head.At("%s", name), x)
	}

	ratios := len(c.AnchorRatios)
	output := &Output{}
	var anchors, inImage, hidden []*graph.Node
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
	// The 1x1 layers treat the pixels of all levels as one column.
	pixels := graph.Concatenate(hidden, 1)
	output.Anchors = graph.Concatenate(anchors, 0)
	output.InImage = graph.StopGradient(graph.Concatenate(inImage, 1))
	output.Logits = graph.Reshape(layer("objectness_logits", ratios, 1, pixels), batch, -1)
	output.Deltas = graph.Reshape(layer("anchor_deltas", 4*ratios, 1, pixels), batch, -1, 4)
	output.Logits.AssertDims(batch, output.Anchors.Shape().Dim(0))
	return output
}
