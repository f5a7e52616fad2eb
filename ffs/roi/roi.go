// Package roi is the detector's second stage: it pools the features under each proposal, describes them by two fully connected
// layers, classifies the description and corrects the box (Fast R-CNN: Girshick, ICCV 2015; semantics and parameter
// names are detectron2's).
//
// Boxes are (x1, y1, x2, y2) in pixels of the image that the network sees. Classes 0..K-1 are the inliers, K is background. What varies
// in number is padded, and a mask tells the real rows.
package roi

import "ffslab/ffs/boxes"

// Config describes the second stage.
type Config struct {
	// Classes is K, the number of inlier classes.
	Classes int
	// FCDim is the length of a proposal's description, the box feature.
	FCDim int
	// BatchPerImage proposals of each image train the heads, at most the PositiveFraction of them foreground.
	BatchPerImage    int
	PositiveFraction float64
	// A detection's score is greater than ScoreThreshold; NMS is the largest IoU that two detections of a class may have;
	// Detections is the largest number in an image.
	ScoreThreshold, NMS float64
	Detections          int
}

// matchIoU divides foreground from background.
const matchIoU = 0.5

// coder writes corrections of proposals.
var coder = boxes.Coder{Weights: [4]float64{10, 10, 5, 5}}
