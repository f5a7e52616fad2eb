package viz

import (
	"cmp"
	"errors"
	"fmt"
	"image"
	"image/color"
	"math"
	"slices"

	xdraw "golang.org/x/image/draw"
)

// Style is how a box is drawn, which says what it is.
type Style int

// The styles differ in colour, line and label.
const (
	Inlier  Style = iota // a detection of a known class: blue, solid
	Unknown              // a detection judged unknown: vermillion, dashed, its label led by "?"
	Truth                // an annotation: green, thin, without a score
)

// String returns the style's name in CSV files.
func (s Style) String() string {
	switch s {
	case Inlier:
		return "inlier"
	case Unknown:
		return "unknown"
	case Truth:
		return "truth"
	}
	return fmt.Sprintf("style %d", int(s))
}

// MaxBoxes is the largest number of boxes that are drawn on an image: those with the highest
// scores, then annotations.
const MaxBoxes = 5000

// maxLabels is how many of them carry a label: finding a place for one takes the longer, the more
// there are.
const maxLabels = 500

// Box is an object in an image.
type Box struct {
	XYXY  [4]float64 // x1, y1, x2, y2 in pixels of the image, from its upper left corner
	Label string
	Score float64 // shown with two decimals; 0 is left out
	Style Style
}

// text is what the box's label says.
func (b Box) text() string {
	s := b.Label
	if b.Style == Unknown {
		s = "?"
		if b.Label != "" {
			s = "? " + b.Label
		}
	}
	if b.Score != 0 && b.Style != Truth {
		if s != "" {
			s += " "
		}
		s += fmt.Sprintf("%.2f", b.Score)
	}
	return s
}

// Detections draws boxes on a copy of an image: annotations first, then detections by ascending
// score, then the labels of the most important 500, which avoid one another where they can; at most
// [MaxBoxes]. An image whose longer side is under 480 pixels is enlarged by the whole number that
// brings it there, so that labels stay legible; the figure's pixels are then those of the enlarged
// picture. The CSV has the columns label, style, score, x1, y1, x2, y2, in pixels of the original
// image. It fails for an empty image, and for a box that is not finite or has x2 < x1 or y2 < y1.
//
// An image that is smaller than the original, such as a data.View, has a method Shrunk that returns
// its pixels and its size by the original's: boxes have the original's coordinates all the same.
func Detections(img image.Image, boxes []Box) (*Figure, error) {
	return detections(img, boxes, math.MaxInt)
}

// detections is Detections for an image that will be shrunk to fit a square of side pixels: its
// lines and letters are larger.
func detections(img image.Image, boxes []Box, side int) (*Figure, error) {
	if img == nil || img.Bounds().Empty() {
		return nil, errors.New("viz: detections: the image is empty")
	}
	data := table{header: []string{"label", "style", "score", "x1", "y1", "x2", "y2"}}
	boxes = mostImportant(boxes, MaxBoxes)
	for i, b := range boxes {
		sum := b.Score
		for _, v := range b.XYXY {
			sum += v
		}
		if !isFinite(sum) || b.XYXY[2] < b.XYXY[0] || b.XYXY[3] < b.XYXY[1] {
			return nil, fmt.Errorf("viz: detections: box %d (%s): XYXY %v with score %v is not a box", i, b.Label, b.XYXY, b.Score)
		}
		data.add(b.Label, b.Style.String(), b.Score, b.XYXY[0], b.XYXY[1], b.XYXY[2], b.XYXY[3])
	}
	boxes = slices.Clone(boxes)
	slices.SortStableFunc(boxes, byImportance)

	if view, ok := img.(shrunk); ok {
		var by float64
		img, by = view.Shrunk()
		for i := range boxes {
			for j := range boxes[i].XYXY {
				boxes[i].XYXY[j] *= by
			}
		}
	}
	size := img.Bounds().Size()
	longest := max(size.X, size.Y)
	scale := (max(legibleSide, longest) + longest - 1) / longest
	canvas := resize(img, size.X*scale, size.Y*scale, false)
	// Large images will be shrunk: draw thicker lines and larger letters.
	const legible = 0.8 // of the usual size, after shrinking
	drawn := float64(longest * scale)
	unit := max(1, drawn/700, legible*drawn/float64(side))
	writer := newPen(13 * unit)
	frames := make([]image.Rectangle, len(boxes))
	for i, b := range boxes {
		frames[i] = pixelFrame(b.XYXY, scale, canvas.Bounds())
		strokeFrame(canvas, frames[i], b.Style, unit)
	}
	var placed []image.Rectangle
	for i, b := range slices.Backward(boxes) { // the best score has the first choice of a place
		if len(placed) == maxLabels {
			break
		}
		s := writer.fit(b.text(), canvas.Bounds().Dx()-4)
		if s == "" {
			continue
		}
		label := image.Rect(0, 0, writer.width(s)+int(6*unit), writer.height+int(2*unit))
		label = placeLabel(label.Size(), frames[i], placed, canvas.Bounds())
		placed = append(placed, label)
		fill(canvas, label, boxColor(b.Style))
		writer.write(canvas, label.Min.Add(image.Pt(int(3*unit), int(unit))), s, white)
	}
	return pictureFigure(canvas, data), nil
}

// byImportance orders boxes by when they are drawn: annotations, then detections by ascending
// score.
func byImportance(a, b Box) int {
	if (a.Style == Truth) != (b.Style == Truth) {
		return cmp.Compare(b.Style, a.Style) // Truth is the highest style and comes first
	}
	return cmp.Compare(a.Score, b.Score)
}

// mostImportant returns the n boxes that are drawn last, in their order; of equals the first.
func mostImportant(boxes []Box, n int) []Box {
	if len(boxes) <= n {
		return boxes
	}
	order := make([]int, len(boxes))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return byImportance(boxes[j], boxes[i]) })
	order = order[:n]
	slices.Sort(order)
	kept := make([]Box, n)
	for i, from := range order {
		kept[i] = boxes[from]
	}
	return kept
}

// shrunk is an image that is smaller than the original, by the scale.
type shrunk interface {
	Shrunk() (img image.Image, scale float64)
}

func boxColor(s Style) color.NRGBA {
	switch s {
	case Unknown:
		return palette[UnknownColor]
	case Truth:
		return palette[TruthColor]
	}
	return palette[InlierColor]
}

// pixelFrame returns a box on the enlarged image, clipped to it.
func pixelFrame(xyxy [4]float64, scale int, bounds image.Rectangle) image.Rectangle {
	clamp := func(v float64, limit int) int {
		return int(math.Round(min(max(v*float64(scale), 0), float64(limit-1))))
	}
	return image.Rectangle{
		Min: image.Pt(clamp(xyxy[0], bounds.Dx()), clamp(xyxy[1], bounds.Dy())),
		Max: image.Pt(clamp(xyxy[2], bounds.Dx())+1, clamp(xyxy[3], bounds.Dy())+1),
	}
}

// strokeFrame draws the four sides of a frame, inside it; those of an unknown object are dashed,
// with white in the gaps so that they show on any background.
func strokeFrame(on xdraw.Image, frame image.Rectangle, style Style, unit float64) {
	thick := int(math.Round(2.5 * unit))
	if style == Truth {
		thick = int(math.Ceil(1.2 * unit))
	}
	dash := int(math.Round(8 * unit))
	bar := func(side image.Rectangle) {
		side = side.Intersect(frame)
		if style != Unknown {
			fill(on, side, boxColor(style))
			return
		}
		fill(on, side, white)
		for offset := 0; offset < max(side.Dx(), side.Dy()); offset += dash + dash/2 {
			piece := image.Rect(side.Min.X+offset, side.Min.Y, side.Min.X+offset+dash, side.Max.Y)
			if side.Dy() > side.Dx() {
				piece = image.Rect(side.Min.X, side.Min.Y+offset, side.Max.X, side.Min.Y+offset+dash)
			}
			fill(on, piece.Intersect(side), boxColor(style))
		}
	}
	bar(image.Rect(frame.Min.X, frame.Min.Y, frame.Max.X, frame.Min.Y+thick))
	bar(image.Rect(frame.Min.X, frame.Max.Y-thick, frame.Max.X, frame.Max.Y))
	bar(image.Rect(frame.Min.X, frame.Min.Y, frame.Min.X+thick, frame.Max.Y))
	bar(image.Rect(frame.Max.X-thick, frame.Min.Y, frame.Max.X, frame.Max.Y))
}

// placeLabel finds a place for a label of the given size at a frame: above it, else below, inside,
// beside or further away; the first that meets no label placed before, or else the one that covers
// least of them. It always lies within bounds.
func placeLabel(size image.Point, frame image.Rectangle, placed []image.Rectangle, bounds image.Rectangle) image.Rectangle {
	corners := []image.Point{
		{frame.Min.X, frame.Min.Y - size.Y},
		{frame.Max.X - size.X, frame.Min.Y - size.Y},
		{frame.Min.X, frame.Max.Y},
		{frame.Max.X - size.X, frame.Max.Y},
		{frame.Min.X, frame.Min.Y},
		{frame.Min.X, frame.Max.Y - size.Y},
		{frame.Max.X, frame.Min.Y},
		{frame.Min.X - size.X, frame.Min.Y},
	}
	for rows := 1; rows <= 3; rows++ { // in a crowd, further down or up
		corners = append(corners, image.Pt(frame.Min.X, frame.Max.Y+rows*size.Y), image.Pt(frame.Min.X, frame.Min.Y-(rows+1)*size.Y))
	}
	best, least := image.Rectangle{}, math.MaxInt
	for _, corner := range corners {
		corner.X = max(bounds.Min.X, min(corner.X, bounds.Max.X-size.X))
		corner.Y = max(bounds.Min.Y, min(corner.Y, bounds.Max.Y-size.Y))
		at := image.Rectangle{Min: corner, Max: corner.Add(size)}
		covered := 0
		for _, other := range placed {
			common := at.Intersect(other)
			covered += common.Dx() * common.Dy()
		}
		if covered < least {
			best, least = at, covered
		}
	}
	return best
}
