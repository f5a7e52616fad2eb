package eval

import (
	"cmp"
	"slices"

	"ffslab/data"
)

// Objects counts the objects of a set that holds known and unknown ones together. Crowd regions do
// not count, nor do detections that lie only in them.
type Objects struct {
	Known         int `json:"n_known"` // objects of inlier classes
	Unknown       int `json:"n_unknown"`
	MissedKnown   int `json:"missed_known"` // known objects without a detection that counts
	MissedUnknown int `json:"missed_unknown"`
	FalseAlarms   int `json:"false_alarms"` // detections that lie on no object
	Repeated      int `json:"repeated"`     // detections on an object that a better one has found
}

// holdsKnown reports whether an object is of a known category.
func (a *Annotations) holdsKnown() bool {
	return slices.ContainsFunc(a.Objects, func(o GroundTruth) bool { return a.Known[o.CategoryID] })
}

// MarkKnown marks the categories that have the name of an inlier class as known.
func (a *Annotations) MarkKnown(inliers []string) {
	a.Known = map[data.ID]bool{}
	for _, c := range a.Categories {
		if slices.Contains(inliers, c.Name) {
			a.Known[c.ID] = true
		}
	}
}

// unknownOnly returns the annotations without objects of known categories.
func (a *Annotations) unknownOnly() *Annotations {
	unknown := *a
	unknown.Objects = slices.DeleteFunc(slices.Clone(a.Objects), func(o GroundTruth) bool { return a.Known[o.CategoryID] })
	return &unknown
}

// ByObject divides the detections on a set that holds known and unknown objects together. An object
// is found by the best detection, by its own score, that overlaps it with IoU > 0.5 and overlaps no
// other object more, whatever its class. Found known objects are inliers and found unknown ones
// outliers. Detections on no object, or on one found already, are only counted.
func ByObject(r Results) (known, unknown Results, counts Objects) {
	var objects objectsByImage
	for i := range r.Annotations.Objects {
		o := &r.Annotations.Objects[i]
		objects.add(o)
		switch {
		case o.Crowd:
		case r.Annotations.Known[o.CategoryID]:
			counts.Known++
		default:
			counts.Unknown++
		}
	}
	known.Annotations, unknown.Annotations = r.Annotations, r.Annotations
	taken := map[*GroundTruth]bool{}
	for _, d := range byScore(r.Detections) {
		best, crowd := objects.overlap(&openDetection{Detection: d})
		if best < 0 {
			if !crowd {
				counts.FalseAlarms++
			}
			continue
		}
		object := objects.images[d.ImageID][best]
		switch {
		case taken[object]:
			counts.Repeated++
		case r.Annotations.Known[object.CategoryID]:
			known.Detections = append(known.Detections, *d)
		default:
			unknown.Detections = append(unknown.Detections, *d)
		}
		taken[object] = true
	}
	counts.MissedKnown, counts.MissedUnknown = counts.Known-len(known.Detections), counts.Unknown-len(unknown.Detections)
	return known, unknown, counts
}

// byScore returns the detections by falling score.
func byScore(detections []Detection) []*Detection {
	all := make([]*Detection, len(detections))
	for i := range all {
		all[i] = &detections[i]
	}
	slices.SortStableFunc(all, func(a, b *Detection) int { return cmp.Compare(b.Score, a.Score) })
	return all
}

// Compared returns the scores of the detections that an outcome compares, those on the inlier set
// and those on the outlier set, both filtered. If the outlier set holds known objects too, it
// returns the scores of its known and of its unknown objects. It returns false if a detection lacks
// the score, or if the images of a set are unknown.
func Compared(inlier, outlier Results, name string) (sides Sides, ok bool) {
	o := Outcome{Protocol: ByImages}
	if outlier.Annotations != nil && outlier.Annotations.holdsKnown() {
		o.Protocol = ByObjects
		inlier, outlier, _ = ByObject(outlier)
	}
	return o.sides(inlier, outlier, name)
}

// Lists returns the scores of each side as flat lists, ordered by image.
func (s Sides) Lists() (inlier, outlier []float64) {
	list := func(scores ImageScores) (all []float64) {
		for _, id := range sortedImages(scores) {
			all = append(all, scores[id]...)
		}
		return all
	}
	return list(s.Inlier), list(s.Outlier)
}
