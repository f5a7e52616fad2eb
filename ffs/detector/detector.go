// Package detector is the whole network: a two-stage detector (Ren et al., "Faster R-CNN", NeurIPS
// 2015, with a feature pyramid, in detectron2's semantics) and a flow that learns the density of
// its box features and synthesises outliers (Kumar et al., CVPR 2023).
//
//	images -> backbone -> proposals -> pooled regions -> box features h -> logits, box deltas
//	h of foreground proposals, detached -> flow -> NLL
//	latents -> inverse flow -> outliers -> class logits -> energy
//
// [Detector.Losses] builds the graph of a training step, [Detector.Detect] that of detection, each
// for one batch of padded images. Graph functions panic on errors, as GoMLX's do.
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

// Detector is the network of a configuration. Its parameters are in the store of the scope that
// each graph function takes.
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

// term is an extra loss term, with its name in the log.
type term struct {
	name   string
	weight float64
	build  loss.Func
}

// HasFlow reports whether the detector has a flow, because its synthesis method needs one.
func (d *Detector) HasFlow() bool { return d.hasFlow }

// HasEnergy reports whether the detector learns its energy from synthetic outliers, as with every
// synthesis method but none.
func (d *Detector) HasEnergy() bool { return d.outlier.Count() > 0 }

// New returns the detector of a configuration. The error names the setting at fault.
func New(c config.Config) (*Detector, error) {
	if err := c.Validate(); err != nil {
		return nil, err
	}
	m := c.Model
	d := &Detector{
		config: m, input: c.Input, images: c.Train.ImagesPerStep,
		backbone: m.Pyramid(), rpn: m.Proposals(), roi: m.Heads(), flow: m.Density(),
	}
	d.backbone.Recompute = c.Train.Recompute
	method, err := outlier.Lookup(m.Outlier.Method)
	if err != nil {
		return nil, fmt.Errorf("model.outlier.method: %w", err)
	}
	d.hasFlow = method.NeedsFlow
	if d.outlier, err = outlier.New(m.Synthesis()); err != nil {
		return nil, fmt.Errorf("model.outlier.%w", err)
	}
	d.outlier = outlier.Checked(d.outlier, m.Synthesis())
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

// pyramid returns the feature maps p2..p6 of images [batch, height, width, 3], uint8, blue first,
// of true sizes [batch, 2]; full is Batch.Full. Beyond an image the normalised pixels are zero, as
// with detectron2's padding.
func (d *Detector) pyramid(scope *model.Scope, images, sizes *graph.Node, full bool) []*graph.Node {
	g := images.Graph()
	channel := func(values []float64) *graph.Node {
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

// newFlow returns the flow, or nil if the detector has none. Its parameters have FrEIA's names,
// under the original's "flow_model".
func (d *Detector) newFlow(heads *model.Scope, g *graph.Graph) *flow.Flow {
	if !d.hasFlow {
		return nil
	}
	return flow.New(heads.At("flow_model"), g, d.flow)
}

// poolingLevels returns the maps from which regions are pooled, all but the coarsest, and their
// strides.
func poolingLevels(pyramid []*graph.Node) ([]*graph.Node, []int) {
	n := len(pyramid) - 1
	return pyramid[:n], backbone.Strides[:n]
}
