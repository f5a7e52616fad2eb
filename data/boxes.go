package data

import (
	"errors"
	"fmt"
	"math"

	"ffslab/data/lenient"
)

var (
	clippedBoxes  = &lenient.Kind{Told: "boxes over the edge of their image were clipped", Fault: "the box lies partly outside its image"}
	outsideBoxes  = &lenient.Kind{Told: "boxes wholly outside their image were left out", Fault: "the box lies outside its image"}
	reversedBoxes = &lenient.Kind{Told: "boxes of negative size were left out", Fault: "the box has a negative size or is reversed"}
	flatBoxes     = &lenient.Kind{Told: "boxes without area were left out", Fault: "the box has no area"}
)

// placeBox clips the box x0, y0, x1, y1 of an object to its image; clipped is true if more than a rounding was cut off. It is not ok for a box that is left
// out: one without area or outside the image. All readers bring their boxes here.
func (o *opening) placeBox(box [4]float64, im *Image, place func() string) (inside [4]float64, clipped, ok bool) {
	for _, v := range box {
		if math.IsNaN(v) || math.IsInf(v, 0) {
			o.found.Fail("%s: the box %v is not finite", place(), box)
			return box, false, false
		}
	}
	if im.Width <= 0 || im.Height <= 0 { // an image that cannot be used
		return box, false, false
	}
	o.boxes.add(box, im)
	where := func() string {
		return fmt.Sprintf("%s: box %s in %s, %dx%d", place(), corners(box), im.File, im.Width, im.Height)
	}
	switch {
	case box[2] < box[0] || box[3] < box[1]:
		o.found.Mend(reversedBoxes, where)
		return box, false, false
	case box[2] == box[0] || box[3] == box[1]:
		o.found.Tell(flatBoxes, where)
		return box, false, false
	}
	const rounding = 1 // pixel: annotation tools round, and some count from 1
	right, bottom := float64(im.Width), float64(im.Height)
	inside = [4]float64{max(box[0], 0), max(box[1], 0), min(box[2], right), min(box[3], bottom)}
	if inside[2] <= inside[0] || inside[3] <= inside[1] {
		o.found.Mend(outsideBoxes, where)
		return box, false, false
	}
	clipped = box[0] <= -rounding || box[1] <= -rounding || box[2] >= right+rounding || box[3] >= bottom+rounding
	if clipped {
		o.found.Mend(clippedBoxes, where)
	}
	return inside, clipped, true
}

func corners(box [4]float64) string {
	return fmt.Sprintf("(%g, %g) to (%g, %g)", box[0], box[1], box[2], box[3])
}

// boxArea returns the area of a box in square pixels.
func boxArea(box [4]float64) float64 { return (box[2] - box[0]) * (box[3] - box[1]) }

// boxStatistics tell boxes of another convention than the one they are read by.
type boxStatistics struct {
	sized     bool // the form has x, y, width, height; else it has corners
	total     int
	withinOne int // within the first pixel of a larger image, as fractions are
	broken    int // of these, with a coordinate that is no integer
	asCorners int // x, y, width, height that are a valid x0, y0, x1, y1, too
	beyond    int // over the right or lower edge by more than a rounding
	reversed  int // with the second corner before the first
}

func (s *boxStatistics) add(box [4]float64, im *Image) {
	w, h := float64(im.Width), float64(im.Height)
	s.total++
	if min(box[0], box[1]) >= 0 && max(box[2], box[3]) <= 1 && min(w, h) > 4 {
		s.withinOne++
		for _, v := range box {
			if v != math.Trunc(v) {
				s.broken++
				break
			}
		}
	}
	if x1, y1 := box[2]-box[0], box[3]-box[1]; x1 >= box[0] && y1 >= box[1] && x1 <= w+1 && y1 <= h+1 {
		s.asCorners++
	}
	if box[2] > w+1 || box[3] > h+1 {
		s.beyond++
	}
	if box[2] < box[0] || box[3] < box[1] {
		s.reversed++
	}
}

// pattern returns an error if the boxes as a whole can only be meant otherwise.
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
