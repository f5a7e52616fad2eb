package viz

import (
	"fmt"
	"image"
	"image/color"
	"math"

	xdraw "golang.org/x/image/draw"
	xfont "golang.org/x/image/font"
	"golang.org/x/image/math/fixed"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// legibleSide is the least length in pixels of the longer side of an image with labels. Smaller
// images are enlarged.
const legibleSide = 480

// pictureFigure returns a figure of pixels, printed at 160 dots an inch or smaller to fit the page.
func pictureFigure(img image.Image, data table) *Figure {
	size := img.Bounds().Size()
	width := min(vg.Length(size.X)*vg.Inch/160, PageWidth*vg.Centimeter)
	return &Figure{
		width: width, height: width * vg.Length(size.Y) / vg.Length(size.X), data: data, pixels: img,
		paint: func(c draw.Canvas) { c.DrawImage(c.Rectangle, img) },
	}
}

// Crop cuts the box xyxy (x1, y1, x2, y2 in pixels of img, from its upper left corner) out of an
// image, with a margin around it that is a fraction of the box's longer side, as far as the image
// reaches. It fails for a box that is not finite or leaves nothing of the image.
func Crop(img image.Image, xyxy [4]float64, margin float64) (image.Image, error) {
	if !isFinite(xyxy[0] + xyxy[1] + xyxy[2] + xyxy[3] + margin) {
		return nil, fmt.Errorf("viz: crop: box %v with margin %v is not finite", xyxy, margin)
	}
	around := margin * max(xyxy[2]-xyxy[0], xyxy[3]-xyxy[1])
	// Clamp before the conversion to integers: boxes may be huge.
	size := img.Bounds().Size()
	clamp := func(v float64, limit int) int { return int(min(max(v, 0), float64(limit))) }
	r := image.Rectangle{
		Min: image.Pt(clamp(math.Floor(xyxy[0]-around), size.X), clamp(math.Floor(xyxy[1]-around), size.Y)),
		Max: image.Pt(clamp(math.Ceil(xyxy[2]+around), size.X), clamp(math.Ceil(xyxy[3]+around), size.Y)),
	}
	if r.Empty() {
		return nil, fmt.Errorf("viz: crop: box %v leaves nothing of an image of %dx%d pixels", xyxy, size.X, size.Y)
	}
	out := image.NewRGBA(image.Rect(0, 0, r.Dx(), r.Dy()))
	xdraw.Draw(out, out.Bounds(), img, img.Bounds().Min.Add(r.Min), xdraw.Src)
	return out, nil
}

// resize scales an image by interpolation. If crisp is set, whole multiples repeat pixels instead,
// so that a small crop shows the detector's pixels.
func resize(img image.Image, width, height int, crisp bool) *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, width, height))
	var scaler xdraw.Scaler = xdraw.CatmullRom
	if crisp && width%img.Bounds().Dx() == 0 && height%img.Bounds().Dy() == 0 {
		scaler = xdraw.NearestNeighbor
	}
	scaler.Scale(out, out.Bounds(), img, img.Bounds(), xdraw.Src, nil)
	return out
}

// pen writes text on pixels.
type pen struct {
	face   xfont.Face
	height int // of a line
}

func newPen(pixels float64) pen {
	style := sans(vg.Length(pixels))
	found := fonts.Fonts.Lookup(style.Font, style.Font.Size)
	face := found.FontFace(72) // one point is one pixel
	return pen{face, (face.Metrics().Ascent + face.Metrics().Descent).Ceil()}
}

func (p pen) width(s string) int { return xfont.MeasureString(p.face, s).Ceil() }

// write writes s with its upper left corner at a point.
func (p pen) write(on xdraw.Image, at image.Point, s string, c color.Color) {
	d := xfont.Drawer{Dst: on, Src: image.NewUniform(c), Face: p.face}
	d.Dot = fixed.P(at.X, at.Y)
	d.Dot.Y += p.face.Metrics().Ascent
	d.DrawString(s)
}

// fit cuts s with an ellipsis if it is wider than the given pixels.
func (p pen) fit(s string, pixels int) string {
	return shortenUntil(s, func(s string) bool { return p.width(s) <= pixels })
}

// fill paints a rectangle.
func fill(on xdraw.Image, r image.Rectangle, c color.Color) {
	xdraw.Draw(on, r, image.NewUniform(c), image.Point{}, xdraw.Src)
}
