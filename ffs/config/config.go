// Package config holds the one typed configuration of a run: the detector, its input, its training
// and its data. Presets are Go values; a YAML file may start from one with "base: NAME"; "--set
// a.b=c" on the command line uses the same keys. A file that is saved loads back to an equal value.
package config

import (
	"ffslab/data"
	"ffslab/ffs/backbone"
	"ffslab/ffs/flow"
	"ffslab/ffs/nn"
	"ffslab/ffs/options"
	"ffslab/ffs/outlier"
	"ffslab/ffs/roi"
	"ffslab/ffs/rpn"
)

// Config is everything that a run is determined by, beside the data.
type Config struct {
	Model  Model  `yaml:"model"`
	Input  Input  `yaml:"input"`
	Train  Train  `yaml:"train"`
	Data   Data   `yaml:"data"`
	Origin Origin `yaml:"origin,omitempty"`
}

// Model is the detector with its flow. Each part's section is the part's own Config; what they
// share is filled in by the methods Pyramid, Proposals, Heads, Density and Synthesis.
type Model struct {
	// Classes are the names of the K inlier classes, in the order of the logits.
	Classes     []string        `yaml:"classes,flow"`
	Backbone    backbone.Config `yaml:"backbone"`
	FPNChannels int             `yaml:"fpn_channels"`
	// FPNNorm is group_norm, in groups of 8 channels, or empty: the paper's pyramid has no norm
	// (detectron2's MODEL.FPN.NORM).
	FPNNorm backbone.Norm  `yaml:"fpn_norm"`
	RPN     rpn.Config     `yaml:"rpn"`
	ROI     roi.Config     `yaml:"roi"`
	Flow    flow.Config    `yaml:"flow"`
	Outlier outlier.Config `yaml:"outlier"`
	Loss    Loss           `yaml:"loss"`
}

// Pyramid is the configuration of the backbone with its pyramid.
func (m Model) Pyramid() backbone.Config {
	c := m.Backbone
	c.FPNChannels, c.FPNNorm = m.FPNChannels, m.FPNNorm
	return c
}

// Proposals is the configuration of the region proposal network.
func (m Model) Proposals() rpn.Config {
	c := m.RPN
	c.Strides = backbone.Strides
	return c
}

// Heads is the configuration of the second stage.
func (m Model) Heads() roi.Config {
	c := m.ROI
	c.Classes = len(m.Classes)
	return c
}

// Density is the configuration of the flow.
func (m Model) Density() flow.Config {
	c := m.Flow
	c.Dim = m.ROI.FeatureDim()
	return c
}

// Synthesis is the configuration of the synthesiser.
func (m Model) Synthesis() outlier.Config {
	c := m.Outlier
	c.Dim, c.Classes = m.ROI.FeatureDim(), len(m.Classes)
	return c
}

// Input says how images reach the network. Sizes are pixels: the shortest edge is drawn from
// MinSizeTrain, the longest kept under MaxSizeTrain; Canvases are the (height, width) that are
// compiled for.
type Input struct {
	MinSizeTrain []int     `yaml:"min_size_train,flow"`
	MaxSizeTrain int       `yaml:"max_size_train"`
	MinSizeTest  int       `yaml:"min_size_test"`
	MaxSizeTest  int       `yaml:"max_size_test"`
	Canvases     [][2]int  `yaml:"canvases,flow"`
	MaxBoxes     int       `yaml:"max_boxes"`
	Flip         bool      `yaml:"flip"`
	PixelMean    []float64 `yaml:"pixel_mean,flow"`
	PixelStd     []float64 `yaml:"pixel_std,flow"`
}

// Train is the optimiser, its schedule (detectron2's WarmupMultiStepLR or WarmupCosineLR) and the
// checkpoints' rhythm.
type Train struct {
	// Optimizer is sgd, with Momentum, as in the paper, adamw, or another that is registered (see
	// optim.Register).
	Optimizer string `yaml:"optimizer"`
	// OptimizerOptions are the settings of an optimizer that is not built in.
	OptimizerOptions options.Options `yaml:"optimizer_options,omitempty"`
	ImagesPerStep    int             `yaml:"images_per_step"`
	BaseLR           float64         `yaml:"base_lr"`
	// FlowLRFactor multiplies the learning rate of the flow's parameters; the paper's is 1, which 0
	// (or nothing) stands for, too.
	FlowLRFactor float64 `yaml:"flow_lr_factor"`
	// BackboneLRFactor multiplies the learning rate of the backbone's parameters, but not the
	// pyramid's: pretrained ones need smaller steps than heads that start from nothing. 0 (or
	// nothing) stands for 1.
	BackboneLRFactor float64 `yaml:"backbone_lr_factor,omitempty"`
	Momentum         float64 `yaml:"momentum"`
	WeightDecay      float64 `yaml:"weight_decay"`
	// Decay is steps, where the rate falls tenfold at each of Steps, or cosine, where it falls to 0
	// at MaxIter.
	Decay           string `yaml:"decay"`
	Steps           []int  `yaml:"steps,flow"`
	MaxIter         int    `yaml:"max_iter"`
	WarmupIters     int    `yaml:"warmup_iters"`
	CheckpointEvery int    `yaml:"checkpoint_every"`
	KeepCheckpoints int    `yaml:"keep_checkpoints"`
	// ClipNorm bounds the norm of the detector's gradient, and of the flow's; 0 leaves them as they
	// are, as the original does.
	ClipNorm float64 `yaml:"clip_norm"`
	// DropEmpty leaves out training images without objects, as the original does; ignored regions
	// are none.
	DropEmpty bool `yaml:"drop_empty"`
	// Unknown is what becomes of annotated objects of other classes than model.classes: ignore,
	// crowd, drop or refuse (see data.Unknown); empty stands for ignore.
	Unknown data.Unknown `yaml:"unknown,omitempty"`
	// Precision is what convolutions and products multiply: float32, or bf16 for GPUs, which keeps
	// all else in float32; empty stands for float32. Detection takes float32 in any case, unless it
	// is told otherwise.
	Precision nn.Precision `yaml:"precision,omitempty"`
	// Recompute keeps only the inputs of the backbone's blocks for the backward pass, which
	// computes their other values again: less memory, more time, the same numbers. Registered
	// backbones do not heed it.
	Recompute bool  `yaml:"recompute,omitempty"`
	Seed      int64 `yaml:"seed"`
}

// Data names the data sets as specs (NAME, NAME@ROOT, coco:ANN.json,IMAGES, digits:SPLIT).
type Data struct {
	// Fit has the classes, the images' sizes, the anchors and the schedule chosen from the
	// training set before training begins (see [LoadFitted]). A run's own configuration holds
	// what was chosen, and no Fit.
	Fit        bool     `yaml:"fit,omitempty"`
	DatasetDir string   `yaml:"dataset_dir"`
	Train      string   `yaml:"train"`
	Val        string   `yaml:"val"`
	OOD        []string `yaml:"ood,flow"`
}

// Origin says how a run came about: the command line and the commit of the code that ran it, and
// for every part that is not of this module the package that registered it, by the part's key.
type Origin struct {
	Command string            `yaml:"command,omitempty"`
	Commit  string            `yaml:"commit,omitempty"`
	Parts   map[string]string `yaml:"parts,omitempty"`
	// Weights is the digest of the weights that an imported run starts from, and without which it
	// cannot start; empty for others.
	Weights string `yaml:"weights,omitempty"`
}
