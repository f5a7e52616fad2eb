package explore

import (
	"cmp"
	"context"
	"fmt"
	"image"
	"slices"
	"strings"

	"ffslab/viz"
)

// NearestFigure draws, for each of the least likely of 200 draws of the run's method, a row with
// the real objects of all sets whose features are nearest, nearest first. A caption gives the row,
// the object's class and, for an unknown object, its set.
func (v *Synthesis) NearestFigure(outliers, each int) (*viz.Figure, error) {
	made, err := v.model.Draw(context.Background(), v.method, explorerDraws, 1, sampleSeed)
	if err != nil {
		return nil, err
	}
	type place struct{ set, object int }
	var places []place
	var rows [][]float32
	features := append([]*Features{v.inliers}, v.unknown...)
	for set, f := range features {
		for i, row := range f.Rows {
			places, rows = append(places, place{set, i}), append(rows, row)
		}
	}
	order := evenly(len(made.Features), len(made.Features))
	if made.NLL != nil {
		slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(made.NLL[j], made.NLL[i]) })
	}
	var chosen [][]float32
	for _, i := range order[:min(outliers, len(order))] {
		chosen = append(chosen, made.Features[i])
	}
	var crops []image.Image
	var captions []string
	each = min(each, len(rows))
	for row, near := range newNearestFinder(rows).find(chosen, each) {
		for _, i := range near {
			f, object := features[places[i].set], places[i].object
			crop, err := cropOf(v.sets[places[i].set], f, object)
			if err != nil {
				return nil, err
			}
			caption := f.Classes[f.Class[object]]
			if places[i].set > 0 {
				caption += ", " + f.Set[strings.LastIndex(f.Set, ":")+1:]
			}
			crops, captions = append(crops, crop), append(captions, fmt.Sprintf("%d: %s", row+1, caption))
		}
	}
	figure, err := viz.ContactSheet(crops, captions, each)
	if err != nil {
		return nil, err
	}
	which := "least likely"
	if made.NLL == nil {
		which = "first" // the method has no likelihoods
	}
	figure.Caption = fmt.Sprintf("For each of the %d %s of %d draws of the method %s at temperature 1, a row with those of %d held-out and unknown objects whose features are nearest.",
		len(chosen), which, len(made.Features), v.method, len(rows))
	return figure, nil
}
