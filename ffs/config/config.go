// Package config holds the one typed configuration of a run: the detector, its input, its training and its data. Presets are Go
// values; a YAML file may start from one with "base: NAME"; "--set a.b=c" on the command line uses the same keys. A file that is saved
// loads back to an equal value.
package config

// Config is everything that a run is determined by, beside the data.
type Config struct {
	Model  Model  `yaml:"model"`
	Input  Input  `yaml:"input"`
	Train  Train  `yaml:"train"`
	Data   Data   `yaml:"data"`
	Origin Origin `yaml:"origin,omitempty"`
}

// Model is the detector with its flow.
type Model struct {
	// Classes are the names of the K inlier classes, in the order of the logits.
	Classes     []string `yaml:"classes,flow"`
	Backbone    Backbone `yaml:"backbone"`
	FPNChannels int      `yaml:"fpn_channels"`
	// FPNNorm is group_norm, in groups of 8 channels, or empty: the paper's pyramid has no norm (detectron2's MODEL.FPN.NORM).
	FPNNorm string  `yaml:"fpn_norm"`
	RPN     RPN     `yaml:"rpn"`
	ROI     ROI     `yaml:"roi"`
	Flow    Flow    `yaml:"flow"`
	Outlier Outlier `yaml:"outlier"`
	Loss    Loss    `yaml:"loss"`
}

// Backbone holds RegNet's design parameters under detectron2's names. Of these a resnet has stem_width and depth (50, 101, 152).
type Backbone struct {
	Family     string  `yaml:"family"`
	StemWidth  int     `yaml:"stem_width"`
	Depth      int     `yaml:"depth"`
	WA         float64 `yaml:"w_a"`
	W0         int     `yaml:"w_0"`
	WM         float64 `yaml:"w_m"`
	GroupWidth int     `yaml:"group_width"`
	SERatio    float64 `yaml:"se_ratio"`
	// StrideIn1x1 is where a resnet's stages halve the map (detectron2's RESNETS.STRIDE_IN_1X1).
	StrideIn1x1 bool   `yaml:"stride_in_1x1"`
	Norm        string `yaml:"norm"`
	FreezeAt    int    `yaml:"freeze_at"`
}

// RPN is the proposal network: AnchorSizes in pixels, one for each level p2..p6; AnchorRatios height / width.
type RPN struct {
	AnchorSizes      []float64 `yaml:"anchor_sizes,flow"`
	AnchorRatios     []float64 `yaml:"anchor_ratios,flow"`
	BatchPerImage    int       `yaml:"batch_per_image"`
	PositiveFraction float64   `yaml:"positive_fraction"`
	PreNMSTrain      int       `yaml:"pre_nms_train"`
	PreNMSTest       int       `yaml:"pre_nms_test"`
	PostNMSTrain     int       `yaml:"post_nms_train"`
	PostNMSTest      int       `yaml:"post_nms_test"`
	NMS              float64   `yaml:"nms"`
	// ZeroOverlapPositive keeps detectron2's labels, where a ground truth that overlaps no anchor makes every
	// anchor of zero IoU positive.
	ZeroOverlapPositive bool `yaml:"zero_overlap_positive"`
}

// ROI is the box head and what becomes of its output.
type ROI struct {
	BatchPerImage    int     `yaml:"batch_per_image"`
	PositiveFraction float64 `yaml:"positive_fraction"`
	FCDim            int     `yaml:"fc_dim"`
	ScoreThreshold   float64 `yaml:"score_threshold"`
	NMS              float64 `yaml:"nms"`
	Detections       int     `yaml:"detections"`
}

// Flow is the density model of box features: Blocks coupling blocks whose sub-networks have Hidden units, log-scales clamped at Clamp.
type Flow struct {
	Blocks int     `yaml:"blocks"`
	Hidden int     `yaml:"hidden"`
	Clamp  float64 `yaml:"clamp"`
	// Standardize brings the features to mean 0 and deviation 1 in front of the flow, by moments that run along with the training; the paper does not.
	Standardize bool `yaml:"standardize"`
}

// Outlier says how outliers are synthesised (see package outlier for the methods), from which iteration on, how many are drawn and how
// many of those are kept; the Gaussians draw and keep that many of each class.
type Outlier struct {
	Method     string `yaml:"method"`
	StartIter  int    `yaml:"start_iter"`
	SampleFrom int    `yaml:"sample_from"`
	Select     int    `yaml:"select"`
	// Queue is how many features of each class the Gaussians are fitted to.
	Queue int `yaml:"queue"`
	// MaxSteps bounds flow-langevin's descent, which the original does not bound.
	MaxSteps int `yaml:"max_steps"`
}

// Loss weighs the two terms that FFS adds to the detector's.
type Loss struct {
	Energy float64 `yaml:"energy"`
	NLL    float64 `yaml:"nll"`
	// NLLConstant adds the original's constant log(256) * dimensions to every NLL: reported numbers change, nothing else.
	NLLConstant bool `yaml:"nll_constant"`
	// EnergyOrdered starts the logistic layer behind the energy with inliers on the side of high energy; in the paper chance decides.
	EnergyOrdered bool `yaml:"energy_ordered,omitempty"`
}

// Input says how images reach the network. Sizes are pixels: the shortest edge is drawn from MinSizeTrain, the longest kept under
// MaxSizeTrain; Canvases are the (height, width) that are compiled for.
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

// Train is the optimiser, its schedule (detectron2's WarmupMultiStepLR or WarmupCosineLR) and the checkpoints' rhythm.
type Train struct {
	// Optimizer is sgd, with Momentum, as in the paper, or adamw.
	Optimizer     string  `yaml:"optimizer"`
	ImagesPerStep int     `yaml:"images_per_step"`
	BaseLR        float64 `yaml:"base_lr"`
	// FlowLRFactor multiplies the learning rate of the flow's parameters; the paper's is 1, which 0 (or nothing) stands for, too.
	FlowLRFactor float64 `yaml:"flow_lr_factor"`
	Momentum     float64 `yaml:"momentum"`
	WeightDecay  float64 `yaml:"weight_decay"`
	// Decay is steps, where the rate falls tenfold at each of Steps, or cosine, where it falls to 0 at MaxIter.
	Decay           string `yaml:"decay"`
	Steps           []int  `yaml:"steps,flow"`
	MaxIter         int    `yaml:"max_iter"`
	WarmupIters     int    `yaml:"warmup_iters"`
	CheckpointEvery int    `yaml:"checkpoint_every"`
	KeepCheckpoints int    `yaml:"keep_checkpoints"`
	// ClipNorm bounds the norm of the detector's gradient, and of the flow's; 0 leaves them as they are, as the original does.
	ClipNorm float64 `yaml:"clip_norm"`
	// DropEmpty leaves out training images without objects, as the original does.
	DropEmpty bool  `yaml:"drop_empty"`
	Seed      int64 `yaml:"seed"`
}

// Data names the data sets as specs (NAME, NAME@ROOT, coco:ANN.json,IMAGES, digits:SPLIT).
type Data struct {
	DatasetDir string   `yaml:"dataset_dir"`
	Train      string   `yaml:"train"`
	Val        string   `yaml:"val"`
	OOD        []string `yaml:"ood,flow"`
}

// Origin says how a run came about: the command line and the commit of the code that ran it.
type Origin struct {
	Command string `yaml:"command,omitempty"`
	Commit  string `yaml:"commit,omitempty"`
	// Weights is the digest of the weights that an imported run starts from, and without which it cannot start; empty for others.
	Weights string `yaml:"weights,omitempty"`
}
