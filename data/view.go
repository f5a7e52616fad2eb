package data

import "image"

// View is a picture to be looked at, which may be smaller than the original.
type View struct {
	*image.RGBA
	// Scale is its size by the original's, at most 1.
	Scale float64
}

// Shrunk returns the picture and its Scale: what is drawn on it and has the original's coordinates, as viz.Detections draws boxes, must be
// scaled.
func (v View) Shrunk() (image.Image, float64) { return v.RGBA, v.Scale }

// View decodes the picture and shrinks it if its longer side exceeds longest pixels. It takes no more than [SetPictureMemory] allows.
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
