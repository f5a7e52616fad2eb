// Package roi is the second stage of the detector. It pools the features under each proposal,
// describes them by two fully connected layers, classifies the description and corrects the box
// (Fast R-CNN: Girshick, ICCV 2015; semantics and parameter names are detectron2's).
//
// Boxes are (x1, y1, x2, y2) in pixels of the image that the network sees. Classes 0..K-1 are the
// inliers, K is the background. Lists of varying length are padded, and a mask marks the real rows.
package roi

import (
	"cmp"

	"ffslab/ffs/boxes"
	"ffslab/ffs/internal/check"
)

// Config describes the second stage.
type Config struct {
	// BatchPerImage is the number of proposals of each image that train the heads, at most
	// PositiveFraction of them foreground.
	BatchPerImage    int     `yaml:"batch_per_image"`
	PositiveFraction float64 `yaml:"positive_fraction"`
	// FCDim is the width of the two fully connected layers.
	FCDim int `yaml:"fc_dim"`
	// ReduceDim, if not 0, is the length to which a linear layer without activation reduces the
	// output of the last of them, which gives the class layer a smaller null space (Isaac-Medina et
	// al., "FEVER-OOD", ICCV 2025, section 3.2).
	ReduceDim int `yaml:"reduce_dim,omitempty"`
	// ScoreThreshold is the bound that the score of a detection exceeds, NMS the largest IoU of two
	// detections of a class, Detections the largest number of detections in an image.
	ScoreThreshold float64 `yaml:"score_threshold"`
	NMS            float64 `yaml:"nms"`
	Detections     int     `yaml:"detections"`
	// Classes is K, the number of inlier classes.
	Classes int `yaml:"-"`
}

// FeatureDim returns the length of a box feature, the input of class layer, box layer, flow and
// synthesisers.
func (c Config) FeatureDim() int { return cmp.Or(c.ReduceDim, c.FCDim) }

// Validate returns an error that names the first impossible setting.
func (c Config) Validate() error {
	return check.First(
		check.AtLeastOne("batch_per_image", c.BatchPerImage),
		check.Fraction("positive_fraction", c.PositiveFraction),
		check.Rule{OK: c.FCDim > 0 && (c.ReduceDim > 0 || c.FCDim%2 == 0), Key: "fc_dim", Value: c.FCDim, Meaning: "must be positive and even: the flow splits it in halves"},
		check.Rule{
			OK: c.ReduceDim >= 0 && c.ReduceDim <= c.FCDim && c.ReduceDim%2 == 0, Key: "reduce_dim", Value: c.ReduceDim,
			Meaning: "must be even and at most fc_dim (0 does not reduce)",
		},
		check.Rule{OK: c.ScoreThreshold >= 0 && c.ScoreThreshold < 1, Key: "score_threshold", Value: c.ScoreThreshold, Meaning: "must be at least 0 and under 1"},
		check.Fraction("nms", c.NMS),
		check.AtLeastOne("detections", c.Detections),
	)
}

// matchIoU is the IoU from which a proposal is foreground.
const matchIoU = 0.5

// coder encodes the corrections of proposals.
var coder = boxes.Coder{Weights: [4]float64{10, 10, 5, 5}}
