package viz

import (
	"errors"
	"fmt"
	"image"
	"strings"

	xdraw "golang.org/x/image/draw"
)

// ContactSheet lays images out in rows of the given number of columns, each scaled to the same cell
// and with its caption under it. A cell is as wide as the widest image, but at least 120 pixels,
// and such that the sheet has at most 1600. captions may be nil. The CSV has the columns image
// (from 0), caption, width, height. It fails for no image, an empty one, no column, and a number of
// captions that is not that of the images.
func ContactSheet(images []image.Image, captions []string, columns int) (*Figure, error) {
	if len(images) == 0 || columns < 1 {
		return nil, errors.New("viz: contact sheet: give at least one image and one column")
	}
	if captions == nil {
		captions = make([]string, len(images))
	}
	if len(captions) != len(images) {
		return nil, fmt.Errorf("viz: contact sheet: %d captions for %d images", len(captions), len(images))
	}
	columns = min(columns, len(images))
	const gap = sheetGap
	data := table{header: []string{"image", "caption", "width", "height"}}
	cell := 120
	for i, img := range images {
		if img == nil || img.Bounds().Empty() {
			return nil, fmt.Errorf("viz: contact sheet: image %d is empty", i)
		}
		data.add(i, captions[i], img.Bounds().Dx(), img.Bounds().Dy())
		cell = max(cell, img.Bounds().Dx())
	}
	cell = min(cell, sheetCell(columns))
	width := columns*(cell+gap) + gap
	writer, captionHeight := sheetPen(width), 0
	if strings.Join(captions, "") != "" {
		captionHeight = writer.height + 2
	}

	scaled := make([]*image.RGBA, len(images))
	heights := make([]int, (len(images)+columns-1)/columns)
	for i, img := range images {
		size := fitInto(img.Bounds().Size(), cell)
		scaled[i] = resize(img, size.X, size.Y, true)
		heights[i/columns] = max(heights[i/columns], size.Y)
	}
	height := gap
	for _, h := range heights {
		height += h + captionHeight + gap
	}
	sheet := image.NewRGBA(image.Rect(0, 0, width, height))
	fill(sheet, sheet.Bounds(), white)
	y := gap
	for row, h := range heights {
		for i := row * columns; i < min((row+1)*columns, len(images)); i++ {
			size := scaled[i].Bounds().Size()
			corner := image.Pt(gap+(i%columns)*(cell+gap)+(cell-size.X)/2, y+(h-size.Y)/2)
			xdraw.Draw(sheet, image.Rectangle{Min: corner, Max: corner.Add(size)}, scaled[i], image.Point{}, xdraw.Over)
			caption := writer.fit(captions[i], cell)
			writer.write(sheet, image.Pt(gap+(i%columns)*(cell+gap)+(cell-writer.width(caption))/2, y+h+2), caption, inkColor)
		}
		y += h + captionHeight + gap
	}
	return pictureFigure(sheet, data), nil
}

// sheetGap is the space between the cells of a sheet in pixels.
const sheetGap = 8

// shownWidth is the width of sheets on the page of a notebook in pixels: what is written on a wider
// one has to be larger.
const shownWidth = 900

// sheetPen returns the pen for a sheet of a width in pixels.
func sheetPen(width int) pen { return newPen(13 * max(1, float64(width)/(1.25*shownWidth))) }

// sheetCell returns the largest side of a cell in pixels.
func sheetCell(columns int) int { return max(120, (1600-sheetGap)/max(1, columns)-sheetGap) }

// fitInto returns the size at which an image fits a square cell: the largest whole multiple of a
// small image, else scaled down.
func fitInto(size image.Point, cell int) image.Point {
	longest := max(size.X, size.Y)
	if longest <= cell {
		return size.Mul(cell / longest)
	}
	return image.Pt(max(1, size.X*cell/longest), max(1, size.Y*cell/longest))
}
