package viz

import (
	"bytes"
	"image"
	"image/jpeg"

	xdraw "golang.org/x/image/draw"
)

// JPEG returns the figure's pixels as a JPEG file of a quality from 1 to 100, shrunk to a width in
// pixels if they are wider, and their size.
func (f *Figure) JPEG(width, quality int) (content []byte, size image.Point, err error) {
	pixels := f.Image()
	size = pixels.Bounds().Size()
	if size.X > width {
		size = image.Pt(width, max(1, size.Y*width/size.X))
		small := image.NewRGBA(image.Rectangle{Max: size})
		xdraw.CatmullRom.Scale(small, small.Bounds(), pixels, pixels.Bounds(), xdraw.Src, nil)
		pixels = small
	}
	var file bytes.Buffer
	err = jpeg.Encode(&file, pixels, &jpeg.Options{Quality: quality})
	return file.Bytes(), size, err
}
