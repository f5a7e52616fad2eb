package viz

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html"
	"image/jpeg"

	"ffslab/viz/escape"
)

// largePicture is the size in bytes above which an image is shown as JPEG if that is smaller. A
// sheet of photographs takes megabytes as PNG, in the notebook and in its page.
const largePicture = 256 << 10

// pictureURL returns the pixels as a data URL.
func (f *Figure) pictureURL() (string, error) {
	content, err := f.PNG()
	if err != nil {
		return "", err
	}
	kind := "png"
	if len(content) > largePicture {
		var photo bytes.Buffer
		if err := jpeg.Encode(&photo, f.pixels, &jpeg.Options{Quality: 90}); err != nil {
			return "", err
		}
		if photo.Len() < len(content) {
			kind, content = "jpeg", photo.Bytes()
		}
	}
	return "data:image/" + kind + ";base64," + base64.StdEncoding.EncodeToString(content), nil
}

// HTML returns the figure and its caption as a block of HTML that needs nothing else: plots as SVG,
// half as large again as in print, pictures as PNG or, if they are large, JPEG. Both shrink with a
// narrow window.
func (f *Figure) HTML() (string, error) {
	const screenScale = 1.5
	var body []byte
	width := fmt.Sprintf("%.0fpt", f.width.Points()*screenScale)
	if f.pixels != nil {
		source, err := f.pictureURL()
		if err != nil {
			return "", err
		}
		width = fmt.Sprintf("%dpx", f.pixels.Bounds().Dx())
		body = fmt.Appendf(nil, `<img style="width:100%%" alt="%s" src="%s">`, html.EscapeString(escape.Line(f.Caption)), source)
	} else {
		svg, err := f.SVG()
		if err != nil {
			return "", err
		}
		// The size comes from the block around it; the viewBox keeps the proportions.
		end := bytes.Index(svg, []byte(" viewBox="))
		body = append([]byte(`<svg role="img" style="width:100%;height:auto"`), svg[end:]...)
	}
	caption := ""
	if f.Caption != "" {
		caption = "<figcaption>" + html.EscapeString(escape.Line(f.Caption)) + "</figcaption>"
	}
	return fmt.Sprintf(`<figure style="margin:0.5em 0;max-width:%s">%s%s</figure>`, width, body, caption), nil
}
