package explorer

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/jpeg"
	"math"

	"golang.org/x/image/draw"
)

// Crops lie on a sheet in rows of so many, each in a square of so many pixels; a whole number of
// JPEG's blocks, so that neighbours do not run into each other.
const (
	cropSide     = 48
	sheetColumns = 32
)

// sheet is the crops of all objects in one picture, a JPEG in base64.
type sheet struct {
	JPEG    string `json:"jpeg"`
	Side    int    `json:"side"`
	Columns int    `json:"columns"`
	Rows    int    `json:"rows"`
}

func newSheet(crops []image.Image) (sheet, error) {
	s := sheet{Side: cropSide, Columns: sheetColumns, Rows: (len(crops) + sheetColumns - 1) / sheetColumns}
	all := image.NewRGBA(image.Rect(0, 0, s.Columns*s.Side, s.Rows*s.Side))
	draw.Draw(all, all.Bounds(), image.White, image.Point{}, draw.Src)
	for i, crop := range crops {
		if crop == nil || crop.Bounds().Empty() {
			return s, fmt.Errorf("explorer: the crop of object %d is empty", i)
		}
		size := within(crop.Bounds().Size(), s.Side)
		corner := image.Pt(i%s.Columns*s.Side+(s.Side-size.X)/2, i/s.Columns*s.Side+(s.Side-size.Y)/2)
		draw.CatmullRom.Scale(all, image.Rectangle{Min: corner, Max: corner.Add(size)}, crop, crop.Bounds(), draw.Src, nil)
	}
	text, err := encode(all, 80)
	if err != nil {
		return s, fmt.Errorf("explorer: crops: %w", err)
	}
	s.JPEG = text
	return s, nil
}

// Picture is a whole image, made small, and its own size in pixels.
type Picture struct {
	Image         image.Image
	Width, Height int
}

// NewPicture returns the image as a page holds it at most, so that not all of them need to be in
// memory at once.
func NewPicture(img image.Image) Picture {
	size := img.Bounds().Size()
	return Picture{shrink(img, largestPicture), size.X, size.Y}
}

type pictureData struct {
	JPEG   string `json:"jpeg"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

// What a page holds of pictures: their longer side in pixels, at most and at least, and the bytes
// of all together.
const (
	largestPicture  = 320
	smallestPicture = 64
	pictureBytes    = 900_000
)

// packPictures makes the pictures so small that they fit, or as small as one can still see them.
func packPictures(pictures []Picture) ([]pictureData, error) {
	for side := largestPicture; ; {
		var all []pictureData
		total := 0
		for i, p := range pictures {
			if p.Image == nil || p.Image.Bounds().Empty() {
				return nil, fmt.Errorf("explorer: picture %d is empty", i)
			}
			text, err := encode(shrink(p.Image, side), 72)
			if err != nil {
				return nil, fmt.Errorf("explorer: picture %d: %w", i, err)
			}
			all = append(all, pictureData{text, p.Width, p.Height})
			total += len(text) * 3 / 4
		}
		if total <= pictureBytes || side == smallestPicture {
			return all, nil
		}
		// The bytes go with the area, or a little slower.
		side = max(smallestPicture, int(0.9*float64(side)*math.Sqrt(pictureBytes/float64(total))))
	}
}

// shrink scales an image down to a longer side; a smaller one stays as it is.
func shrink(img image.Image, side int) image.Image {
	size := img.Bounds().Size()
	if max(size.X, size.Y) <= side {
		return img
	}
	small := image.NewRGBA(image.Rectangle{Max: within(size, side)})
	draw.ApproxBiLinear.Scale(small, small.Bounds(), img, img.Bounds(), draw.Src, nil)
	return small
}

// within is the size scaled so that its longer side is that given.
func within(size image.Point, side int) image.Point {
	longest := max(size.X, size.Y)
	return image.Pt(max(1, size.X*side/longest), max(1, size.Y*side/longest))
}

// encode returns the image as a JPEG in base64.
func encode(img image.Image, quality int) (string, error) {
	var encoded bytes.Buffer
	if err := jpeg.Encode(&encoded, img, &jpeg.Options{Quality: quality}); err != nil {
		return "", err
	}
	return base64.StdEncoding.EncodeToString(encoded.Bytes()), nil
}
