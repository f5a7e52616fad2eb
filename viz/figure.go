package viz

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"regexp"

	"github.com/google/renameio/v2"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgimg"
)

// dotsPerInch is the resolution of PNG files: 736 pixels across a column of 8.5 cm.
const dotsPerInch = 220

// ErrNothing is wrapped by the error of a figure, and of what is computed for one, that has no
// subject: an outlier set where none was given, the latents of a model without a flow. The message
// says what is absent.
var ErrNothing = errors.New("nothing to show")

// Figure is a finished figure. It is made by the Figure method of a kind ([Curves], [Histogram],
// ...), by [Grid], or from pixels ([Detections], [ContactSheet]). Its data were checked when it was
// made, so that drawing it does not fail for their sake.
type Figure struct {
	// Caption says what is seen. It is shown under the figure in a notebook, and is the description
	// (for screen readers) in SVG; it is not part of the figure itself.
	Caption string

	name          string // short, for the panel column of a grid's CSV
	width, height vg.Length
	paint         func(draw.Canvas)
	data          table
	pixels        image.Image // of an image, nil for a plot
	encoded       []byte      // pixels as PNG, from the first call of PNG on
}

// Caption is a caption for a figure that is yet to be made.
type Caption string

// Under gives a figure the caption, unless making the figure failed. It takes what a Figure method
// returns.
func (c Caption) Under(f *Figure, err error) (*Figure, error) {
	if err != nil {
		return nil, err
	}
	f.Caption = string(c)
	return f, nil
}

// SVG returns the figure as an SVG document in UTF-8. Images are embedded in it.
func (f *Figure) SVG() ([]byte, error) {
	return renderSVG(f.width, f.height, f.Caption, f.draw, func(img image.Image) ([]byte, error) {
		if img == f.pixels {
			return f.PNG()
		}
		return encodePNG(img)
	})
}

// PNG returns the figure as a PNG file: plots at 220 dots an inch, images pixel by pixel.
func (f *Figure) PNG() ([]byte, error) {
	if f.pixels == nil {
		return encodePNG(f.Image())
	}
	var err error
	if f.encoded == nil {
		f.encoded, err = encodePNG(f.pixels)
	}
	return f.encoded, err
}

// encodePNG takes a third of the default compression's time; files become a tenth larger.
func encodePNG(img image.Image) ([]byte, error) {
	var file bytes.Buffer
	err := (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&file, img)
	return file.Bytes(), err
}

// Image returns the figure's pixels, as PNG encodes them.
func (f *Figure) Image() image.Image {
	if f.pixels != nil {
		return f.pixels
	}
	c := vgimg.NewWith(vgimg.UseWH(f.width, f.height), vgimg.UseDPI(dotsPerInch))
	f.draw(draw.New(c))
	return c.Image()
}

// CSV returns the plotted data with one header line. A plot that draws a thinned or binned form of
// its data says so in its kind's documentation.
func (f *Figure) CSV() ([]byte, error) { return f.data.csv(), nil }

// draw paints the figure on white.
func (f *Figure) draw(c draw.Canvas) {
	c.SetColor(white)
	c.Fill(c.Rectangle.Path())
	f.paint(c)
}

var fileName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)

// Save writes name.svg, name.png and name.csv into dir, which is made if need be. The name may hold
// letters, digits, '.', '_' and '-' and starts with a letter or digit. Each file appears whole or
// not at all.
func (f *Figure) Save(dir, name string) error {
	if !fileName.MatchString(name) {
		return fmt.Errorf("viz: figure name %q: use letters, digits, '.', '_' and '-' only, starting with a letter or digit", name)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("viz: figure %s: %w", name, err)
	}
	for _, form := range []struct {
		ext    string
		encode func() ([]byte, error)
	}{{"svg", f.SVG}, {"png", f.PNG}, {"csv", f.CSV}} {
		content, err := form.encode()
		if err != nil {
			return fmt.Errorf("viz: figure %s as %s: %w", name, form.ext, err)
		}
		if err := renameio.WriteFile(filepath.Join(dir, name+"."+form.ext), content, 0o644); err != nil {
			return fmt.Errorf("viz: figure %s: %w", name, err)
		}
	}
	return nil
}
