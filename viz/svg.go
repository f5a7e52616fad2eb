package viz

import (
	"bytes"
	"encoding/xml"
	"fmt"

	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"

	"ffslab/viz/escape"
)

// svgCanvas is gonum's SVG canvas with text that keeps its place on any machine. gonum places text by the
// metrics of Liberation Sans and names only that font; here each text also carries the width it was measured
// with, and the family names fonts of the same metrics before the generic one. So the text stays text (it can
// be searched, edited and read aloud) and no font needs to be embedded or installed.
type svgCanvas struct {
	*vgsvg.Canvas
	widths []vg.Length // of the texts, in drawing order
}

// FillString implements [vg.Canvas].
func (c *svgCanvas) FillString(face font.Face, at vg.Point, s string) {
	s = escape.Line(s) // XML has no control characters, not even escaped
	c.widths = append(c.widths, face.Width(s))
	c.Canvas.FillString(face, at, s)
}

// renderSVG draws a figure of the given size in points as an SVG document without an XML declaration, so that
// it can stand in an HTML page as it is. The caption becomes its description.
func renderSVG(width, height vg.Length, caption string, paint func(draw.Canvas)) ([]byte, error) {
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
	// gonum encodes pictures as PNG but declares another type.
	// Without it, viewers would keep the proportions of the pixels rather than fill the rectangle.
	doc = bytes.ReplaceAll(doc, []byte("<image "), []byte(`<image preserveAspectRatio="none" `))
	doc = bytes.ReplaceAll(doc, []byte("data:image/jpg;base64,"), []byte("data:image/png;base64,"))

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
