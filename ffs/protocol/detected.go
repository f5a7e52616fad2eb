package protocol

import (
	"context"
	"slices"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/features"
	"ffslab/ffs/infer"
)

// DetectedTable runs the model on a set and returns its detections of at least the given
// probability, in the order of the images, with a table of their features. Categories are 1, 2, ...
// for the model's classes. progress, if not nil, is called after each image.
func DetectedTable(ctx context.Context, m *infer.Model, set *data.Dataset, least float64, progress func(set string, done, total int)) (*features.Table, []eval.Detection, error) {
	found := make([]infer.ImageDetections, len(set.Images))
	done := 0
	err := m.Detect(ctx, set, nil, func(d infer.ImageDetections) error {
		var kept infer.ImageDetections
		for i, detection := range d.Detections {
			if detection.Score >= least {
				kept.Detections = append(kept.Detections, detection)
				kept.Features = append(kept.Features, slices.Clone(d.Features[i])) // it shares memory with the whole batch
			}
		}
		found[d.Index] = kept
		done++
		if progress != nil {
			progress(set.Name, done, len(set.Images))
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	var detections []eval.Detection
	var rows [][]float32
	for _, image := range found {
		detections, rows = append(detections, image.Detections...), append(rows, image.Features...)
	}
	table, err := wholeTable(m, set.Name, detections, rows)
	return table, detections, err
}

// ClassIDs returns the category ids of the model's classes in detections on images without
// annotations: 1, 2, ...
func ClassIDs(m *infer.Model) []data.ID {
	ids := make([]data.ID, len(m.Config.Model.Classes))
	for i := range ids {
		ids[i] = data.ID(i + 1)
	}
	return ids
}

// wholeTable is [DetectionTable] of all detections, whose categories are ClassIDs.
func wholeTable(m *infer.Model, from string, detections []eval.Detection, rows [][]float32) (*features.Table, error) {
	entries := make([]int, len(detections))
	for i := range entries {
		entries[i] = i
	}
	return DetectionTable(m, from, detections, entries, ClassIDs(m), func(entry int) ([]float32, error) { return rows[entry], nil })
}
