// Package roi is the detector's second stage: it pools the features under each proposal, describes them by two fully connected
// layers, classifies the description and corrects the box (Fast R-CNN: Girshick, ICCV 2015; semantics and parameter
// names are detectron2's).
//
// Boxes are (x1, y1, x2, y2) in pixels of the image that the network sees. Classes 0..K-1 are the inliers, K is background. What varies
// in number is padded, and a mask tells the real rows.
package roi

import (
	"cmp"

	"ffslab/ffs/boxes"
	"ffslab/ffs/internal/check"
)

// Config describes the second stage.
type Config struct {
	// BatchPerImage proposals of each image train the heads, at most the PositiveFraction of them foreground.
	BatchPerImage    int     `yaml:"batch_per_image"`
	PositiveFraction float64 `yaml:"positive_fraction"`
	// FCDim is the width of the two fully connected layers.
	FCDim int `yaml:"fc_dim"`
	// ReduceDim, if not 0, is the length to which a linear layer without activation shortens the output of the last of them, so that the
	// class layer has a smaller null space (Isaac-Medina et al., "FEVER-OOD", ICCV 2025, section 3.2).
	ReduceDim int `yaml:"reduce_dim,omitempty"`
	// ScoreThreshold is what a detection's score exceeds, NMS the largest IoU that two detections of a class may have, Detections
	// the largest number of them in an image.
	ScoreThreshold float64 `yaml:"score_threshold"`
	NMS            float64 `yaml:"nms"`
	Detections     int     `yaml:"detections"`
	// Classes is K, the number of inlier classes.
	Classes int `yaml:"-"`
}

// FeatureDim is the length of a box feature, which class layer, box layer, flow and synthesisers see.
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

// matchIoU divides foreground from background.
const matchIoU = 0.5

// coder writes corrections of proposals.
var coder = boxes.Coder{Weights: [4]float64{10, 10, 5, 5}}
