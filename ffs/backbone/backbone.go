// Package backbone turns images into the feature pyramid that proposals are found in: a RegNet (Radosavovic et al., "Designing
// Network Design Spaces", CVPR 2020) or a ResNet (He et al., CVPR 2016) and a feature pyramid network (Lin et al., CVPR 2017), in
// detectron2's arrangement and under its parameter names.
package backbone

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/nn"
)

// Norm says how activations are normalised.
type Norm string

const (
	// FrozenBatchNorm uses the fixed statistics of a pre-trained network, as the paper's detectors do.
	FrozenBatchNorm Norm = "frozen_bn"
	// GroupNorm normalises each image by itself, which lets a detector train from scratch with few images a step.
	GroupNorm Norm = "group_norm"
)

// channelsPerGroup is the size of group norm's groups: 8 leaves at least two groups in the narrowest layers of the small presets.
const channelsPerGroup = 8

// Strides are those of the pyramid's levels p2..p6, in pixels of the image.
var Strides = []int{4, 8, 16, 32, 64}

// Family is the kind of network under the pyramid.
type Family string

const (
	// RegNet is what the paper's detectors have.
	RegNet Family = "regnet"
	// ResNet is VOS's other backbone.
	ResNet Family = "resnet"
)

// Config describes a backbone with its pyramid. For a RegNet, StemWidth to SERatio are the design's parameters under detectron2's
// names; an SERatio of 0 means a RegNetX, any other a RegNetY. For a ResNet, Depth (50, 101, 152) says all but the StemWidth, which is 64,
// and StrideIn1x1 where its stages halve the map.
type Config struct {
	Family     Family // RegNet if empty
	StemWidth  int
	Depth      int
	WA         float64
	W0         int
	WM         float64
	GroupWidth int
	SERatio    float64
	// StrideIn1x1 gives a ResNet's strides to the first 1x1 of each stage, as in MSRA's weights (detectron2's R-50.pkl), not to its 3x3.
	StrideIn1x1 bool
	Norm        Norm
	// FreezeAt keeps the stem (1), the stem and the first stage (2), and so on, as they are; 0 trains all.
	FreezeAt int
	// FPNChannels is the width of every level of the pyramid.
	FPNChannels int
	// FPNNorm, of detectron2's place and names, is the norm after each of the pyramid's convolutions, which then have no bias: GroupNorm, in groups of 8 channels
	// as in the backbone (detectron2 takes 32 groups, which is the same at its 256 channels), or empty for none.
	FPNNorm Norm
}

// Pyramid returns p2..p6, each [batch, ceil(height/stride), ceil(width/stride), FPNChannels], of normalised images [batch, height,
// width, 3], whose height and width are multiples of 32. With sizes [batch, 2] int32, the true (height, width) of each image, the
// margin of the canvas changes nothing within an image; nil sizes say that every image fills the canvas.
//
// The scope is that of the parameters "bottom_up" and "fpn_*". It panics, as graph-building code does, on an impossible configuration.
func (c Config) Pyramid(scope *model.Scope, images, sizes *graph.Node) []*graph.Node {
	stages := c.BottomUp(scope.At("bottom_up"), images, sizes)
	return c.fpn(scope, stages[1:], sizes)
}

// BottomUp returns the stem and the four stages of strides 4, 8, 16 and 32: s1..s4 of a RegNet, whose stem has stride 2, or res2..res5 of
// a ResNet, whose stem has stride 4.
func (c Config) BottomUp(scope *model.Scope, images, sizes *graph.Node) []*graph.Node {
	if c.Family == ResNet {
		return c.resnet(scope, images, sizes)
	}
	design, err := c.Design()
	if err != nil {
		panic(err)
	}
	b := block{norm: c.Norm, sizes: sizes, frozen: c.FreezeAt >= 1}
	x := nn.Mask(images, b.extent(1))
	x = b.conv(scope.At("stem"), "conv", "bn", x, nn.Conv{Out: c.StemWidth, Kernel: 3, Stride: 2}, 2)
	x = nn.ReLU(x)
	outputs := []*graph.Node{x}
	stride := 2
	for i, width := range design.Widths {
		b.frozen = c.FreezeAt >= i+2
		for j := range design.Depths[i] {
			b.stride = 1
			if j == 0 {
				b.stride = 2
				stride *= 2
			}
			b.width, b.groups = width, width/design.GroupWidths[i]
			b.seWidth = int(math.RoundToEven(float64(x.Shape().Dim(-1)) * c.SERatio))
			x = b.apply(scope.At("s%d", i+1).At("b%d", j+1), x, stride)
		}
		if b.frozen {
			x = graph.StopGradient(x)
		}
		outputs = append(outputs, x)
	}
	return outputs
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

// fpnConv is a convolution of the pyramid at the stride, with its bias or its norm.
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

// Validate says what is wrong with the configuration, naming the field as the configuration file does.
func (c Config) Validate() error {
	switch {
	case c.StemWidth <= 0:
		return fmt.Errorf("stem_width %d must be positive", c.StemWidth)
	case c.FPNChannels <= 0:
		return fmt.Errorf("fpn_channels %d must be positive", c.FPNChannels)
	case c.FreezeAt < 0 || c.FreezeAt > 5:
		return fmt.Errorf("freeze_at %d must be between 0 (nothing is frozen) and 5 (stem and all stages)", c.FreezeAt)
	case c.SERatio < 0 || c.SERatio > 1:
		return fmt.Errorf("se_ratio %g must be between 0 and 1", c.SERatio)
	case c.Norm != FrozenBatchNorm && c.Norm != GroupNorm:
		return fmt.Errorf("norm %q must be %q or %q", c.Norm, FrozenBatchNorm, GroupNorm)
	case c.FPNNorm != "" && c.FPNNorm != GroupNorm:
		return fmt.Errorf("fpn_norm %q must be empty or %q", c.FPNNorm, GroupNorm)
	case c.Family == ResNet:
		return c.validateResNet()
	case c.StrideIn1x1:
		return fmt.Errorf("stride_in_1x1 belongs to a resnet: a regnet's strides lie in its 3x3")
	}
	design, err := c.Design()
	if err != nil {
		return err
	}
	if len(design.Widths) != 4 {
		return fmt.Errorf("depth, w_a, w_0 and w_m give %d stages; the pyramid needs 4", len(design.Widths))
	}
	return nil
}
