// Package pictures draws detections into their images: those of an evaluation, sorted by how
// certain they are, and those of any image.
package pictures

import (
	"cmp"
	"fmt"
	"image"
	"path/filepath"
	"slices"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
	"ffslab/viz"
)

// sameBox is the IoU from which two detections are of one object, whatever their classes. Only the
// better one is drawn.
const sameBox = 0.7

// Boxes returns the detections of an image that reach the score threshold as boxes to draw, one for
// an object that several classes claim. Unknown objects have their own style. names are those of
// the model's classes by category id.
func Boxes(detections []eval.Detection, names map[data.ID]string, t protocol.Thresholds) []viz.Box {
	var boxes []viz.Box
	var drawn []eval.Detection
	for _, d := range slices.SortedStableFunc(slices.Values(detections), func(a, b eval.Detection) int { return cmp.Compare(b.Score, a.Score) }) {
		if d.Score >= t.Score && !claimed(d, drawn) {
			boxes, drawn = append(boxes, found(d, names, t)), append(drawn, d)
		}
	}
	return boxes
}

// claimed reports whether one of the others on the image is of the same object.
func claimed(d eval.Detection, others []eval.Detection) bool {
	return slices.ContainsFunc(others, func(other eval.Detection) bool {
		return eval.IoU(d.Box, other.Box) >= sameBox
	})
}

// Draw draws the boxes of detections (see [Boxes]) into their image.
func Draw(img image.Image, detections []eval.Detection, names map[data.ID]string, t protocol.Thresholds) (*viz.Figure, error) {
	return viz.Detections(img, Boxes(detections, names, t))
}

// found returns the box to draw for a detection.
func found(d eval.Detection, names map[data.ID]string, t protocol.Thresholds) viz.Box {
	if t.Unknown(d) {
		return viz.Box{XYXY: d.Box.Corners(), Score: d.Score, Style: viz.Unknown}
	}
	return viz.Box{XYXY: d.Box.Corners(), Label: names[d.CategoryID], Score: d.Score, Style: viz.Inlier}
}

// Truth returns the annotated objects of an image of the set as boxes to draw.
func Truth(set *data.Dataset, index int) []viz.Box {
	var boxes []viz.Box
	for _, o := range set.Images[index].Instances {
		boxes = append(boxes, viz.Box{XYXY: o.Box, Label: set.Categories[o.Category].Name, Style: viz.Truth})
	}
	return boxes
}

// ShownSide is the longer side, in pixels, to which larger images of a figure are shrunk, since the
// figure holds all of them at once.
const ShownSide = 1024

// mostBoxes is the largest number of detections that an image of a figure shows, the best ones.
const mostBoxes = 10

// Shot returns an image of a set, both given by index, with at most ten detections of the
// evaluation that count.
func Shot(e *protocol.Evaluation, set, index int) (viz.Shot, error) {
	thresholds, err := e.Thresholds()
	if err != nil {
		return viz.Shot{}, err
	}
	img := e.Sets[set].Images[index]
	view, err := img.View(ShownSide)
	if err != nil {
		return viz.Shot{}, err
	}
	var detections []eval.Detection
	for _, d := range e.Detections[set] {
		if d.ImageID == img.ID {
			detections = append(detections, d)
		}
	}
	boxes := Boxes(detections, e.Names(), thresholds)
	return viz.Shot{Image: view, Boxes: boxes[:min(mostBoxes, len(boxes))], Caption: filepath.Base(img.File)}, nil
}

// Sheet draws the first n images of a set, given by its index in Sets, with the detections of the
// evaluation that count, three in a row.
func Sheet(e *protocol.Evaluation, set, n int) (*viz.Figure, error) {
	var shots []viz.Shot
	for i := range min(n, len(e.Sets[set].Images)) {
		shot, err := Shot(e, set, i)
		if err != nil {
			return nil, err
		}
		shots = append(shots, shot)
	}
	thresholds, err := e.Thresholds()
	if err != nil {
		return nil, err
	}
	caption := viz.Caption(fmt.Sprintf("Run %s on %s: detections from score %.2f on; dashed ones are called unknown.", e.Run.Name, e.Sets[set].Label(), thresholds.Score) + subject(e))
	return caption.Under(viz.DetectionSheet(shots, 3))
}

// subject returns the end of a caption, which says what the evaluation is about.
func subject(e *protocol.Evaluation) string {
	if e.Report.Subject == nil {
		return ""
	}
	return " " + e.Report.Subject.String()
}
