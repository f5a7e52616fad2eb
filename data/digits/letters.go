package digits

import (
	"fmt"
	"image"

	"golang.org/x/image/font"
	"golang.org/x/image/font/gofont/gobold"
	"golang.org/x/image/font/gofont/gobolditalic"
	"golang.org/x/image/font/gofont/goitalic"
	"golang.org/x/image/font/gofont/gomedium"
	"golang.org/x/image/font/gofont/gomono"
	"golang.org/x/image/font/gofont/goregular"
	"golang.org/x/image/font/sfnt"
	"golang.org/x/image/math/fixed"
	"golang.org/x/image/vector"

	"ffslab/data"
	"ffslab/data/digits/internal/glyph"
)

// letters are those of the alphabet that no person would read as a digit: without O, Q, D, o (0),
// I, J, i, j, l (1), Z, z (2), S, s (5), B, b (8, 6), g, q (9) and Y, y (an open 4); without M, N,
// W, which the clutter's zigzags resemble; and without small letters that are only smaller
// capitals.
const letters = "ACEFGHKLPRTUVXadefhmnrt"

// letterSide is the longer side of a letter's glyph. It is that of MNIST's digits: were letters
// drawn finer, their edges would give them away.
const letterSide = 20

// letterClasses returns one class for each letter, in six faces of the Go fonts.
func letterClasses() ([]class, error) {
	out := make([]class, len(letters))
	for i, r := range letters {
		out[i] = class{name: string(r), id: data.ID(glyph.Digits + 1 + i)}
	}
	for _, ttf := range [][]byte{goregular.TTF, gomedium.TTF, gobold.TTF, goitalic.TTF, gobolditalic.TTF, gomono.TTF} {
		face, err := sfnt.Parse(ttf)
		if err != nil {
			return nil, err
		}
		for i, r := range letters {
			g, err := drawLetter(face, r)
			if err != nil {
				return nil, fmt.Errorf("letter %c: %w", r, err)
			}
			out[i].glyphs = append(out[i].glyphs, g)
		}
	}
	return out, nil
}

// drawLetter rasterises a letter so that its longer side has letterSide pixels.
func drawLetter(face *sfnt.Font, r rune) (glyph.Glyph, error) {
	const ppem = 1000 // pixels an em while loading: fine enough to scale from
	var buffer sfnt.Buffer
	index, err := face.GlyphIndex(&buffer, r)
	if err != nil {
		return glyph.Glyph{}, err
	}
	bounds, _, err := face.GlyphBounds(&buffer, index, fixed.I(ppem), font.HintingNone)
	if err != nil {
		return glyph.Glyph{}, err
	}
	outline, err := face.LoadGlyph(&buffer, index, fixed.I(ppem), nil)
	if err != nil {
		return glyph.Glyph{}, err
	}
	size := bounds.Max.Sub(bounds.Min)
	scale := letterSide / float32(max(size.X, size.Y))
	at := func(p fixed.Point26_6) (x, y float32) {
		return float32(p.X-bounds.Min.X) * scale, float32(p.Y-bounds.Min.Y) * scale
	}
	width, height := int(float32(size.X)*scale+0.999), int(float32(size.Y)*scale+0.999)
	z := vector.NewRasterizer(width, height)
	for _, s := range outline {
		x0, y0 := at(s.Args[0])
		x1, y1 := at(s.Args[1])
		x2, y2 := at(s.Args[2])
		switch s.Op {
		case sfnt.SegmentOpMoveTo:
			z.ClosePath()
			z.MoveTo(x0, y0)
		case sfnt.SegmentOpLineTo:
			z.LineTo(x0, y0)
		case sfnt.SegmentOpQuadTo:
			z.QuadTo(x0, y0, x1, y1)
		case sfnt.SegmentOpCubeTo:
			z.CubeTo(x0, y0, x1, y1, x2, y2)
		}
	}
	z.ClosePath()
	ink := image.NewAlpha(image.Rect(0, 0, width, height))
	z.Draw(ink, ink.Bounds(), image.Opaque, image.Point{})
	return glyph.Crop(ink.Pix, height, width), nil
}
