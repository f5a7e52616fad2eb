package backbone

import (
	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/nn"
)

// block is a residual block. apply builds RegNet's bottleneck: 1x1, grouped 3x3, squeeze and
// excitation (RegNetY), 1x1.
type block struct {
	norm                           Norm
	width, groups, stride, seWidth int
	sizes                          *graph.Node // [batch, 2] true image sizes, or nil
}

// apply maps x to [batch, height/stride, width/stride, b.width]. outStride is the result's stride
// in pixels of the image.
func (b block) apply(scope *model.Scope, x *graph.Node, outStride int) *graph.Node {
	f := scope.At("f")
	y := nn.ReLU(b.conv(f, "a", "a_bn", x, nn.Conv{Out: b.width, Kernel: 1}, outStride/b.stride))
	y = nn.Mask(y, b.extent(outStride/b.stride)) // the 3x3 must see zeros beyond the image
	y = nn.ReLU(b.conv(f, "b", "b_bn", y, nn.Conv{Out: b.width, Kernel: 3, Stride: b.stride, Groups: b.groups}, outStride))
	if b.seWidth > 0 {
		y = b.squeezeExcite(f.At("se").At("f_ex"), y, outStride)
	}
	y = b.conv(f, "c", "c_bn", y, nn.Conv{Out: b.width, Kernel: 1}, outStride)
	if x.Shape().Dim(-1) != b.width || b.stride != 1 {
		x = b.conv(scope, "proj", "bn", x, nn.Conv{Out: b.width, Kernel: 1, Stride: b.stride}, outStride)
	}
	return nn.ReLU(graph.Add(x, y))
}

// conv is a convolution without bias under one name and its normalisation under another.
func (b block) conv(scope *model.Scope, name, normName string, x *graph.Node, c nn.Conv, outStride int) *graph.Node {
	c.Init = nn.HeNormal
	return b.normalize(scope.At("%s", normName), c.Apply(scope.At("%s", name), x), outStride)
}

func (b block) normalize(scope *model.Scope, x *graph.Node, stride int) *graph.Node {
	if b.norm == FrozenBatchNorm {
		return nn.FrozenBatchNorm(scope, x)
	}
	extent, channels := b.extent(stride), x.Shape().Dim(-1)
	groups := max(1, channels/channelsPerGroup)
	for channels%groups != 0 {
		groups--
	}
	return nn.GroupNorm(scope, nn.Mask(x, extent), groups, extent)
}

// squeezeExcite scales each channel by a gate computed from the mean over the image (Hu et al.,
// CVPR 2018).
func (b block) squeezeExcite(scope *model.Scope, x *graph.Node, stride int) *graph.Node {
	d := x.Shape().Dimensions
	extent := b.extent(stride)
	count := graph.Const(x.Graph(), float32(d[1]*d[2]))
	if extent != nil {
		count = graph.Reshape(graph.ReduceMultiply(graph.ConvertDType(extent, dtypes.Float32), -1), d[0], 1, 1, 1)
	}
	mean := graph.Div(graph.ReduceAndKeep(nn.Mask(x, extent), graph.ReduceSum, 1, 2), count)
	gate := nn.Conv{Out: b.seWidth, Kernel: 1, Bias: true, Init: nn.HeNormal}.Apply(scope.At("0"), mean)
	gate = nn.Conv{Out: d[3], Kernel: 1, Bias: true, Init: nn.HeNormal}.Apply(scope.At("2"), nn.ReLU(gate))
	return graph.Mul(x, graph.Sigmoid(gate))
}

func (b block) extent(stride int) *graph.Node {
	if b.sizes == nil {
		return nil
	}
	return nn.ExtentAt(b.sizes, stride)
}
