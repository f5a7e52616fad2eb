// Package detector is the whole network: a two-stage detector (Ren et al., "Faster R-CNN", NeurIPS 2015, with a feature pyramid, in
// detectron2's semantics) and, beside it, the flow that learns the density of its box features and synthesises outliers (Kumar et al.,
// CVPR 2023).
//
//	images -> backbone -> proposals -> pooled regions -> box features h -> class logits, box deltas
//	h of foreground proposals, detached -> flow -> NLL;    latents -> flow backwards -> outliers -> class logits -> energy
//
// Losses is that way for training, Detect for inference; both are graph functions of one batch of padded images.
package detector

import (
	"fmt"
	"maps"
	"slices"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/backbone"
	"ffslab/ffs/config"
	"ffslab/ffs/flow"
	"ffslab/ffs/loss"
	"ffslab/ffs/nn"
	"ffslab/ffs/outlier"
	"ffslab/ffs/roi"
	"ffslab/ffs/rpn"
)

type (
	// Node is a value of the graph.
	Node = graph.Node
	// Graph is a computation under construction.
	Graph = graph.Graph
)

// Detector is the network that a configuration describes. It holds no parameters: those live in the store of the scopes that its graph
// functions are given.
type Detector struct {
	config   config.Model
	input    config.Input
	backbone backbone.Config
	rpn      rpn.Config
	roi      roi.Config
	flow     flow.Config
	outlier  outlier.Synthesizer
	hasFlow  bool
	terms    []term
	images   int // of a training step
}

// term is an extra loss term with its name in the log and its weight.
type term struct {
	name   string
	weight float64
	build  loss.Func
}

// HasFlow reports whether the detector has a flow: those of methods that need one have.
func (d *Detector) HasFlow() bool { return d.hasFlow }

// HasEnergy reports whether the detector learns energies from synthetic outliers: every method but none does.
func (d *Detector) HasEnergy() bool { return d.outlier.Count() > 0 }

// New returns the detector of a configuration, or an error that names what is impossible in it.
func New(c config.Config) (*Detector, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	m := c.Model
	d := &Detector{
		config: m, input: c.Input, images: c.Train.ImagesPerStep,
		backbone: m.Pyramid(), rpn: m.Proposals(), roi: m.Heads(), flow: m.Density(),
	}
	method, err := outlier.Lookup(m.Outlier.Method)
	if err != nil {
		return nil, fmt.Errorf("model.outlier.method: %w", err)
	}
	d.hasFlow = method.NeedsFlow
	if d.outlier, err = outlier.New(m.Synthesis()); err != nil {
		return nil, fmt.Errorf("model.outlier.%w", err)
	}
	for _, name := range slices.Sorted(maps.Keys(m.Loss.Terms)) {
		t := m.Loss.Terms[name]
		if t.Weight == 0 {
			continue
		}
		build, err := loss.New(name, t.Options)
		if err != nil {
			return nil, fmt.Errorf("model.loss.%w", err)
		}
		d.terms = append(d.terms, term{"loss_" + name, t.Weight, build})
	}
	return d, nil
}

// pyramid returns the feature maps p2..p6 of images [batch, height, width, 3], uint8, blue first, whose true (height, width) are sizes
// [batch, 2]; full is Batch.Full. Beyond an image's size the network sees zeros after normalisation, as detectron2's padding gives.
func (d *Detector) pyramid(scope *model.Scope, images, sizes *Node, full bool) []*Node {
	g := images.Graph()
	channel := func(values []float64) *Node {
		return graph.Const(g, [][][][]float32{{{{float32(values[0]), float32(values[1]), float32(values[2])}}}})
	}
	x := graph.ConvertDType(images, dtypes.Float32)
	x = graph.Div(graph.Sub(x, channel(d.input.PixelMean)), channel(d.input.PixelStd))
	x = nn.Mask(x, sizes)
	if full {
		sizes = nil
	}
	return d.backbone.Pyramid(scope.At("backbone"), x, sizes)
}

// newFlow returns the flow with its parameters in this graph. It has detectron2's place and FrEIA's names.
func (d *Detector) newFlow(heads *model.Scope, g *Graph) *flow.Flow {
	return flow.New(heads.At("flow_model"), g, d.flow)
}

// poolingLevels are the maps that regions are pooled from: all but the coarsest.
func poolingLevels(pyramid []*Node) ([]*Node, []int) {
	n := len(pyramid) - 1
	return pyramid[:n], backbone.Strides[:n]
}
