// Package backbone turns images into the feature pyramid from which the detector makes proposals: a
// RegNet (Radosavovic et al., "Designing Network Design Spaces", CVPR 2020), a ResNet (He et al.,
// CVPR 2016) or an EfficientNet-Lite0 (Tan and Le, ICML 2019), and above it a feature pyramid
// network (Lin et al., CVPR 2017). Arrangement and parameter names are detectron2's; within an
// EfficientNet-Lite0 the names are those of the PyPI package efficientnet_lite_pytorch.
//
// Other networks are added by [Register].
package backbone

import (
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/check"
	"ffslab/ffs/nn"
	"ffslab/ffs/options"
)

// Norm says how activations are normalised.
type Norm string

const (
	// FrozenBatchNorm uses the statistics of a pre-trained network, as the paper's detectors do.
	FrozenBatchNorm Norm = "frozen_bn"
	// GroupNorm normalises each image by itself. A detector can then train from scratch with few
	// images a step.
	GroupNorm Norm = "group_norm"
)

// channelsPerGroup leaves at least two groups in the narrowest layers of the small presets.
const channelsPerGroup = 8

// Strides are those of the pyramid's levels p2..p6, in pixels of the image.
var Strides = []int{4, 8, 16, 32, 64}

// Names of the built-in families.
const (
	RegNet           = "regnet"            // the paper's
	ResNet           = "resnet"            // VOS's other one
	EfficientNetLite = "efficientnet_lite" // EfficientNet-Lite0, for CPUs
)

// ImageNet is the name of weights that were trained to classify ImageNet's photographs.
const ImageNet = "imagenet"

// Config describes a backbone with its pyramid. For a RegNet, StemWidth to SERatio are the design's
// parameters under detectron2's names; SERatio is 0 for a RegNetX and positive for a RegNetY. For a
// ResNet, Depth is 50, 101 or 152 and StemWidth is 64. An EfficientNet-Lite has one size and none
// of these. A registered family has its settings in Options.
type Config struct {
	// Family is a registered name; empty means RegNet.
	Family     string  `yaml:"family"`
	StemWidth  int     `yaml:"stem_width"`
	Depth      int     `yaml:"depth"`
	WA         float64 `yaml:"w_a"`
	W0         int     `yaml:"w_0"`
	WM         float64 `yaml:"w_m"`
	GroupWidth int     `yaml:"group_width"`
	SERatio    float64 `yaml:"se_ratio"`
	// WidthRounding makes a RegNet's widths divisible by the group width.
	WidthRounding WidthRounding `yaml:"width_rounding,omitempty"`
	// StrideIn1x1 puts the stride of each of a ResNet's stages into its first 1x1, as in MSRA's
	// weights (detectron2's R-50.pkl and RESNETS.STRIDE_IN_1X1), not into its first 3x3.
	StrideIn1x1 bool `yaml:"stride_in_1x1"`
	Norm        Norm `yaml:"norm"`
	// Weights names the published weights from which training starts: ImageNet, for an
	// EfficientNet-Lite0 (see package published). Empty means random weights from the seed.
	Weights string `yaml:"weights,omitempty"`
	// FreezeAt freezes the stem (1), the stem and the first stage (2), and so on; 0 trains all.
	FreezeAt int `yaml:"freeze_at"`
	// Options are the settings of a registered family.
	Options options.Options `yaml:"options,omitempty"`
	// Recompute keeps only the inputs of the network's blocks for the backward pass, which computes
	// the other values again: less memory, more time, the same numbers. Registered families do not
	// heed it.
	Recompute bool `yaml:"-"`
	// FPNChannels is the width of every level of the pyramid.
	FPNChannels int `yaml:"-"`
	// FPNNorm is the norm after each of the pyramid's convolutions, which then have no bias, under
	// detectron2's names: GroupNorm in groups of 8 channels (detectron2's 32 groups are the same at
	// its 256 channels), or empty for none.
	FPNNorm Norm `yaml:"-"`
}

// Pyramid returns p2..p6, each [batch, ceil(height/stride), ceil(width/stride), FPNChannels], of
// normalised images [batch, height, width, 3], whose height and width are multiples of 32. With
// sizes [batch, 2] int32, the true (height, width) of each image, the margin of the canvas changes
// nothing within an image. With nil sizes, every image fills the canvas.
//
// The scope holds the parameters "bottom_up" and "fpn_*". An impossible configuration panics.
func (c Config) Pyramid(scope *model.Scope, images, sizes *graph.Node) []*graph.Node {
	return c.fpn(scope, c.BottomUp(scope.At("bottom_up"), images, sizes), sizes)
}

// BottomUp returns the maps of strides 4, 8, 16 and 32 below the pyramid: s1..s4 of a RegNet,
// res2..res5 of a ResNet (see Network.Stages).
func (c Config) BottomUp(scope *model.Scope, images, sizes *graph.Node) []*graph.Node {
	network, err := c.network()
	if err != nil {
		panic(err)
	}
	return c.stages(scope, network, images, sizes)
}

func (c Config) fpn(scope *model.Scope, stages []*graph.Node, sizes *graph.Node) []*graph.Node {
	levels := make([]*graph.Node, len(stages))
	var above *graph.Node
	for i := len(stages) - 1; i >= 0; i-- {
		lateral := c.fpnConv(scope.At("fpn_lateral%d", i+2), stages[i], 1, sizes, Strides[i])
		if above != nil {
			lateral = graph.Add(lateral, upsample(above))
		}
		above = lateral
		if sizes != nil {
			lateral = nn.Mask(lateral, nn.ExtentAt(sizes, Strides[i]))
		}
		levels[i] = c.fpnConv(scope.At("fpn_output%d", i+2), lateral, 3, sizes, Strides[i])
	}
	// The last level is a max pooling with a window of one pixel: every second pixel.
	p6 := graph.Slice(levels[len(levels)-1], graph.AxisRange(), graph.AxisRange().Stride(2), graph.AxisRange().Stride(2), graph.AxisRange())
	return append(levels, p6)
}

// fpnConv is a convolution of the pyramid, with bias or norm, on a map of the stride.
func (c Config) fpnConv(scope *model.Scope, x *graph.Node, kernel int, sizes *graph.Node, stride int) *graph.Node {
	y := nn.Conv{Out: c.FPNChannels, Kernel: kernel, Bias: c.FPNNorm == "", Init: nn.CaffeXavier}.Apply(scope, x)
	if c.FPNNorm == "" {
		return y
	}
	return block{norm: c.FPNNorm, sizes: sizes}.normalize(scope.At("norm"), y, stride)
}

// upsample doubles height and width by repetition.
func upsample(x *graph.Node) *graph.Node {
	d := x.Shape().Dimensions
	x = graph.Reshape(x, d[0], d[1], 1, d[2], 1, d[3])
	x = graph.BroadcastToDims(x, d[0], d[1], 2, d[2], 2, d[3])
	return graph.Reshape(x, d[0], 2*d[1], 2*d[2], d[3])
}

// Validate returns an error that names the first impossible setting of the network. Those of the
// pyramid are checked with the model.
func (c Config) Validate() error {
	if err := check.First(
		check.Rule{OK: c.FreezeAt >= 0 && c.FreezeAt <= 5, Key: "freeze_at", Value: c.FreezeAt, Meaning: "must be between 0 (nothing is frozen) and 5 (stem and all stages)"},
		check.Rule{OK: c.Norm == FrozenBatchNorm || c.Norm == GroupNorm, Key: "norm", Value: c.Norm, Meaning: "must be frozen_bn or group_norm"},
		check.Rule{OK: c.Weights == "" || c.Weights == ImageNet && c.Family == EfficientNetLite, Key: "weights", Value: c.Weights, Meaning: "must be empty, or imagenet for an efficientnet_lite"},
	); err != nil {
		return err
	}
	_, err := c.network()
	return err
}
