package viz

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"regexp"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"ffslab/viz/escape"
)

// svgCanvas is gonum's SVG canvas with text that keeps its place on any machine. gonum places text
// by the metrics of Liberation Sans and names only that font; here each text also carries the width
// it was measured with, and the family names fonts of the same metrics before the generic one. So
// the text stays text (it can be searched, edited and read aloud) and no font needs to be embedded
// or installed.
type svgCanvas struct {
	*vgsvg.Canvas
	widths []vg.Length   // of the texts, in drawing order
	images []image.Image // in drawing order
}

// noImage is a placeholder for images, which renderSVG embeds: gonum would encode them again,
// slowly.
var noImage = image.NewGray(image.Rect(0, 0, 1, 1))

// placeholder is gonum's form of noImage, in the quotes of its attribute.
var placeholder = regexp.MustCompile(`"data:image/jpg;base64,[^"]*"`)

// DrawImage implements [vg.Canvas].
func (c *svgCanvas) DrawImage(at vg.Rectangle, img image.Image) {
	c.images = append(c.images, img)
	c.Canvas.DrawImage(at, noImage)
}

// FillString implements [vg.Canvas].
func (c *svgCanvas) FillString(face font.Face, at vg.Point, s string) {
	s = escape.Line(s) // XML has no control characters, not even escaped
	c.widths = append(c.widths, face.Width(s))
	c.Canvas.FillString(face, at, s)
}

// renderSVG draws a figure of the given size in points as an SVG document without an XML
// declaration, so that it can stand in an HTML page as it is. The caption becomes its description.
// encode returns an image as PNG.
func renderSVG(width, height vg.Length, caption string, paint func(draw.Canvas), encode func(image.Image) ([]byte, error)) ([]byte, error) {
	c := &svgCanvas{Canvas: vgsvg.New(width, height)}
	paint(draw.NewCanvas(c, width, height))
	var raw bytes.Buffer
	if _, err := c.WriteTo(&raw); err != nil {
		return nil, err
	}
	doc := raw.Bytes()
	doc = doc[bytes.Index(doc, []byte("<svg")):]
	doc = bytes.ReplaceAll(doc, []byte("font-family:Liberation Sans;"),
		[]byte("font-family:'Liberation Sans',Arial,Helvetica,sans-serif;"))
	var err error
	doc = placeholder.ReplaceAllFunc(doc, func([]byte) []byte {
		file, e := encode(c.images[0])
		c.images, err = c.images[1:], errors.Join(err, e)
		return fmt.Appendf(nil, `"data:image/png;base64,%s"`, base64.StdEncoding.EncodeToString(file))
	})
	if err != nil {
		return nil, err
	}
	// Without it, viewers would keep the proportions of the pixels rather than fill the rectangle.
	doc = bytes.ReplaceAll(doc, []byte("<image "), []byte(`<image preserveAspectRatio="none" `))

	var out bytes.Buffer
	head := bytes.IndexByte(doc, '>') + 1
	out.Write(doc[:head])
	if caption != "" {
		out.WriteString("\n<desc>")
		if err := xml.EscapeText(&out, []byte(escape.Line(caption))); err != nil {
			return nil, err
		}
		out.WriteString("</desc>")
	}
	// Text content is escaped, so "<text " can only begin an element.
	open := []byte("<text ")
	for i, part := range bytes.Split(doc[head:], open) {
		if i > 0 {
			fmt.Fprintf(&out, `<text textLength="%.4g" lengthAdjust="spacingAndGlyphs" `, c.widths[i-1].Points())
		}
		out.Write(part)
	}
	return out.Bytes(), nil
}
