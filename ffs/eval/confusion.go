package eval

import (
	"slices"

	"ffslab/data"
)

// Confusion says which inlier class the annotated objects of an outlier set, all of them unknown,
// are taken for.
//
// The detections that count are visited by falling score. Each takes the free object that it
// overlaps most, the first of equal ones, if their IoU is at least 0.5, whatever the class. An
// object that no detection takes is missed. Crowd regions are no objects.
type Confusion struct {
	Classes []Category     `json:"classes"` // of the inlier set, by ascending id
	Objects []ConfusionRow `json:"objects"` // one for each category of the outlier set that has objects, by ascending id
}

// ConfusionRow counts the objects of one category of an outlier set.
type ConfusionRow struct {
	Category
	Count    int   `json:"n_objects"`
	TakenFor []int `json:"taken_for"` // by class; with Missed they add up to Count
	Missed   int   `json:"nothing"`
	// CalledUnknown is the number of those taken for a class whose energy is below the threshold,
	// so that "ffs detect" calls them unknown; nil without a threshold.
	CalledUnknown *int `json:"called_unknown,omitempty"`
}

const confusionIoU = 0.5 // as COCO's: an overlap must reach it

// MeasureConfusion counts what the objects of an outlier set are taken for. The detections have the
// category ids of the inlier set; they are those that count ([ByOwnScore]). A detection whose
// energy is below threshold is called unknown; nil means that none is. The errors name the
// detection.
func MeasureConfusion(inlier *Annotations, outlier Results, threshold *float64) (*Confusion, error) {
	classes, err := newIndex(inlier)
	if err != nil {
		return nil, err
	}
	objects, err := newIndex(outlier.Annotations)
	if err != nil {
		return nil, err
	}
	c := &Confusion{Classes: classes.categories}
	rows := make([]ConfusionRow, len(objects.categories))
	for i := range rows {
		rows[i] = ConfusionRow{Category: objects.categories[i], TakenFor: make([]int, len(c.Classes))}
		if threshold != nil {
			rows[i].CalledUnknown = new(0)
		}
	}
	byImage := make(map[data.ID][]*GroundTruth)
	for i := range outlier.Annotations.Objects {
		if o := &outlier.Annotations.Objects[i]; !o.Crowd {
			byImage[o.ImageID] = append(byImage[o.ImageID], o)
			row := &rows[objects.category[o.CategoryID]]
			row.Count++
			row.Missed++
		}
	}

	for i := range outlier.Detections {
		if err := checkOutlier(i, &outlier.Detections[i], objects, classes); err != nil {
			return nil, err
		}
	}
	taken := make(map[*GroundTruth]bool)
	for _, d := range byScore(outlier.Detections) {
		var best *GroundTruth
		bestIoU := confusionIoU
		for _, o := range byImage[d.ImageID] {
			if iou := cocoIoU(&d.Box, &o.Box, false); !taken[o] && (iou > bestIoU || best == nil && iou == bestIoU) {
				best, bestIoU = o, iou
			}
		}
		if best == nil {
			continue
		}
		taken[best] = true
		row := &rows[objects.category[best.CategoryID]]
		row.TakenFor[classes.category[d.CategoryID]]++
		row.Missed--
		if energy, ok := d.OutlierScore("energy"); ok && threshold != nil && energy < *threshold {
			*row.CalledUnknown++
		}
	}
	c.Objects = slices.DeleteFunc(rows, func(row ConfusionRow) bool { return row.Count == 0 })
	return c, nil
}
