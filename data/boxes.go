package data

import (
	"errors"
	"fmt"
	"iter"
	"math"

	"ffslab/data/box"
	"ffslab/data/lenient"
)

var (
	clippedBoxes  = &lenient.Kind{Told: "boxes over the edge of their image were clipped", Fault: "the box lies partly outside its image"}
	outsideBoxes  = &lenient.Kind{Told: "boxes wholly outside their image were left out", Fault: "the box lies outside its image"}
	reversedBoxes = &lenient.Kind{Told: "boxes of negative size were left out", Fault: "the box has a negative size or is reversed"}
	flatBoxes     = &lenient.Kind{Told: "boxes without area were left out", Fault: "the box has no area"}
)

// placeBox clips the box x0, y0, x1, y1 of an object to its image; clipped reports whether more
// than a rounding error was cut off. ok is false for a box that is left out, because it has no area
// or lies outside the image. All readers pass their boxes through placeBox.
func (o *opening) placeBox(b box.Corners, im *Image, place func() string) (inside box.Corners, clipped, ok bool) {
	for _, v := range b {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			o.found.Fail("%s: the box %v is not finite", place(), b)
			return b, false, false
		}
	}
	if im.Width <= 0 || im.Height <= 0 { // an image that cannot be used
		return b, false, false
	}
	o.boxes.add(b, float64(im.Width), float64(im.Height))
	where := func() string {
		return fmt.Sprintf("%s: box %s in %s, %dx%d", place(), corners(b), im.File, im.Width, im.Height)
	}
	switch {
	case b[2] < b[0] || b[3] < b[1]:
		o.found.Mend(reversedBoxes, where)
		return b, false, false
	case b[2] == b[0] || b[3] == b[1]:
		o.found.Tell(flatBoxes, where)
		return b, false, false
	}
	const rounding = 1 // pixel; annotation tools round, and some count from 1
	right, bottom := float64(im.Width), float64(im.Height)
	inside = box.Corners{max(b[0], 0), max(b[1], 0), min(b[2], right), min(b[3], bottom)}
	if inside[2] <= inside[0] || inside[3] <= inside[1] {
		o.found.Mend(outsideBoxes, where)
		return b, false, false
	}
	clipped = b[0] <= -rounding || b[1] <= -rounding || b[2] >= right+rounding || b[3] >= bottom+rounding
	if clipped {
		o.found.Mend(clippedBoxes, where)
	}
	return inside, clipped, true
}

func corners(b box.Corners) string {
	return fmt.Sprintf("(%g, %g) to (%g, %g)", b[0], b[1], b[2], b[3])
}

// boxStatistics detect boxes that use another convention than their format.
type boxStatistics struct {
	sized     bool // the format has x, y, width, height; otherwise corners
	total     int
	withinOne int // within the first pixel of a larger image, like fractions
	broken    int // of these, with a coordinate that is not an integer
	asCorners int // x, y, width, height that are also a valid x0, y0, x1, y1
	beyond    int // over the right or lower edge by more than a rounding error
	reversed  int // with the second corner before the first
}

// add counts a box in an image w wide and h high.
func (s *boxStatistics) add(b box.Corners, w, h float64) {
	s.total++
	if min(b[0], b[1]) >= 0 && max(b[2], b[3]) <= 1 && min(w, h) > 4 {
		s.withinOne++
		for _, v := range b {
			if v != math.Trunc(v) {
				s.broken++
				break
			}
		}
	}
	if x1, y1 := b[2]-b[0], b[3]-b[1]; x1 >= b[0] && y1 >= b[1] && x1 <= w+1 && y1 <= h+1 {
		s.asCorners++
	}
	if b[2] > w+1 || b[3] > h+1 {
		s.beyond++
	}
	if b[2] < b[0] || b[3] < b[1] {
		s.reversed++
	}
}

// BoxPattern returns an error if boxes that should be x, y, width, height in pixels look as a whole
// like corners or like fractions, as readers of annotations do. Each box comes with the width and
// height of its image, or with +Inf if they are unknown, which tells fractions only.
func BoxPattern(boxes iter.Seq2[box.COCO, [2]float64]) error {
	s := boxStatistics{sized: true}
	for b, size := range boxes {
		s.add(b.Corners(), size[0], size[1])
	}
	return s.pattern()
}

// pattern returns an error if the boxes as a whole must be in another convention.
func (s *boxStatistics) pattern() error {
	switch {
	case s.total > 0 && s.withinOne == s.total && s.broken > 0:
		return errors.New("no box reaches a pixel: they look like fractions of the picture's sides; multiply them by width and height (this form counts in pixels)")
	case s.sized && 2*s.beyond > s.total && 10*s.asCorners >= 9*s.total:
		return fmt.Errorf("%d of %d boxes reach over the right or lower edge: they look like corners [x0, y0, x1, y1] where [x, y, width, height] belongs", s.beyond, s.total)
	case !s.sized && 2*s.reversed > s.total:
		return fmt.Errorf("%d of %d boxes have their second corner before the first: they look like [x, y, width, height] where corners [x0, y0, x1, y1] belong", s.reversed, s.total)
	}
	return nil
}
