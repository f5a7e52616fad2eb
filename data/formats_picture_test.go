package data_test

import (
	"bytes"
	"encoding/base64"
	"image"
	"image/color"
	"image/gif"
	"io"
	"path/filepath"
	"testing"

	"golang.org/x/image/bmp"
	"golang.org/x/image/tiff"

	"ffslab/data"
)

// A picture of 16x16 pixels, red above and green below, as Pillow 13 writes it, with loss and
// without.
const (
	lossyWebP    = "UklGRkAAAABXRUJQVlA4IDQAAADQAQCdASoQABAAAMASJaACdLoB+AADsAD+8Fdv//oeC/8WcjO9wB//Z5f2eX9cu/9btAAA"
	animatedWebP = "UklGRpgAAABXRUJQVlA4WAoAAAACAAAADwAADwAAQU5JTQYAAAAAAAAAAABBTk1GMgAAAAAAAAAAAA8AAA8AADIAAAJWUDhMGgAAAC8PwAMAD3A62lPQXkt8/iMN8x/R//j/BwAAQU5NRjIAAAAAAAAAAAAPAAAPAAAyAAAAVlA4TBoAAAAvD8ADAA9wuuvf0H5YfP4jDfMf0f8AAPj/Bw=="
	losslessWebP = "UklGRioAAABXRUJQVlA4TB0AAAAvD8ADAA9wFMYzId+DZ/7DA2LBJH/pzilE9D/jBAA="
)

var red, green = color.RGBA{200, 40, 60, 255}, color.RGBA{20, 180, 90, 255}

// halves is that picture.
func halves() *image.RGBA {
	img := image.NewRGBA(image.Rect(0, 0, 16, 16))
	for y := range 16 {
		for x := range 16 {
			img.Set(x, y, map[bool]color.Color{true: red, false: green}[y < 8])
		}
	}
	return img
}

// Every format is read by its content, whatever the name says, to the colours that Pillow gives:
// WebP's with headroom, to 1 level.
func TestFormats(t *testing.T) {
	encode := func(write func(io.Writer) error) []byte {
		var b bytes.Buffer
		if err := write(&b); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	decode := func(text string) []byte {
		content, err := base64.StdEncoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		return content
	}
	palette := image.NewPaletted(image.Rect(0, 0, 16, 16), color.Palette{red, green})
	for i := range palette.Pix {
		palette.Pix[i] = uint8(i / 128)
	}
	for name, content := range map[string][]byte{
		"BMP":  encode(func(w io.Writer) error { return bmp.Encode(w, halves()) }),
		"TIFF": encode(func(w io.Writer) error { return tiff.Encode(w, halves(), nil) }),
		"packed TIFF": encode(func(w io.Writer) error {
			return tiff.Encode(w, halves(), &tiff.Options{Compression: tiff.Deflate, Predictor: true})
		}),
		"GIF":       encode(func(w io.Writer) error { return gif.Encode(w, palette, nil) }),
		"WebP":      decode(lossyWebP),
		"animation": decode(animatedWebP),
		"lossless":  decode(losslessWebP),
	} {
		path := filepath.Join(t.TempDir(), "photo.jpg")
		write(t, path, content)
		height, width, err := data.ReadSize(path)
		if err != nil || height != 16 || width != 16 {
			t.Errorf("%s: %dx%d (error %v)", name, width, height, err)
			continue
		}
		p, err := data.ReadFile(path)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for y, want := range map[int]color.RGBA{2: red, 12: green} {
			at := p.Data[3*(y*16+4):]
			for i, v := range []uint8{want.B, want.G, want.R} {
				if d := int(at[i]) - int(v); d < -1 || d > 1 {
					t.Errorf("%s: row %d is %v, want blue %d, green %d, red %d", name, y, at[:3], want.B, want.G, want.R)
					break
				}
			}
		}
	}
}

// The first frame of a GIF lies somewhere in the picture, which has the size that its header tells.
func TestGIFOfFrames(t *testing.T) {
	frame := func(box image.Rectangle, index uint8) *image.Paletted {
		img := image.NewPaletted(box, color.Palette{color.RGBA{0, 0, 0, 255}, red, green})
		for i := range img.Pix {
			img.Pix[i] = index
		}
		return img
	}
	var b bytes.Buffer
	if err := gif.EncodeAll(&b, &gif.GIF{
		Image: []*image.Paletted{frame(image.Rect(4, 2, 10, 9), 1), frame(image.Rect(0, 0, 16, 12), 2)},
		Delay: []int{1, 1}, Config: image.Config{Width: 16, Height: 12},
	}); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "a.gif")
	write(t, path, b.Bytes())
	p, err := data.ReadFile(path)
	if err != nil || p.Width != 16 || p.Height != 12 {
		t.Fatalf("%+v (error %v)", p, err)
	}
	for at, want := range map[[2]int]uint8{{4, 2}: red.R, {9, 8}: red.R, {3, 2}: 0, {10, 8}: 0, {4, 9}: 0} {
		if got := p.Data[3*(at[1]*16+at[0])+2]; got != want {
			t.Errorf("red at %v is %d, want %d", at, got, want)
		}
	}
}
