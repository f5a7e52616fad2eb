package explore

import (
	"context"
	"fmt"
	"image"

	"golang.org/x/image/draw"

	"ffslab/data"
	"ffslab/ffs/infer"
	"ffslab/ffs/protocol"
	"ffslab/ffs/protocol/pictures"
	"ffslab/viz"
)

// Overview shows the method in one figure, for the first run: detections on the images of a set
// with known and unknown objects, the plane of box features with synthetic outliers, and the
// energies of all of these. e is an evaluation of that run, which has the thresholds; mixed is the
// spec of the set.
func (s *Session) Overview(e *protocol.Evaluation, mixed string) (*viz.Figure, error) {
	found, err := s.mixedSheet(e, mixed)
	if err != nil {
		return nil, err
	}
	synthesis, err := s.Synthesis()
	if err != nil {
		return nil, err
	}
	plane, err := synthesis.Figure(1)
	if err != nil {
		return nil, err
	}
	energies, err := synthesis.EnergyFigure()
	if err != nil {
		return nil, err
	}
	below, err := viz.Grid(2, plane, energies)
	if err != nil {
		return nil, err
	}
	return viz.Grid(1, found, below)
}

// mixedSheet draws the detections that count on the images of a set, side by side.
func (s *Session) mixedSheet(e *protocol.Evaluation, spec string) (*viz.Figure, error) {
	set, err := data.Open(spec, data.Options{})
	if err != nil {
		return nil, err
	}
	m, err := s.Model()
	if err != nil {
		return nil, err
	}
	thresholds, err := e.Thresholds()
	if err != nil {
		return nil, err
	}
	var ids []data.ID // of the model's classes
	for _, c := range e.Sets[0].Categories {
		ids = append(ids, c.ID)
	}
	shots := make([]viz.Shot, len(set.Images))
	err = m.Detect(context.Background(), set, ids, func(d infer.ImageDetections) error {
		view, err := set.Images[d.Index].View(pictures.ShownSide)
		if err != nil {
			return err
		}
		shots[d.Index] = enlarged(view, pictures.Boxes(d.Detections, e.Names(), thresholds))
		return nil
	})
	if err != nil {
		return nil, err
	}
	caption := viz.Caption(fmt.Sprintf("Detections with a score of at least %.2f. A detection is called unknown if its energy is lower than that of 95 %% of the detections on images of known classes.", thresholds.Score))
	return caption.Under(viz.DetectionSheet(shots, len(shots)))
}

// enlarged returns a small image at twice its size, so that the labels of the boxes can be read.
func enlarged(view image.Image, boxes []viz.Box) viz.Shot {
	if size := view.Bounds().Size(); max(size.X, size.Y) > pictures.ShownSide/2 {
		return viz.Shot{Image: view, Boxes: boxes}
	}
	twice := image.NewRGBA(image.Rectangle{Max: view.Bounds().Size().Mul(2)})
	draw.CatmullRom.Scale(twice, twice.Bounds(), view, view.Bounds(), draw.Src, nil)
	for i := range boxes {
		for j := range boxes[i].XYXY {
			boxes[i].XYXY[j] *= 2
		}
	}
	return viz.Shot{Image: twice, Boxes: boxes}
}
