package backbone

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/registry"
)

// Network is what lies under the pyramid.
type Network interface {
	// Stages builds four feature maps, of strides 4, 8, 16 and 32, each [batch, height/stride, width/stride, channels] with channels of its own,
	// of normalised images [batch, height, width, 3]. With sizes [batch, 2] int32, the true (height, width) of each image, the
	// margin of the canvas must change nothing within an image (see nn.Mask); nil sizes say that every image fills the canvas. Parameters
	// lie under scope. It panics where building fails.
	Stages(scope *model.Scope, images, sizes *graph.Node) []*graph.Node
	// Frozen reports whether the parameter of that path, relative to the scope, stays as it is in training: "stem/conv/weight".
	Frozen(path string) bool
}

var families = registry.New[func(Config) (Network, error)]("backbone family")

// Register makes a family of networks available as model.backbone.family. The function returns the network of a configuration, or an error
// that starts with the setting at fault ("depth: ..."); the family's own settings are Config.Options, to be decoded strictly. Register panics if the name is taken.
func Register(family string, build func(Config) (Network, error)) { families.Add(family, build) }

// Origin returns the path of the package that registered the family.
func Origin(family string) string { return families.Origin(family) }

func (c Config) network() (Network, error) {
	newNetwork, err := families.Get(cmp.Or(c.Family, RegNet))
	if err != nil {
		return nil, fmt.Errorf("family: %w", err)
	}
	return newNetwork(c)
}

// freeze keeps the network's frozen parameters from being trained.
func freeze(scope *model.Scope, network Network) {
	for v := range scope.IterVariables() {
		if path, ok := strings.CutPrefix(v.Path(), scope.Scope()+"/"); ok && network.Frozen(path) {
			v.SetTrainable(false)
		}
	}
}

// frozenAt reports whether FreezeAt covers the stage of a parameter, which the first element of its path names.
func (c Config) frozenAt(path string, stages ...string) bool {
	for i, stage := range stages {
		if strings.HasPrefix(path, stage+"/") {
			return i < c.FreezeAt
		}
	}
	return false
}
