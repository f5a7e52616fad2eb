package eval

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"ffslab/data"
)

// ErrNoUnknown is returned if an outlier set has no annotated object, so that finding unknown
// objects cannot be measured.
var ErrNoUnknown = errors.New("no annotated unknown objects")

const (
	openSetIoU      = 0.5 // an overlap must be larger
	wildernessLevel = 0.8 // recall at which wilderness impact is measured
)

// OpenSet says how a detector treats unknown objects. FPR95 and AUROC compare only detections and
// do not see missed objects (Montoya et al., "FindMeIfYouCan", arXiv 2506.14008). All fields but
// AOSE are fractions.
//
// A detection is called unknown if its energy is below a threshold, and by its class otherwise.
// Every annotated object of the outlier set is unknown. Matching is that of PASCAL VOC: best
// detection first, each to the object that it overlaps most. The first with IoU > 0.5 finds the
// object, later ones are false. Crowd regions do not count, nor do detections that lie only in
// them.
type OpenSet struct {
	// APUnknown is the area under the interpolated precision-recall curve of the detections called
	// unknown, ranked by ascending energy, over the unknown objects (all-point VOC AP). Higher is
	// better.
	APUnknown float64 `json:"ap_u"`
	// RecallUnknown is the share of unknown objects that these detections find. Higher is better.
	RecallUnknown float64 `json:"recall_u"`
	// AOSE, the absolute open-set error, is the number of detections on the outlier set that are
	// called by a class but overlap an unknown object with IoU > 0.5 (Miller et al., ICRA 2018).
	// Lower is better.
	AOSE int `json:"a_ose"`
	// NOSE is AOSE divided by the number of unknown objects. It may exceed 1, since several
	// detections may overlap one object. Lower is better.
	NOSE float64 `json:"nose"`
	// WI, the wilderness impact, is the relative loss of precision that unknown objects cause:
	// P(inlier set) / P(both sets) - 1 = FP_o / (TP + FP) (Dhamija et al., WACV 2020). For every
	// class, TP and FP count the detections on the inlier set down to the score at which recall is
	// nearest to 0.8 (the highest score of several), and FP_o those of AOSE that are of this class,
	// down to the same score. All three are summed over the classes that have objects and
	// detections (Joseph et al., CVPR 2021). WI is nil if there is no such class. Lower is better.
	WI *float64 `json:"wi"`
}

// MeasureOpenSet measures how the detections on an outlier set treat its objects; the inlier set is
// the reference of WI. A detection whose energy is below threshold, usually
// [Separation.ThresholdTPR95], is called unknown. The detections of both sets have the category ids
// of the inlier set.
//
// It returns [ErrNoUnknown] if there is no unknown object. A detection without an energy, or of an
// image or category that is not annotated, is an error that names its index.
func MeasureOpenSet(inlier, outlier Results, threshold float64) (*OpenSet, error) {
	var objects objectsByImage
	for i := range outlier.Annotations.Objects {
		objects.add(&outlier.Annotations.Objects[i])
	}
	if objects.count == 0 {
		return nil, ErrNoUnknown
	}
	known, err := newSide(inlier, inlier.Annotations, threshold)
	if err != nil {
		return nil, fmt.Errorf("inlier set: %w", err)
	}
	unknown, err := newSide(outlier, inlier.Annotations, threshold)
	if err != nil {
		return nil, fmt.Errorf("outlier set: %w", err)
	}

	var m OpenSet
	slices.SortStableFunc(unknown.unknown, func(a, b openDetection) int { return cmp.Compare(a.energy, b.energy) })
	m.APUnknown, m.RecallUnknown = averagePrecisionVOC(objects.match(unknown.unknown), objects.count)
	mistaken := make(map[data.ID][]openDetection) // by category: called by a class, but on an unknown object
	for category, detections := range unknown.known {
		for _, d := range detections {
			if best, _ := objects.overlap(&d); best >= 0 {
				mistaken[category] = append(mistaken[category], d)
				m.AOSE++
			}
		}
	}
	m.NOSE = float64(m.AOSE) / float64(objects.count)
	m.WI = wildernessImpact(inlier.Annotations, known.known, mistaken)
	return &m, nil
}

func wildernessImpact(annotations *Annotations, known, mistaken map[data.ID][]openDetection) *float64 {
	classes := make(map[data.ID]*objectsByImage)
	for i := range annotations.Objects {
		o := &annotations.Objects[i]
		if classes[o.CategoryID] == nil {
			classes[o.CategoryID] = new(objectsByImage)
		}
		classes[o.CategoryID].add(o)
	}
	closed, open := 0, 0
	for category, objects := range classes {
		detections := known[category]
		if objects.count == 0 || len(detections) == 0 {
			continue
		}
		slices.SortStableFunc(detections, func(a, b openDetection) int { return cmp.Compare(b.Score, a.Score) })
		at, passed := 0, 0
		nearest := math.Inf(1)
		tp, fp := 0, 0
		for i, outcome := range objects.match(detections) {
			switch outcome {
			case found:
				tp++
			case falsePositive:
				fp++
			}
			if distance := math.Abs(float64(tp)/float64(objects.count) - wildernessLevel); distance < nearest {
				nearest, at, passed = distance, i, tp+fp
			}
		}
		closed += passed
		for _, d := range mistaken[category] {
			if d.Score >= detections[at].Score {
				open++
			}
		}
	}
	if closed == 0 {
		return nil
	}
	return new(float64(open) / float64(closed))
}

type openDetection struct {
	*Detection
	energy float64
}

// side holds the detections of one set, divided by what they are called.
type side struct {
	unknown []openDetection
	known   map[data.ID][]openDetection // by category
}

func newSide(r Results, inlier *Annotations, threshold float64) (*side, error) {
	images, err := newIndex(r.Annotations)
	if err != nil {
		return nil, err
	}
	categories, err := newIndex(inlier)
	if err != nil {
		return nil, err
	}
	s := &side{known: make(map[data.ID][]openDetection)}
	for i := range r.Detections {
		d := &r.Detections[i]
		energy, ok := d.OutlierScore("energy")
		if !ok {
			return nil, fmt.Errorf("detection %d has neither energy nor logits", i)
		}
		if err := checkOutlier(i, d, images, categories); err != nil {
			return nil, err
		}
		if energy < threshold {
			s.unknown = append(s.unknown, openDetection{d, energy})
		} else {
			s.known[d.CategoryID] = append(s.known[d.CategoryID], openDetection{d, energy})
		}
	}
	return s, nil
}

// checkOutlier returns an error if the image or the category of detection i is unknown.
func checkOutlier(i int, d *Detection, images, categories *index) error {
	if _, ok := images.image[d.ImageID]; !ok {
		return fmt.Errorf("detection %d: unknown image id %v", i, d.ImageID)
	}
	if _, ok := categories.category[d.CategoryID]; !ok {
		return fmt.Errorf("detection %d: category id %v is not one of the inlier set", i, d.CategoryID)
	}
	return nil
}
