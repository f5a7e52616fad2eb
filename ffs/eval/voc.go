package eval

import (
	"cmp"
	"slices"

	"ffslab/data"
)

// VOC is PASCAL VOC's average precision at IoU 0.5 as fractions, averaged over the classes that
// have objects; -1 without any.
type VOC struct {
	// AP is the area under the precision-recall curve whose precision is made
	// monotone (the challenges from 2010 on), AP11 the mean of the largest precision at a
	// recall of at least 0, 0.1, ..., 1 (until 2009; Everingham et al., IJCV 2010).
	AP   float64 `json:"ap"`
	AP11 float64 `json:"ap11"`
	// PerClass holds the same by category id.
	PerClass map[data.ID]VOCClass `json:"per_class"`
}

// VOCClass are the numbers of one class; -1 where it has no object.
type VOCClass struct {
	AP   float64 `json:"ap"`
	AP11 float64 `json:"ap11"`
}

const vocIoU = 0.5 // as in VOC's development kit: an overlap must reach it

// EvaluateVOC measures as VOC's development kit does. It compares each detection of a class, best
// first (equal scores keep their order), with the object of its class and image that it overlaps
// most, found already or not. The first on an object is right, later ones are wrong. Crowd regions,
// which VOC's difficult objects are read as, need not be found, and detections on them do not
// count. Boxes are continuous coordinates; the kit adds 1 to widths because it uses pixel indices.
//
// The errors are those of [EvaluateCOCO].
func EvaluateVOC(annotations *Annotations, detections []Detection) (*VOC, error) {
	ix, classes, err := groupByClass(annotations, detections)
	if err != nil {
		return nil, err
	}
	v := &VOC{AP: -1, AP11: -1, PerClass: map[data.ID]VOCClass{}}
	var all, eleven mean
	for k := range classes {
		outcomes, objects := classes[k].vocOutcomes()
		class := VOCClass{-1, -1}
		if objects > 0 {
			class.AP, _ = averagePrecisionVOC(outcomes, objects)
			class.AP11 = elevenPoints(outcomes, objects)
			all.add(class.AP, 1)
			eleven.add(class.AP11, 1)
		}
		v.PerClass[ix.categories[k].ID] = class
	}
	v.AP, v.AP11 = all.value(), eleven.value()
	return v, nil
}

// vocOutcomes returns how the detections count, best first, and the number of objects to be found.
func (c *cocoClass) vocOutcomes() (outcomes []outcome, objects int) {
	byImage := map[int32][]*GroundTruth{}
	for _, o := range c.objects {
		byImage[o.image] = append(byImage[o.image], o.truth)
		if !o.truth.Crowd {
			objects++
		}
	}
	ranked := slices.Clone(c.detections)
	slices.SortStableFunc(ranked, func(a, b cocoDetection) int { return cmp.Compare(b.detection.Score, a.detection.Score) })
	taken := map[*GroundTruth]bool{}
	for _, d := range ranked {
		var best *GroundTruth
		bestIoU := 0.0
		for _, o := range byImage[d.image] {
			if iou := cocoIoU(&d.detection.Box, &o.Box, false); iou > bestIoU {
				best, bestIoU = o, iou
			}
		}
		switch {
		case bestIoU < vocIoU:
			outcomes = append(outcomes, falsePositive)
		case best.Crowd:
			outcomes = append(outcomes, neither)
		case taken[best]:
			outcomes = append(outcomes, falsePositive)
		default:
			taken[best] = true
			outcomes = append(outcomes, found)
		}
	}
	return outcomes, objects
}

// elevenPoints compares recalls as integers, so that 3 of 10 reach 0.3.
func elevenPoints(outcomes []outcome, objects int) float64 {
	var best [11]float64
	tp, fp := 0, 0
	for _, o := range outcomes {
		switch o {
		case found:
			tp++
		case falsePositive:
			fp++
		default:
			continue
		}
		for k := range best {
			if 10*tp >= k*objects {
				best[k] = max(best[k], float64(tp)/float64(tp+fp))
			}
		}
	}
	sum := 0.0
	for _, p := range best {
		sum += p
	}
	return sum / float64(len(best))
}
