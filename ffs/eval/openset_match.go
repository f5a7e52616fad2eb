package eval

import "ffslab/data"

// objectsByImage holds the objects to be found; count excludes crowd regions.
type objectsByImage struct {
	images map[data.ID][]*GroundTruth
	count  int
}

func (o *objectsByImage) add(object *GroundTruth) {
	if o.images == nil {
		o.images = make(map[data.ID][]*GroundTruth)
	}
	o.images[object.ImageID] = append(o.images[object.ImageID], object)
	if !object.Crowd {
		o.count++
	}
}

// overlap returns the index of the object in the image that a detection overlaps most, without
// crowd regions, or -1 if no IoU is large enough. crowd says whether the detection lies in a crowd
// region.
func (o *objectsByImage) overlap(d *openDetection) (best int, crowd bool) {
	best, bestIoU := -1, openSetIoU
	for i, object := range o.images[d.ImageID] {
		iou := cocoIoU(&d.Box, &object.Box, object.Crowd)
		switch {
		case object.Crowd:
			crowd = crowd || iou > openSetIoU
		case iou > bestIoU:
			best, bestIoU = i, iou
		}
	}
	return best, crowd
}

// outcome says how a detection counts.
type outcome int

const (
	falsePositive outcome = iota
	found
	neither // inside a crowd region
)

// match lets each detection, best first, find the object that it overlaps most.
func (o *objectsByImage) match(detections []openDetection) []outcome {
	taken := make(map[*GroundTruth]bool)
	outcomes := make([]outcome, len(detections))
	for i := range detections {
		best, crowd := o.overlap(&detections[i])
		switch {
		case best < 0 && crowd:
			outcomes[i] = neither
		case best >= 0:
			object := o.images[detections[i].ImageID][best]
			if !taken[object] {
				taken[object] = true
				outcomes[i] = found
			}
		}
	}
	return outcomes
}

// averagePrecisionVOC returns the area under the precision-recall curve and the final recall. The
// precision at a recall is the largest one at this or any higher recall.
func averagePrecisionVOC(outcomes []outcome, objects int) (ap, recall float64) {
	var precisions []float64 // at every object found
	tp, fp := 0, 0
	for _, outcome := range outcomes {
		switch outcome {
		case found:
			tp++
			precisions = append(precisions, float64(tp)/float64(tp+fp))
		case falsePositive:
			fp++
		}
	}
	envelope := 0.0
	for i := len(precisions) - 1; i >= 0; i-- {
		envelope = max(envelope, precisions[i])
		ap += envelope / float64(objects)
	}
	return ap, float64(tp) / float64(objects)
}
