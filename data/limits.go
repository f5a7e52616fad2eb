package data

import (
	"fmt"
	"strings"
)

// maxArea is the largest area of an object, in square pixels, that COCO's measures consider; they
// silently ignore larger ones.
const maxArea = 1e10

// checkLimits returns an error, which names the record, for values that no picture has and that
// would cause an overflow, a missing file or an ignored object later. Readers have checked what
// their format allows.
func (d *Dataset) checkLimits() error {
	for _, c := range d.Categories {
		if strings.ContainsRune(c.Name, 0) {
			return fmt.Errorf("%s: the name of category %v, %q, holds a NUL character: correct it", d.Annotations, c.ID, c.Name)
		}
	}
	for i := range d.Images {
		im := &d.Images[i]
		switch {
		case strings.ContainsRune(im.File, 0):
			return fmt.Errorf("%s: the file name of image %v, %q, holds a NUL character: correct it", d.Annotations, im.ID, im.File)
		case im.Width < 1 || im.Height < 1 || im.Width > maxPicturePixels/im.Height:
			return fmt.Errorf("%s: image %v (%s) is annotated as %dx%d pixels (width x height): at most %d are read; correct the size",
				d.Annotations, im.ID, im.File, im.Width, im.Height, maxPicturePixels)
		}
		for j, o := range im.Instances {
			if !(o.Area >= 0 && o.Area <= maxArea) {
				return fmt.Errorf("%s: object %d of image %v (%s): an area of %g square pixels is not possible: correct it, or leave the area out", d.Annotations, j, im.ID, im.File, o.Area)
			}
		}
	}
	return nil
}
