package pictures

import (
	"cmp"
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
	"ffslab/viz"
)

// Certain draws the n detections of a set, by its index in Sets, that are most certainly of known
// objects, those of the highest energy, or, if least is true, those of the lowest. Only detections
// that count take part. Each has a picture of its own, four in a row, with the annotated objects in
// thin green; its caption is the image's file, the detection's class and energy. A set without a
// detection that counts has nothing to show ([viz.ErrNothing]).
func Certain(e *protocol.Evaluation, set, n int, least bool) (*viz.Figure, error) {
	thresholds, err := e.Thresholds()
	if err != nil {
		return nil, err
	}
	ranked, err := ranking(e, set, least)
	if err != nil {
		return nil, err
	}
	if len(ranked) == 0 {
		return nil, fmt.Errorf("%w: %s: no detection reaches the score threshold", viz.ErrNothing, e.Sets[set].Name)
	}
	images := make(map[data.ID]int, len(e.Sets[set].Images))
	for i, img := range e.Sets[set].Images {
		images[img.ID] = i
	}
	names := e.Names()
	var shots []viz.Shot
	for _, d := range ranked[:min(n, len(ranked))] {
		i, ok := images[d.ImageID]
		if !ok {
			return nil, fmt.Errorf("%s: a detection lies on image %v, which the set does not have", e.Sets[set].Name, d.ImageID)
		}
		img := e.Sets[set].Images[i]
		view, err := img.View(ShownSide)
		if err != nil {
			return nil, err
		}
		shots = append(shots, viz.Shot{
			Image: view, Boxes: append(Truth(e.Sets[set], i), found(d, names, thresholds)),
			Caption: fmt.Sprintf("%s: %s, energy %.2f", filepath.Base(img.File), names[d.CategoryID], energyOf(d)),
		})
	}
	figure, err := viz.DetectionSheet(shots, 4)
	if err != nil {
		return nil, err
	}
	kind := "most"
	if least {
		kind = "least"
	}
	figure.Caption = fmt.Sprintf("Run %s on %s: of %d detections the %d that are %s certainly of known objects, by energy (nats); dashed ones are called unknown.",
		e.Run.Name, e.Sets[set].Label(), len(ranked), len(shots), kind) + subject(e)
	return figure, nil
}

// ranking lists the detections of a set that count, those of the highest energy first, or of the
// lowest; one for an object that several classes claim.
func ranking(e *protocol.Evaluation, set int, lowest bool) ([]eval.Detection, error) {
	kept, err := e.Kept(set)
	slices.SortStableFunc(kept, func(a, b eval.Detection) int {
		if lowest {
			a, b = b, a
		}
		return cmp.Compare(energyOf(b), energyOf(a))
	})
	var once []eval.Detection
	ofImage := map[data.ID][]eval.Detection{}
	for _, d := range kept {
		if !claimed(d, ofImage[d.ImageID]) {
			once, ofImage[d.ImageID] = append(once, d), append(ofImage[d.ImageID], d)
		}
	}
	return once, err
}

// energyOf is the energy of a detection that counts: it has logits.
func energyOf(d eval.Detection) float64 {
	energy, _ := d.OutlierScore("energy")
	return energy
}

// SaveCertain draws, for every set, the n most and the n least certain detections (see [Certain])
// into the set's folder in out: most-certain and least-certain, each as .png, .svg and .csv. It
// returns what it has drawn, without the endings, and leaves out sets without a detection that
// counts.
func SaveCertain(e *protocol.Evaluation, out string, n int) (drawn []string, err error) {
	for i, set := range e.Sets {
		folder := filepath.Join(out, protocol.FolderName(set.Label()))
		for _, sheet := range []struct {
			name  string
			least bool
		}{{"most-certain", false}, {"least-certain", true}} {
			figure, err := Certain(e, i, n, sheet.least)
			if errors.Is(err, viz.ErrNothing) {
				continue
			}
			if err == nil {
				err = figure.Save(folder, sheet.name)
			}
			if err != nil {
				return drawn, err
			}
			drawn = append(drawn, filepath.Join(folder, sheet.name))
		}
	}
	return drawn, nil
}
