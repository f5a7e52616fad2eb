package pictures

import (
	"fmt"
	"image"

	"ffslab/data"
	"ffslab/viz"
)

// cropMargin is the margin of crops, as a fraction of the longer side of the box.
const cropMargin = 0.15

// Crop cuts a box x0, y0, x1, y1 in pixels out of its image, with a margin. The error names the
// image.
func Crop(img data.Image, xyxy [4]float64) (image.Image, error) {
	pixels, err := img.Decode()
	if err != nil {
		return nil, err
	}
	return CropDecoded(img, pixels.Image(), xyxy)
}

// CropDecoded is [Crop] for an image whose pixels are decoded already.
func CropDecoded(img data.Image, pixels image.Image, xyxy [4]float64) (image.Image, error) {
	crop, err := viz.Crop(pixels, xyxy, cropMargin)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", img.File, err)
	}
	return crop, nil
}
