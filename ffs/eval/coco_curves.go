package eval

import (
	"cmp"
	"slices"
)

// cocoCurves holds the precision-recall curves of one class, sampled as in pycocotools: at 10 IoU
// thresholds 0.50..0.95 and 101 recalls 0..1, for 4 areas (all, small, medium, large) and 3 limits
// on the detections of an image (1, 10, 100). Areas without an object have no curves.
type cocoCurves struct {
	objects   [numAreas]int // that count
	precision [numIoUs][numRecalls][numAreas][numLimits]float64
	scores    [numIoUs][numRecalls][numAreas][numLimits]float64 // at which the recall is reached
	recall    [numIoUs][numAreas][numLimits]float64             // the largest
}

// draw computes the curves. objects counts the ground truths of each area that are not ignored.
func (c *cocoCurves) draw(detections []matchedDetection, objects [numAreas]int) {
	slices.SortStableFunc(detections, func(a, b matchedDetection) int { return cmp.Compare(b.score, a.score) })
	precision := make([]float64, 0, len(detections))
	recall := make([]float64, 0, len(detections))
	scores := make([]float64, 0, len(detections))
	c.objects = objects
	for area, total := range objects {
		if total == 0 {
			continue
		}
		for limit, most := range detectionLimits {
			for iou := range numIoUs {
				precision, recall, scores = precision[:0], recall[:0], scores[:0]
				var tp, fp float64
				for i := range detections {
					d := &detections[i]
					if int(d.rank) >= most {
						continue
					}
					if d.ignored[area]>>iou&1 == 0 {
						if d.matched[area]>>iou&1 != 0 {
							tp++
						} else {
							fp++
						}
					}
					precision = append(precision, tp/(fp+tp+0x1p-52))
					recall = append(recall, tp/float64(total))
					scores = append(scores, d.score)
				}
				c.sample(iou, area, limit, precision, recall, scores)
			}
		}
	}
}

// sample samples a precision-recall curve on the recall grid. The precision at a recall is the
// largest one at this or any higher recall, and 0 beyond the last recall reached.
func (c *cocoCurves) sample(iou, area, limit int, precision, recall, scores []float64) {
	for i := len(precision) - 2; i >= 0; i-- {
		precision[i] = max(precision[i], precision[i+1])
	}
	last := 0.0
	if len(recall) > 0 {
		last = recall[len(recall)-1]
	}
	c.recall[iou][area][limit] = last
	i := 0
	for r, want := range recallGrid {
		for i < len(recall) && recall[i] < want {
			i++
		}
		p, s := 0.0, 0.0
		if i < len(recall) {
			p, s = precision[i], scores[i]
		}
		c.precision[iou][r][area][limit], c.scores[iou][r][area][limit] = p, s
	}
}

// cocoSummary holds what COCO's numbers and the score threshold need of the curves of a class that
// has objects.
type cocoSummary struct {
	objects   [numAreas]int
	precision [numIoUs][numAreas]float64            // summed over the recall grid, at most 100 detections
	recall    [numIoUs][numAreas][numLimits]float64 // the largest
	// Means over the IoU thresholds at each recall, for all areas and 100 detections.
	meanPrecision, meanScore [numRecalls]float64
}

// summarise returns nil if the class has no objects.
func (c *cocoCurves) summarise() *cocoSummary {
	if c.objects[areaAll] == 0 {
		return nil
	}
	s := &cocoSummary{objects: c.objects, recall: c.recall}
	for iou := range numIoUs {
		for r := range numRecalls {
			for area, n := range c.objects {
				if n > 0 {
					s.precision[iou][area] += c.precision[iou][r][area][limit100]
				}
			}
			s.meanPrecision[r] += c.precision[iou][r][areaAll][limit100]
			s.meanScore[r] += c.scores[iou][r][areaAll][limit100]
		}
	}
	for r := range numRecalls {
		s.meanPrecision[r] /= numIoUs
		s.meanScore[r] /= numIoUs
	}
	return s
}
