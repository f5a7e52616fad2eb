package backbone

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/check"
	"ffslab/ffs/internal/graphs"
	"ffslab/ffs/internal/guard"
	"ffslab/ffs/internal/registry"
)

// Network is the network below the pyramid.
type Network interface {
	// Stages builds the feature maps of strides 4, 8, 16 and 32, each [batch, height/stride,
	// width/stride, channels] with its own channels, of normalised images [batch, height, width,
	// 3]. With sizes [batch, 2] int32, the true (height, width) of each image, the margin of the
	// canvas must change nothing within an image (see nn.Mask). With nil sizes, every image fills
	// the canvas. Parameters are created under scope. Errors panic.
	Stages(scope *model.Scope, images, sizes *graph.Node) []*graph.Node
	// Frozen reports whether the parameter with the path, relative to the scope of Stages (such as
	// "stem/conv/weight"), is not trained.
	Frozen(path string) bool
}

// kind is the word for a family in errors.
const kind = "backbone family"

var families = registry.New[func(Config) (Network, error)](kind)

// Register makes a family of networks available as model.backbone.family. build returns the network
// of a configuration, or an error that starts with the setting at fault ("depth: ..."). It decodes
// Config.Options, the family's own settings, strictly. Register panics if the name is taken.
func Register(family string, build func(Config) (Network, error)) { families.Add(family, build) }

// Origin returns the path of the package that registered the family.
func Origin(family string) string { return families.Origin(family) }

func (c Config) network() (Network, error) {
	name := cmp.Or(c.Family, RegNet)
	newNetwork, err := families.Get(name)
	if err != nil {
		return nil, fmt.Errorf("family: %w", err)
	}
	var n Network
	if fault := guard.Part(kind, name, func() { n, err = newNetwork(c) }); fault != nil {
		return nil, fmt.Errorf("family: %w", fault)
	}
	if err == nil && n == nil {
		err = fmt.Errorf("family: %w", &guard.PartError{Kind: kind, Name: name, Err: errors.New("the registered function returned nil, want a Network")})
	}
	return n, err
}

// stages returns the network's feature maps and freezes its parameters. It panics with an error
// that names the family if the network panics or returns other maps than a Network must.
func (c Config) stages(scope *model.Scope, network Network, images, sizes *graph.Node) []*graph.Node {
	name := cmp.Or(c.Family, RegNet)
	return guard.Graph(kind, name, func() []*graph.Node {
		stages := network.Stages(scope, images, sizes)
		if len(stages) != len(Strides)-1 {
			panic(fmt.Errorf("returned %d feature maps, want 4 of strides 4, 8, 16 and 32", len(stages)))
		}
		batch, height, width := images.Shape().Dim(0), images.Shape().Dim(1), images.Shape().Dim(2)
		for i, stage := range stages {
			h, w := height/Strides[i], width/Strides[i]
			if stage == nil || stage.DType() != images.DType() || stage.Rank() != 4 || !slices.Equal(stage.Shape().Dimensions[:3], []int{batch, h, w}) {
				panic(fmt.Errorf("returned the feature map %v of stride %d, want %s [%d, %d, %d, channels]", graphs.ShapeOf(stage), Strides[i], images.DType(), batch, h, w))
			}
		}
		freeze(scope, network)
		return stages
	})
}

// withoutRegNet returns the rules of a family that has none of a RegNet's settings.
func (c Config) withoutRegNet(family string) []check.Rule {
	meaning := "must be 0 for " + family
	return []check.Rule{
		{OK: c.WA == 0, Key: "w_a", Value: c.WA, Meaning: meaning},
		{OK: c.W0 == 0, Key: "w_0", Value: c.W0, Meaning: meaning},
		{OK: c.WM == 0, Key: "w_m", Value: c.WM, Meaning: meaning},
		{OK: c.GroupWidth == 0, Key: "group_width", Value: c.GroupWidth, Meaning: meaning},
		{OK: c.SERatio == 0, Key: "se_ratio", Value: c.SERatio, Meaning: meaning},
		{OK: c.WidthRounding == "", Key: "width_rounding", Value: c.WidthRounding, Meaning: "must be empty for " + family},
	}
}

// freeze keeps the network's frozen parameters from being trained.
func freeze(scope *model.Scope, network Network) {
	for v := range scope.IterVariables() {
		if path, ok := strings.CutPrefix(v.Path(), scope.Scope()+"/"); ok && network.Frozen(path) {
			v.SetTrainable(false)
		}
	}
}

// recomputed returns block(x), a block with its parameters in the scope, and applies
// Config.Recompute.
func (c Config) recomputed(scope *model.Scope, x *graph.Node, block func(x *graph.Node) *graph.Node) *graph.Node {
	if !c.Recompute {
		return block(x)
	}
	return graphs.Recompute(block, x, func() (parameters []*graph.Node) {
		variables := slices.SortedFunc(scope.IterVariables(), func(a, b *model.Variable) int { return cmp.Compare(a.Path(), b.Path()) })
		for _, v := range variables {
			if v.Trainable {
				parameters = append(parameters, v.NodeValue(x.Graph()))
			}
		}
		return parameters
	})
}

// frozenAt reports whether FreezeAt covers the stage that the first element of the path names.
func (c Config) frozenAt(path string, stages ...string) bool {
	for i, stage := range stages {
		if strings.HasPrefix(path, stage+"/") {
			return i < c.FreezeAt
		}
	}
	return false
}
