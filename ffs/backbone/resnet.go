package backbone

import (
	"slices"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/check"
	"ffslab/ffs/nn"
)

// resnetDepths are the numbers of bottlenecks in res2..res5 (He et al., "Deep Residual Learning",
// CVPR 2016, table 1).
var resnetDepths = map[int][4]int{50: {3, 4, 6, 3}, 101: {3, 4, 23, 3}, 152: {3, 8, 36, 3}}

// resnetExpansion is the ratio of a stage's output channels to its 3x3 convolution's.
const resnetExpansion = 4

func init() { Register(ResNet, newResNet) }

// resNet is a ResNet in detectron2's arrangement.
type resNet struct{ Config }

func newResNet(c Config) (Network, error) {
	_, known := resnetDepths[c.Depth]
	err := check.First(append(c.withoutRegNet("a resnet"),
		check.AtLeastOne("stem_width", c.StemWidth),
		check.Rule{OK: known, Key: "depth", Value: c.Depth, Meaning: "must be 50, 101 or 152 for a resnet"},
	)...)
	if err == nil {
		err = c.Options.Decode(&struct{}{})
	}
	return resNet{c}, err
}

func (r resNet) Frozen(path string) bool {
	return r.frozenAt(path, "stem", "res2", "res3", "res4", "res5")
}

func (r resNet) Stages(scope *model.Scope, images, sizes *graph.Node) []*graph.Node {
	return r.outputs(scope, images, sizes)[1:]
}

// outputs returns the stem, of stride 4, and the stages res2..res5.
func (r resNet) outputs(scope *model.Scope, images, sizes *graph.Node) []*graph.Node {
	b := block{norm: r.Norm, sizes: sizes}
	x := nn.Mask(images, b.extent(1))
	x = nn.ReLU(b.named(scope.At("stem").At("conv1"), x, nn.Conv{Out: r.StemWidth, Kernel: 7, Stride: 2}, 2))
	// Zeros beyond the image do not change the maximum of what has been through a ReLU.
	x = nn.Mask(x, b.extent(2))
	x = graph.MaxPool(x).Window(3).Strides(2).PaddingPerDim([][2]int{{1, 1}, {1, 1}}).Done()
	if r.FreezeAt >= 1 {
		x = graph.StopGradient(x)
	}
	outputs := []*graph.Node{x}
	for i, depth := range resnetDepths[r.Depth] {
		stage := scope.At("res%d", i+2)
		for j := range depth {
			b.width, b.stride = r.StemWidth<<i, 1
			if j == 0 && i > 0 {
				b.stride = 2
			}
			b, scope := b, stage.At("%d", j)
			x = r.recomputed(scope, x, func(x *graph.Node) *graph.Node {
				return b.bottleneck(scope, x, Strides[i], r.StrideIn1x1)
			})
		}
		if r.FreezeAt >= i+2 {
			x = graph.StopGradient(x)
		}
		outputs = append(outputs, x)
	}
	return outputs
}

// bottleneck is ResNet's residual block: 1x1, 3x3, 1x1. It maps x to [batch, height/stride,
// width/stride, 4 b.width]. outStride is the result's stride in pixels of the image.
func (b block) bottleneck(scope *model.Scope, x *graph.Node, outStride int, strideIn1x1 bool) *graph.Node {
	first, second, between := 1, b.stride, outStride/b.stride
	if strideIn1x1 {
		first, second, between = b.stride, 1, outStride
	}
	out := resnetExpansion * b.width
	y := nn.ReLU(b.named(scope.At("conv1"), x, nn.Conv{Out: b.width, Kernel: 1, Stride: first}, between))
	y = nn.Mask(y, b.extent(between)) // the 3x3 must see zeros beyond the image
	y = nn.ReLU(b.named(scope.At("conv2"), y, nn.Conv{Out: b.width, Kernel: 3, Stride: second}, outStride))
	y = b.named(scope.At("conv3"), y, nn.Conv{Out: out, Kernel: 1}, outStride)
	if x.Shape().Dim(-1) != out {
		x = b.named(scope.At("shortcut"), x, nn.Conv{Out: out, Kernel: 1, Stride: b.stride}, outStride)
	}
	return nn.ReLU(graph.Add(x, y))
}

// named is a convolution with its normalisation under "norm", as detectron2's ResNets name it.
func (b block) named(scope *model.Scope, x *graph.Node, c nn.Conv, outStride int) *graph.Node {
	c.Init = nn.HeNormal
	return b.normalize(scope.At("norm"), c.Apply(scope, x), outStride)
}

// ResNetDepth returns the depth of the ResNet whose stages have the numbers of bottlenecks, and
// false if there is none.
func ResNetDepth(blocks []int) (int, bool) {
	for depth, counts := range resnetDepths {
		if slices.Equal(blocks, counts[:]) {
			return depth, true
		}
	}
	return 0, false
}
