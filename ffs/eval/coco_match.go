package eval

import (
	"cmp"
	"slices"

	"ffslab/data/box"
)

type cocoClass struct {
	objects    []cocoObject
	detections []cocoDetection
}

type cocoObject struct {
	image int32
	truth *GroundTruth
}

type cocoDetection struct {
	image     int32
	detection *Detection
}

// matchedDetection holds what the curves need of a detection. Bit t of matched and ignored belongs
// to IoU threshold t.
type matchedDetection struct {
	score            float64
	image            int32 // by rank of its id
	rank             uint8 // among the detections of its image and class, best first
	matched, ignored [numAreas]uint16
}

// match assigns the detections of every image to its objects, images by ascending id. It returns
// the 100 best detections of each image, and the number of objects in each area range that are not
// ignored.
func (c *cocoClass) match() (matched []matchedDetection, objects [numAreas]int) {
	slices.SortStableFunc(c.objects, func(a, b cocoObject) int { return cmp.Compare(a.image, b.image) })
	slices.SortStableFunc(c.detections, func(a, b cocoDetection) int {
		if a.image != b.image {
			return cmp.Compare(a.image, b.image)
		}
		return cmp.Compare(b.detection.Score, a.detection.Score)
	})
	for _, o := range c.objects {
		for area := range areaRanges {
			if !ignored(o.truth, area) {
				objects[area]++
			}
		}
	}

	matched = make([]matchedDetection, 0, len(c.detections))
	var m imageMatcher
	remaining := c.objects
	for first := 0; first < len(c.detections); {
		image := c.detections[first].image
		end := first
		for end < len(c.detections) && c.detections[end].image == image {
			end++
		}
		for len(remaining) > 0 && remaining[0].image < image {
			remaining = remaining[1:]
		}
		n := 0
		for n < len(remaining) && remaining[n].image == image {
			n++
		}
		best := c.detections[first:min(end, first+detectionLimits[limit100])]
		matched = m.match(matched, best, remaining[:n])
		first = end
	}
	return matched, objects
}

// ignored reports whether an object counts for nothing in an area range.
func ignored(o *GroundTruth, area int) bool {
	return o.Crowd || outside(o.Area, area)
}

func outside(size float64, area int) bool {
	return size < areaRanges[area][0] || size > areaRanges[area][1]
}

// imageMatcher matches inside one image and keeps its buffers between images.
type imageMatcher struct {
	near    []cocoObject // objects that a detection may take
	ious    []float64    // [objects, detections] of those
	order   []int        // indices of objects, ignored ones last
	taken   []bool
	ignored []bool
}

// match appends the detections of one image, best first, with their matches.
func (m *imageMatcher) match(out []matchedDetection, detections []cocoDetection, objects []cocoObject) []matchedDetection {
	objects = m.compare(detections, objects)
	m.taken = slices.Grow(m.taken[:0], len(objects))[:len(objects)]
	m.ignored = slices.Grow(m.ignored[:0], len(objects))[:len(objects)]

	start := len(out)
	for rank, d := range detections {
		out = append(out, matchedDetection{score: d.detection.Score, image: d.image, rank: uint8(rank)})
	}
	for area := range areaRanges {
		m.sortObjects(objects, area)
		for iou, threshold := range iouThresholds {
			clear(m.taken)
			for i := range detections {
				d := &out[start+i]
				object := m.pick(i, len(detections), objects, threshold)
				switch {
				case object >= 0:
					m.taken[object] = true
					d.matched[area] |= 1 << iou
					if m.ignored[object] {
						d.ignored[area] |= 1 << iou
					}
				case outside(detections[i].detection.Box.Area(), area):
					d.ignored[area] |= 1 << iou
				}
			}
		}
	}
	return out
}

// compare computes the IoUs and returns the objects that reach the lowest threshold with some
// detection.
func (m *imageMatcher) compare(detections []cocoDetection, objects []cocoObject) []cocoObject {
	m.near, m.ious = m.near[:0], m.ious[:0]
	for _, o := range objects {
		first, reached := len(m.ious), false
		for _, d := range detections {
			iou := cocoIoU(&d.detection.Box, &o.truth.Box, o.truth.Crowd)
			m.ious = append(m.ious, iou)
			reached = reached || iou >= iouThresholds[0]
		}
		if !reached {
			m.ious = m.ious[:first]
			continue
		}
		m.near = append(m.near, o)
	}
	return m.near
}

// sortObjects moves the objects that an area range ignores to the end.
func (m *imageMatcher) sortObjects(objects []cocoObject, area int) {
	m.order = m.order[:0]
	for i, o := range objects {
		if m.ignored[i] = ignored(o.truth, area); !m.ignored[i] {
			m.order = append(m.order, i)
		}
	}
	for i := range objects {
		if m.ignored[i] {
			m.order = append(m.order, i)
		}
	}
}

// pick returns the free object with the largest IoU of at least threshold, the last of equal ones,
// or -1 if there is none. It returns an ignored object only if no other one fits.
func (m *imageMatcher) pick(detection, detections int, objects []cocoObject, threshold float64) int {
	best, bestIoU := -1, threshold
	for _, object := range m.order {
		if m.taken[object] && !objects[object].truth.Crowd {
			continue
		}
		if best >= 0 && !m.ignored[best] && m.ignored[object] {
			break
		}
		if iou := m.ious[object*detections+detection]; iou >= bestIoU {
			best, bestIoU = object, iou
		}
	}
	return best
}

// cocoIoU returns the intersection over union of two boxes, or for a crowd region the intersection
// over the area of the detection.
func cocoIoU(detection, object *box.COCO, crowd bool) float64 {
	w := min(detection[0]+detection[2], object[0]+object[2]) - max(detection[0], object[0])
	h := min(detection[1]+detection[3], object[1]+object[3]) - max(detection[1], object[1])
	if w <= 0 || h <= 0 {
		return 0
	}
	intersection := w * h
	union := detection[2] * detection[3]
	if !crowd {
		area := object[2] * object[3]
		union = union + area
		union -= intersection
	}
	return intersection / union
}

// IoU returns the intersection over union of two boxes, 0 if both are empty.
func IoU(a, b box.COCO) float64 { return cocoIoU(&a, &b, false) }
