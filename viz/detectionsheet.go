package viz

import (
	"errors"
	"fmt"
	"image"

	xdraw "golang.org/x/image/draw"
)

// Shot is an image with boxes in it.
type Shot struct {
	Image   image.Image
	Boxes   []Box
	Caption string // may be empty
}

// DetectionSheet draws the boxes into their images, as [Detections] does, and lays these out in
// rows of so many columns, as [ContactSheet] does, over a legend of the styles that occur and of
// the number at the boxes. The CSV has a row for each box, with the columns image (from 0),
// caption, label, style, score, x1, y1, x2, y2, in pixels of the image itself; an image without
// boxes has none. The errors name the image.
func DetectionSheet(shots []Shot, columns int) (*Figure, error) {
	if len(shots) == 0 {
		return nil, errors.New("viz: sheet of detections: give at least one image")
	}
	data := table{header: []string{"image", "caption", "label", "style", "score", "x1", "y1", "x2", "y2"}}
	images, captions := make([]image.Image, len(shots)), make([]string, len(shots))
	styles, numbered := map[Style]bool{}, false
	for i, s := range shots {
		drawn, err := detections(s.Image, s.Boxes, shownWidth/max(1, min(columns, len(shots))))
		if err != nil {
			return nil, fmt.Errorf("image %d (%s): %w", i, s.Caption, err)
		}
		images[i], captions[i] = drawn.pixels, s.Caption
		for _, b := range mostImportant(s.Boxes, MaxBoxes) {
			data.add(i, s.Caption, b.Label, b.Style.String(), b.Score, b.XYXY[0], b.XYXY[1], b.XYXY[2], b.XYXY[3])
			styles[b.Style] = true
			numbered = numbered || b.Style != Truth && b.Score != 0
		}
	}
	sheet, err := ContactSheet(images, captions, columns)
	if err != nil {
		return nil, err
	}
	return pictureFigure(withLegend(sheet.pixels, styles, numbered), data), nil
}

// legendTexts say what the styles mean, in the order of the legend.
var legendTexts = []struct {
	style Style
	text  string
}{{Inlier, "detection of a known class"}, {Unknown, "detection that is called unknown"}, {Truth, "annotated object"}}

// withLegend puts the legend under a sheet, in as many rows as its width needs.
func withLegend(sheet image.Image, styles map[Style]bool, numbered bool) image.Image {
	const margin, swatch, gap = 8, 26, 18
	width := sheet.Bounds().Dx()
	writer := sheetPen(width)
	line := writer.height + 6
	type entry struct {
		at    image.Point
		style Style
		mark  bool
		text  string
	}
	var entries []entry
	x, y := margin, 0
	add := func(e entry) {
		size := 0
		if e.mark {
			size = swatch + 6
		}
		e.text = writer.fit(e.text, width-2*margin-size)
		size += writer.width(e.text)
		if x > margin && x+size > width-margin {
			x, y = margin, y+line
		}
		e.at = image.Pt(x, y)
		x += size + gap
		entries = append(entries, e)
	}
	for _, l := range legendTexts {
		if styles[l.style] {
			add(entry{style: l.style, mark: true, text: l.text})
		}
	}
	if numbered {
		add(entry{text: "number: score, the probability of the class"})
	}
	if len(entries) == 0 {
		return sheet
	}
	height := sheet.Bounds().Dy()
	out := image.NewRGBA(image.Rect(0, 0, width, height+y+line+margin/2))
	fill(out, out.Bounds(), white)
	xdraw.Draw(out, sheet.Bounds(), sheet, image.Point{}, xdraw.Src)
	for _, e := range entries {
		at := e.at.Add(image.Pt(0, height))
		if e.mark {
			frame := image.Rect(at.X, at.Y+1, at.X+swatch, at.Y+writer.height)
			strokeFrame(out, frame, e.style, 1)
			at.X += swatch + 6
		}
		writer.write(out, at, e.text, inkColor)
	}
	return out
}
