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

// Certain draws the n detections of a set, given by its index in Sets, with the highest energy,
// that is those most certainly of known objects; or if least is true, those with the lowest energy.
// Only detections that count take part. Each is drawn in its own image, four in a row, with the
// annotated objects in thin green. The caption is the file of the image, the class and the energy.
// Without a detection that counts it returns [viz.ErrNothing].
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
	images := e.Sets[set].Indices()
	names := e.Names()
	var shots []viz.Shot
	for _, d := range ranked[:min(n, len(ranked))] {
		i, ok := images[d.ImageID]
		if !ok {
			return nil, fmt.Errorf("%s: a detection is on image %v, which the set does not have", e.Sets[set].Name, d.ImageID)
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
	kind := "most"
	if least {
		kind = "least"
	}
	caption := viz.Caption(fmt.Sprintf("Run %s on %s: of %d detections the %d that are %s certainly of known objects, by energy (nats); dashed ones are called unknown.",
		e.Run.Name, e.Sets[set].Label(), len(ranked), len(shots), kind) + subject(e))
	return caption.Under(viz.DetectionSheet(shots, 4))
}

// ranking returns the detections of a set that count, sorted by falling or, if lowest, rising
// energy. It returns one detection for an object that several classes claim.
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

// energyOf returns the energy of a detection that counts, which has logits.
func energyOf(d eval.Detection) float64 {
	energy, _ := d.OutlierScore("energy")
	return energy
}

// SaveCertain draws, for every set, the n most and the n least certain detections (see [Certain])
// into the folder of the set in out: most-certain and least-certain, each as .png, .svg and .csv.
// It returns the paths without extensions. It leaves out sets without a detection that counts.
func SaveCertain(e *protocol.Evaluation, out string, n int) (drawn []string, err error) {
	for i, set := range e.Sets {
		folder := filepath.Join(out, protocol.FolderName(set.Label()))
		for _, kind := range []struct {
			name  string
			least bool
		}{{"most-certain", false}, {"least-certain", true}} {
			figure, err := Certain(e, i, n, kind.least)
			if errors.Is(err, viz.ErrNothing) {
				continue
			}
			if err == nil {
				err = figure.Save(folder, kind.name)
			}
			if err != nil {
				return drawn, err
			}
			drawn = append(drawn, filepath.Join(folder, kind.name))
		}
	}
	return drawn, nil
}
