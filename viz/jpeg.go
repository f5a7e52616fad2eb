package viz

import (
	"bytes"
	"image"
	"image/jpeg"
)

// JPEG returns the figure's pixels as a JPEG file of a quality from 1 to 100, shrunk to a width in
// pixels if they are wider, and their size.
func (f *Figure) JPEG(width, quality int) (content []byte, size image.Point, err error) {
	pixels := f.Image()
	size = pixels.Bounds().Size()
	if size.X > width {
		size = image.Pt(width, max(1, size.Y*width/size.X))
		pixels = resize(pixels, size.X, size.Y, false)
	}
	var file bytes.Buffer
	err = jpeg.Encode(&file, pixels, &jpeg.Options{Quality: quality})
	return file.Bytes(), size, err
}
