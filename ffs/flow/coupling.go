package flow

import (
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/nn"
)

// atanScale is FrEIA's factor of the arc tangent, about 2/pi, so that a log-scale stays within
// +-clamp.
const atanScale = 0.636

// Coupling is an affine coupling (Kingma and Dhariwal, "Glow", 2018, in FrEIA's form). With x = [x1
// | x2]:
//
//	[u2 | t2] = subnet2(x2)    y1 = exp(s(u2)) * x1 + t2
//	[u1 | t1] = subnet1(y1)    y2 = exp(s(u1)) * x2 + t1    s(u) = clamp * 0.636 * atan(u)
//
// log|det dy/dx| is the sum of both log-scales.
type Coupling struct {
	subnet1, subnet2 subnet
	clamp            float64
}

// NewCoupling returns a coupling with the parameters "subnet1" and "subnet2" of the scope,
// initialised as in PyTorch. It ignores Blocks of the configuration.
func NewCoupling(scope *model.Scope, g *graph.Graph, config Config) *Coupling {
	half := config.Dim / 2
	return &Coupling{
		subnet1: newSubnet(scope.At("subnet1"), g, half, config.Hidden, config.Dim),
		subnet2: newSubnet(scope.At("subnet2"), g, half, config.Hidden, config.Dim),
		clamp:   config.Clamp,
	}
}

// Forward implements Layer.
func (c *Coupling) Forward(x *graph.Node) (y, logDet *graph.Node) {
	x1, x2 := halves(x)
	scale2, shift2 := c.affine(c.subnet2, x2)
	y1 := graph.Add(graph.Mul(graph.Exp(scale2), x1), shift2)
	scale1, shift1 := c.affine(c.subnet1, y1)
	y2 := graph.Add(graph.Mul(graph.Exp(scale1), x2), shift1)
	return graph.Concatenate([]*graph.Node{y1, y2}, -1), graph.ReduceSum(graph.Add(scale1, scale2), -1)
}

// Inverse implements Layer.
func (c *Coupling) Inverse(y *graph.Node) (x, logDet *graph.Node) {
	y1, y2 := halves(y)
	scale1, shift1 := c.affine(c.subnet1, y1)
	x2 := graph.Mul(graph.Sub(y2, shift1), graph.Exp(graph.Neg(scale1)))
	scale2, shift2 := c.affine(c.subnet2, x2)
	x1 := graph.Mul(graph.Sub(y1, shift2), graph.Exp(graph.Neg(scale2)))
	return graph.Concatenate([]*graph.Node{x1, x2}, -1), graph.Neg(graph.ReduceSum(graph.Add(scale1, scale2), -1))
}

// affine returns the clamped log-scale and the shift, [n, dim/2] each, that the subnet computes
// from the half x.
func (c *Coupling) affine(s subnet, x *graph.Node) (logScale, shift *graph.Node) {
	logScale, shift = halves(s.apply(x))
	return graph.MulScalar(atan(logScale), c.clamp*atanScale), shift
}

// halves splits [n, dim] into two [n, dim/2].
func halves(x *graph.Node) (first, second *graph.Node) {
	parts := graph.Split(x, -1, 2)
	return parts[0], parts[1]
}

// subnet is Linear, ReLU, Linear; weights are [out, in]. The names "0" and "2" are indices in
// PyTorch's Sequential.
type subnet struct{ weight0, bias0, weight2, bias2 *graph.Node }

func newSubnet(scope *model.Scope, g *graph.Graph, in, hidden, out int) subnet {
	first, last := scope.At("0"), scope.At("2")
	return subnet{
		weight0: nn.Variable(first, g, "weight", nn.TorchLinear(in), true, hidden, in),
		bias0:   nn.Variable(first, g, "bias", nn.TorchLinear(in), true, hidden),
		weight2: nn.Variable(last, g, "weight", nn.TorchLinear(hidden), true, out, hidden),
		bias2:   nn.Variable(last, g, "bias", nn.TorchLinear(hidden), true, out),
	}
}

func (s subnet) apply(x *graph.Node) *graph.Node {
	hidden := nn.ReLU(linear(x, s.weight0, s.bias0))
	return linear(hidden, s.weight2, s.bias2)
}

// linear is x W^T + b for x [n, in], weight [out, in] and bias [out].
func linear(x, weight, bias *graph.Node) *graph.Node {
	return graph.Add(nn.Product(x, weight), graph.Reshape(bias, 1, -1))
}

// atan is the arc tangent. GoMLX has only Atan2, without a gradient.
func atan(x *graph.Node) *graph.Node { return graph.Atan2(x, graph.OnesLike(x)) }

func init() {
	if _, known := graph.VJPRegistration[graph.NodeTypeAtan2]; !known {
		graph.VJPRegistration[graph.NodeTypeAtan2] = atan2VJP
	}
}

// atan2VJP: d atan2(y, x) = (x dy - y dx) / (x^2 + y^2).
func atan2VJP(node *graph.Node, adjoints []*graph.Node, _ shapes.Shape) []*graph.Node {
	y, x := node.Inputs()[0], node.Inputs()[1]
	v := graph.Div(adjoints[0], graph.Add(graph.Square(x), graph.Square(y)))
	return []*graph.Node{graph.Mul(v, x), graph.Neg(graph.Mul(v, y))}
}
