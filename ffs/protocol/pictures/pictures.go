// Package pictures draws detections into their images: those of an evaluation, sorted by how certain they are, and those of any image.
package pictures

import (
	"cmp"
	"fmt"
	"image"
	"slices"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
	"ffslab/viz"
)

// Draw draws the detections of an image that reach the score threshold, unknown objects in their own style. The names are those of the model's
// classes, by their category ids.
func Draw(img image.Image, detections []eval.Detection, names map[data.ID]string, t protocol.Thresholds) (*viz.Figure, error) {
	var boxes []viz.Box
	for _, d := range detections {
		if d.Score >= t.Score {
			boxes = append(boxes, found(d, names, t))
		}
	}
	return viz.Detections(img, boxes)
}

// found is how a detection is drawn.
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

// Of draws an image of a set, both by their indices, with the detections of the evaluation that count.
func Of(e *protocol.Evaluation, set, index int) (*viz.Figure, error) {
	thresholds, err := e.Thresholds()
	if err != nil {
		return nil, err
	}
	img := e.Sets[set].Images[index]
	pixels, err := img.Decode()
	if err != nil {
		return nil, err
	}
	var detections []eval.Detection
	for _, d := range e.Detections[set] {
		if d.ImageID == img.ID {
			detections = append(detections, d)
		}
	}
	slices.SortStableFunc(detections, func(a, b eval.Detection) int { return cmp.Compare(b.Score, a.Score) })
	return Draw(pixels.Image(), detections, e.Names(), thresholds)
}

// Sheet draws the first n images of a set, by its index in Sets, with the detections of the evaluation that count, three in a row.
func Sheet(e *protocol.Evaluation, set, n int) (*viz.Figure, error) {
	var drawn []image.Image
	for i := range min(n, len(e.Sets[set].Images)) {
		picture, err := Of(e, set, i)
		if err != nil {
			return nil, err
		}
		drawn = append(drawn, picture.Image())
	}
	figure, err := viz.ContactSheet(drawn, nil, 3)
	if err != nil {
		return nil, err
	}
	thresholds, err := e.Thresholds()
	figure.Caption = fmt.Sprintf("Run %s on %s: detections from score %.2f on; dashed ones are called unknown.", e.Run.Name, protocol.Label(e.Sets[set]), thresholds.Score)
	return figure, err
}
