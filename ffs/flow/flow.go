// Package flow implements a normalising flow: an invertible map f from the detector's box features
// x to latents z = f(x) that follow N(0, I), with an exact log-determinant in both directions.
// Forward, it gives the likelihood of a feature; backward, it makes features from noise.
//
// The layers compute the same as GLOWCouplingBlock and PermuteRandom of FrEIA
// (github.com/vislearn/FrEIA), as Kumar et al., "Normalizing Flow based Feature Synthesis for
// Outlier-Aware Object Detection" (CVPR 2023), use them. Parameters have FrEIA's names:
// <scope>/module_list/0/subnet1/0/weight.
package flow

import (
	"math"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/check"
)

// Layer is an invertible map of rows [n, dim] to rows [n, dim].
type Layer interface {
	// Forward returns y and log|det dy/dx| [n].
	Forward(x *graph.Node) (y, logDet *graph.Node)
	// Inverse returns x and log|det dx/dy| [n], which is minus what Forward returns for that x.
	Inverse(y *graph.Node) (x, logDet *graph.Node)
}

// Config is the shape of a flow. The paper's is {Dim: 1024, Blocks: 2, Hidden: 2048, Clamp: 2}.
type Config struct {
	// Blocks is the number of couplings. Each is followed by a permutation with the index of the
	// block as its seed.
	Blocks int `yaml:"blocks"`
	// Hidden is the width of the hidden layer in the subnets of a coupling.
	Hidden int `yaml:"hidden"`
	// Clamp bounds the log-scale of a coupling to +-Clamp * 0.636 * pi/2, about +-Clamp.
	Clamp float64 `yaml:"clamp"`
	// Standardize adds a Standardization as the first layer. The paper's flow has none.
	Standardize bool `yaml:"standardize"`
	// Dim is the number of features, even.
	Dim int `yaml:"-"`
}

// Validate returns an error that names the first impossible setting.
func (c Config) Validate() error {
	return check.First(
		check.AtLeastOne("blocks", c.Blocks),
		check.AtLeastOne("hidden", c.Hidden),
		check.Rule{OK: c.Clamp > 0 && !math.IsInf(c.Clamp, 1), Key: "clamp", Value: c.Clamp, Meaning: "must be positive; the paper's is 2"},
		check.Rule{OK: c.Dim >= 2 && c.Dim%2 == 0, Key: "Dim", Value: c.Dim, Meaning: "must be even and positive: a coupling halves the features"},
	)
}

// Flow is a sequence of layers, and a layer itself.
type Flow struct {
	layers   []Layer
	standard *Standardization // nil if there is none; the first layer otherwise
}

// New returns the flow [coupling, permutation] x Blocks, after an optional standardization, with
// the parameters of the scope, for one graph. It panics if the configuration is not valid.
func New(scope *model.Scope, g *graph.Graph, config Config) *Flow {
	if err := config.Validate(); err != nil {
		panic(err)
	}
	f := &Flow{}
	if config.Standardize {
		f.standard = NewStandardization(scope.At("standardization"), g, config.Dim)
		f.layers = append(f.layers, f.standard)
	}
	scope = scope.At("module_list")
	for block := range config.Blocks {
		coupling := NewCoupling(scope.At("%d", 2*block), g, config)
		permutation := NewPermutation(scope.At("%d", 2*block+1), g, config.Dim, uint32(block))
		f.layers = append(f.layers, coupling, permutation)
	}
	return f
}

// Forward maps features x [n, dim] to latents z [n, dim] and returns log|det dz/dx| [n].
func (f *Flow) Forward(x *graph.Node) (z, logDet *graph.Node) {
	z = x
	for _, layer := range f.layers {
		z, logDet = accumulate(logDet, layer.Forward, z)
	}
	return z, logDet
}

// Inverse maps latents z [n, dim] to features x [n, dim] and returns log|det dx/dz| [n].
func (f *Flow) Inverse(z *graph.Node) (x, logDet *graph.Node) {
	x = z
	for i := len(f.layers) - 1; i >= 0; i-- {
		x, logDet = accumulate(logDet, f.layers[i].Inverse, x)
	}
	return x, logDet
}

// Observe updates the moments of a flow that standardises with the features x [n, dim] of a
// training step, of which the rows count where mask [n] (bool) is true. The next step uses them. No
// gradient flows.
func (f *Flow) Observe(x, mask *graph.Node) {
	if f.standard != nil {
		f.standard.observe(x, mask)
	}
}

// accumulate applies a map and adds its log-determinant to sum, which is nil before the first map.
func accumulate(sum *graph.Node, apply func(*graph.Node) (*graph.Node, *graph.Node), x *graph.Node) (y, total *graph.Node) {
	y, logDet := apply(x)
	if sum == nil {
		return y, logDet
	}
	return y, graph.Add(sum, logDet)
}
