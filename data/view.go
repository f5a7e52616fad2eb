package data

import "image"

// View is a picture to look at, which may be smaller than the original.
type View struct {
	*image.RGBA
	// Scale is the ratio of its size to the original's, at most 1.
	Scale float64
}

// Shrunk returns the picture and its Scale, by which coordinates of the original must be scaled to
// draw on it, as viz.Detections does.
func (v View) Shrunk() (image.Image, float64) { return v.RGBA, v.Scale }

// View decodes the picture and shrinks it if its longer side exceeds longest pixels. It observes
// the limit of [SetPictureMemory].
func (im *Image) View(longest int) (View, error) {
	side := max(im.Width, im.Height)
	if side <= longest {
		p, err := im.Decode()
		if err != nil {
			return View{}, err
		}
		return View{p.Image(), 1}, nil
	}
	release, err := pictures.hold(im.File, im.Height, im.Width)
	if err != nil {
		return View{}, err
	}
	defer release()
	p, err := im.Decode()
	if err != nil {
		return View{}, err
	}
	scale := float64(longest) / float64(side)
	pixels := func(original int) int { return max(int(float64(original)*scale+0.5), 1) }
	return View{Resize(p, pixels(p.Height), pixels(p.Width)).Image(), scale}, nil
}
