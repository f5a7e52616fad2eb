package eval

import (
	"math"

	"ffslab/data"
	"ffslab/data/box"
)

// BoxPattern returns an error if the boxes of the objects as a whole look like corners or fractions
// (see [data.BoxPattern]).
func (a *Annotations) BoxPattern() error {
	return a.pattern(len(a.Objects), func(i int) (data.ID, box.COCO) { return a.Objects[i].ImageID, a.Objects[i].Box })
}

// BoxPattern is [Annotations.BoxPattern] of the detections.
func (r Results) BoxPattern() error {
	return r.Annotations.pattern(len(r.Detections), func(i int) (data.ID, box.COCO) { return r.Detections[i].ImageID, r.Detections[i].Box })
}

// pattern looks at n boxes; at returns the image of a box, and the box.
func (a *Annotations) pattern(n int, at func(i int) (data.ID, box.COCO)) error {
	sizes := make(map[data.ID][2]float64, len(a.Sizes))
	for i, size := range a.Sizes {
		sizes[a.ImageIDs[i]] = size
	}
	return data.BoxPattern(func(yield func(box.COCO, [2]float64) bool) {
		for i := range n {
			image, b := at(i)
			size, ok := sizes[image]
			if !ok {
				size = [2]float64{math.Inf(1), math.Inf(1)}
			}
			if !yield(b, size) {
				return
			}
		}
	})
}
