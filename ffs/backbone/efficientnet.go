package backbone

import (
	"strconv"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/check"
	"ffslab/ffs/nn"
)

func init() { Register(EfficientNetLite, newEfficientNetLite) }

// inverted is an inverted bottleneck: 1x1 to expansion times the channels, a depthwise convolution
// of the kernel and stride, 1x1 to width channels.
type inverted struct{ kernel, stride, expansion, width int }

// lite0 lists the blocks of EfficientNet-Lite0: those of EfficientNet-B0 (Tan and Le, ICML 2019,
// table 1) without squeeze and excitation, and with ReLU6.
var lite0 = []inverted{
	{3, 1, 1, 16},
	{3, 2, 6, 24}, {3, 1, 6, 24},
	{5, 2, 6, 40}, {5, 1, 6, 40},
	{3, 2, 6, 80}, {3, 1, 6, 80}, {3, 1, 6, 80}, {5, 1, 6, 112}, {5, 1, 6, 112}, {5, 1, 6, 112},
	{5, 2, 6, 192}, {5, 1, 6, 192}, {5, 1, 6, 192}, {5, 1, 6, 192}, {3, 1, 6, 320},
}

const (
	lite0Stem = 32
	// lite0Epsilon is added to variances.
	lite0Epsilon = 1e-3
)

// efficientNetLite is EfficientNet-Lite0 without its classifier, under the parameter names of the
// PyPI package efficientnet_lite_pytorch, so that its files load unchanged. It was trained on RGB
// images, (x-127)/128. Images here are BGR, so the network reverses the channels.
type efficientNetLite struct{ Config }

func newEfficientNetLite(c Config) (Network, error) {
	const oneSize = "must be 0 for an efficientnet_lite, which has one size"
	err := check.First(append(c.withoutRegNet("an efficientnet_lite"),
		check.Rule{OK: c.Norm == FrozenBatchNorm, Key: "norm", Value: c.Norm, Meaning: "must be frozen_bn for an efficientnet_lite"},
		check.Rule{OK: !c.StrideIn1x1, Key: "stride_in_1x1", Value: c.StrideIn1x1, Meaning: "belongs to a resnet"},
		check.Rule{OK: c.StemWidth == 0, Key: "stem_width", Value: c.StemWidth, Meaning: oneSize},
		check.Rule{OK: c.Depth == 0, Key: "depth", Value: c.Depth, Meaning: oneSize},
	)...)
	if err == nil {
		err = c.Options.Decode(&struct{}{})
	}
	return efficientNetLite{c}, err
}

// Frozen reports whether the parameter belongs to a stride that FreezeAt covers: stride 2 for 1,
// stride 4 for 2, and so on.
func (e efficientNetLite) Frozen(path string) bool {
	halvings := 0 // before the stem's output
	if rest, inBlock := strings.CutPrefix(path, "_blocks/"); inBlock {
		index, _, _ := strings.Cut(rest, "/")
		last, err := strconv.Atoi(index)
		if err != nil {
			return false
		}
		for _, b := range lite0[:last+1] {
			halvings += b.stride - 1
		}
	}
	return halvings < e.FreezeAt
}

// Stages returns the last maps of strides 4, 8, 16 and 32, of 24, 40, 112 and 320 channels.
func (e efficientNetLite) Stages(scope *model.Scope, images, sizes *graph.Node) []*graph.Node {
	b := block{sizes: sizes}
	x := graph.Reverse(nn.Mask(images, b.extent(1)), 3)
	x = relu6(b.liteConv(scope, "_conv_stem", "_bn0", x, nn.Conv{Out: lite0Stem, Kernel: 3, Stride: 2, Same: true}))
	var outputs []*graph.Node
	stride := 2
	for i, kind := range lite0 {
		stride *= kind.stride
		stride, scope := stride, scope.At("_blocks").At("%d", i)
		x = e.recomputed(scope, x, func(x *graph.Node) *graph.Node { return b.inverted(scope, x, kind, stride) })
		if i < len(lite0)-1 && lite0[i+1].stride == 1 {
			continue
		}
		if 1<<e.FreezeAt >= stride {
			x = graph.StopGradient(x)
		}
		if stride >= Strides[0] {
			outputs = append(outputs, x)
		}
	}
	return outputs
}

// inverted applies a block to x. stride is the result's stride in pixels of the image.
func (b block) inverted(scope *model.Scope, x *graph.Node, kind inverted, stride int) *graph.Node {
	y, channels := x, kind.expansion*x.Shape().Dim(-1)
	if kind.expansion > 1 {
		y = relu6(b.liteConv(scope, "_expand_conv", "_bn0", y, nn.Conv{Out: channels, Kernel: 1}))
	}
	y = nn.Mask(y, b.extent(stride/kind.stride)) // the depthwise kernel must see zeros beyond the image
	y = relu6(b.liteConv(scope, "_depthwise_conv", "_bn1", y, nn.Conv{Out: channels, Kernel: kind.kernel, Stride: kind.stride, Groups: channels, Same: true}))
	y = b.liteConv(scope, "_project_conv", "_bn2", y, nn.Conv{Out: kind.width, Kernel: 1})
	if kind.stride == 1 && x.Shape().Dim(-1) == kind.width {
		y = graph.Add(x, y)
	}
	return y
}

// liteConv is a convolution under one name and its batch norm under another.
func (block) liteConv(scope *model.Scope, name, norm string, x *graph.Node, c nn.Conv) *graph.Node {
	c.Init = nn.HeNormal
	return nn.FrozenBatchNormEpsilon(scope.At("%s", norm), c.Apply(scope.At("%s", name), x), lite0Epsilon)
}

// relu6 is min(6, max(0, x)); its gradient is 0 at both ends, as PyTorch's is.
func relu6(x *graph.Node) *graph.Node {
	return graph.Min(graph.Scalar(x.Graph(), x.DType(), 6), nn.ReLU(x))
}
