package explore

import (
	"fmt"
	"image"

	"ffslab/data"
	"ffslab/ffs/infer"
	"ffslab/viz"
)

// Thresholds decide what a picture shows: detections whose proposal is sure enough of being some inlier, and which of them are
// called unknown. Both are recorded by "ffs eval".
type Thresholds struct {
	// Score is the least probability that a detection must have.
	Score float64
	// Energy, if not nil, is what a detection's energy must reach; those under it are unknown objects.
	Energy *float64
}

// Unknown says whether the detection is an unknown object, and false where that cannot be told.
func (t Thresholds) Unknown(d infer.Detection) bool { return t.Energy != nil && d.Energy < *t.Energy }

// Picture draws the detections of an image that reach the score threshold, unknown objects in their own style. The classes are the model's.
func Picture(img image.Image, detections []infer.Detection, classes []string, t Thresholds) (*viz.Figure, error) {
	var boxes []viz.Box
	for _, d := range detections {
		if d.Score < t.Score {
			continue
		}
		boxes = append(boxes, t.box(d, classes))
	}
	return viz.Detections(img, boxes)
}

// box is how a detection is drawn.
func (t Thresholds) box(d infer.Detection, classes []string) viz.Box {
	box := viz.Box{XYXY: d.Box, Label: classes[d.Class], Score: d.Score, Style: viz.Inlier}
	if t.Unknown(d) {
		box.Label, box.Style = "", viz.Unknown
	}
	return box
}

// shownSide is the longer side of pictures on sheets, in pixels: larger ones are shrunk to it, for all of a sheet are held at once.
const shownSide = 1024

// Truth returns the annotated objects of an image as boxes to draw.
func Truth(set *data.Dataset, index int) []viz.Box {
	var boxes []viz.Box
	for _, o := range set.Images[index].Instances {
		boxes = append(boxes, viz.Box{XYXY: o.Box, Label: set.Categories[o.Category].Name, Style: viz.Truth})
	}
	return boxes
}

// Pictures draws the first n pictures of a set, by its index in Sets, with the detections that count, three in a row.
func (e *Evaluation) Pictures(set, n int) (*viz.Figure, error) {
	thresholds, err := e.Thresholds()
	if err != nil {
		return nil, err
	}
	classes := e.classes()
	var pictures []image.Image
	for i := range e.Sets[set].Images[:min(n, len(e.Sets[set].Images))] {
		view, err := e.Sets[set].Images[i].View(shownSide)
		if err != nil {
			return nil, err
		}
		picture, err := Picture(view, e.found(set, i), classes, thresholds)
		if err != nil {
			return nil, err
		}
		pictures = append(pictures, picture.Image())
	}
	figure, err := viz.ContactSheet(pictures, nil, 3)
	if err != nil {
		return nil, err
	}
	figure.Caption = fmt.Sprintf("Run %s on %s: detections from score %.2f on; dashed ones are called unknown.", e.Run.Name, Label(e.Sets[set]), thresholds.Score)
	return figure, nil
}
