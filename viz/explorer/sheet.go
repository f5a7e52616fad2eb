package explorer

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"image"
	"image/jpeg"

	"golang.org/x/image/draw"
)

// Crops lie on a sheet in rows of so many, each in a square of so many pixels; a whole number of JPEG's blocks, so that neighbours do not run into
// each other.
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
		size := crop.Bounds().Size()
		longest := max(size.X, size.Y)
		size = image.Pt(max(1, size.X*s.Side/longest), max(1, size.Y*s.Side/longest))
		corner := image.Pt(i%s.Columns*s.Side+(s.Side-size.X)/2, i/s.Columns*s.Side+(s.Side-size.Y)/2)
		draw.CatmullRom.Scale(all, image.Rectangle{Min: corner, Max: corner.Add(size)}, crop, crop.Bounds(), draw.Src, nil)
	}
	var encoded bytes.Buffer
	if err := jpeg.Encode(&encoded, all, &jpeg.Options{Quality: 80}); err != nil {
		return s, fmt.Errorf("explorer: crops: %w", err)
	}
	s.JPEG = base64.StdEncoding.EncodeToString(encoded.Bytes())
	return s, nil
}
