package explore

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"path/filepath"
	"slices"

	"ffslab/ffs/eval"
	"ffslab/ffs/protocol"
	"ffslab/viz"
)

// Certain draws the n detections of a set, by its index in Sets, that are most certainly of known objects, those of the highest energy, or, if least is
// true, those of the lowest. Only detections that count take part. Each has a picture of its own, four in a row, with the annotated objects in thin
// green; its caption is the image's file, the detection's class and energy. A set without a detection that counts has nothing to show (ErrNothing).
func (e *Evaluation) Certain(set, n int, least bool) (*viz.Figure, error) {
	thresholds, err := e.Thresholds()
	if err != nil {
		return nil, err
	}
	ranked, err := e.ranked(set, least)
	if err != nil {
		return nil, err
	}
	if len(ranked) == 0 {
		return nil, nothing("%s: no detection reaches the score threshold", e.Sets[set].Name)
	}
	images := make(map[int64]int, len(e.Sets[set].Images))
	for i, img := range e.Sets[set].Images {
		images[img.ID] = i
	}
	classes, classOf := e.classes(), e.classIndex()
	var pictures []image.Image
	var captions []string
	for _, record := range ranked[:min(n, len(ranked))] {
		i, ok := images[record.ImageID]
		if !ok {
			return nil, fmt.Errorf("%s: a detection lies on image %d, which the set does not have", e.Sets[set].Name, record.ImageID)
		}
		img, d := e.Sets[set].Images[i], asFound(record, classOf)
		view, err := img.View(shownSide)
		if err != nil {
			return nil, err
		}
		picture, err := viz.Detections(view, append(Truth(e.Sets[set], i), thresholds.box(d, classes)))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", img.File, err)
		}
		pictures = append(pictures, picture.Image())
		captions = append(captions, fmt.Sprintf("%s: %s, %.2f", filepath.Base(img.File), classes[d.Class], energyOf(record)))
	}
	figure, err := viz.ContactSheet(pictures, captions, 4)
	if err != nil {
		return nil, err
	}
	kind := "most"
	if least {
		kind = "least"
	}
	figure.Caption = fmt.Sprintf("Run %s on %s: of %d detections the %d that are %s certainly of known objects, by energy (nats); dashed ones are called unknown.",
		e.Run.Name, Label(e.Sets[set]), len(ranked), len(pictures), kind)
	return figure, nil
}

// ranked are the detections of a set that count, those of the highest energy first, or of the lowest.
func (e *Evaluation) ranked(set int, lowest bool) ([]eval.Detection, error) {
	kept, err := e.kept(set)
	slices.SortStableFunc(kept, func(a, b eval.Detection) int {
		if lowest {
			a, b = b, a
		}
		return cmp.Compare(energyOf(b), energyOf(a))
	})
	return kept, err
}

// energyOf is the energy of a detection that counts: it has logits.
func energyOf(d eval.Detection) float64 {
	energy, _ := d.OutlierScore("energy")
	return energy
}

// SaveCertain draws, for every set, the n most and the n least certain detections (see [Evaluation.Certain]) into the set's folder in out:
// most-certain and least-certain, each as .png, .svg and .csv. It returns what it has drawn, without the endings, and leaves out sets without a detection
// that counts.
func (e *Evaluation) SaveCertain(out string, n int) (drawn []string, err error) {
	for i, set := range e.Sets {
		folder := filepath.Join(out, protocol.FolderName(set.Name))
		for _, sheet := range []struct {
			name  string
			least bool
		}{{"most-certain", false}, {"least-certain", true}} {
			figure, err := e.Certain(i, n, sheet.least)
			if errors.Is(err, ErrNothing) {
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
