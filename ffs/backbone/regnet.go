package backbone

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/check"
	"ffslab/ffs/nn"
)

func init() { Register(RegNet, newRegNet) }

// regNet is a RegNet (Radosavovic et al., "Designing Network Design Spaces", CVPR 2020).
type regNet struct {
	Config
	design Design
}

func newRegNet(c Config) (Network, error) {
	err := check.First(
		check.AtLeastOne("stem_width", c.StemWidth),
		check.Rule{OK: c.SERatio >= 0 && c.SERatio <= 1, Key: "se_ratio", Value: c.SERatio, Meaning: "must be between 0 and 1"},
		check.Rule{OK: c.WidthRounding == RoundNearest || c.WidthRounding == RoundTorchvision, Key: "width_rounding", Value: c.WidthRounding, Meaning: "must be empty or torchvision"},
		check.Rule{OK: !c.StrideIn1x1, Key: "stride_in_1x1", Value: c.StrideIn1x1, Meaning: "belongs to a resnet: a regnet's strides lie in its 3x3"},
	)
	if err != nil {
		return nil, err
	}
	if err := c.Options.Decode(&struct{}{}); err != nil {
		return nil, err
	}
	design, err := c.Design()
	if err != nil {
		return nil, err
	}
	if len(design.Widths) != 4 {
		return nil, fmt.Errorf("depth: %d with w_a, w_0 and w_m gives %d stages; the pyramid needs 4", c.Depth, len(design.Widths))
	}
	return regNet{c, design}, nil
}

func (r regNet) Frozen(path string) bool { return r.frozenAt(path, "stem", "s1", "s2", "s3", "s4") }

func (r regNet) Stages(scope *model.Scope, images, sizes *graph.Node) []*graph.Node {
	return r.outputs(scope, images, sizes)[1:]
}

// outputs returns the stem, of stride 2, and the stages s1..s4.
func (r regNet) outputs(scope *model.Scope, images, sizes *graph.Node) []*graph.Node {
	b := block{norm: r.Norm, sizes: sizes}
	x := nn.Mask(images, b.extent(1))
	x = b.conv(scope.At("stem"), "conv", "bn", x, nn.Conv{Out: r.StemWidth, Kernel: 3, Stride: 2}, 2)
	x = nn.ReLU(x)
	outputs := []*graph.Node{x}
	stride := 2
	for i, width := range r.design.Widths {
		for j := range r.design.Depths[i] {
			b.stride = 1
			if j == 0 {
				b.stride = 2
				stride *= 2
			}
			b.width, b.groups = width, width/r.design.GroupWidths[i]
			b.seWidth = int(math.RoundToEven(float64(x.Shape().Dim(-1)) * r.SERatio))
			b, stride, scope := b, stride, scope.At("s%d", i+1).At("b%d", j+1)
			x = r.recomputed(scope, x, func(x *graph.Node) *graph.Node { return b.apply(scope, x, stride) })
		}
		if r.FreezeAt >= i+2 {
			x = graph.StopGradient(x)
		}
		outputs = append(outputs, x)
	}
	return outputs
}
