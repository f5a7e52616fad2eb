package data

import (
	"image"
	"image/color"
	_ "image/jpeg" // register the format
	_ "image/png"  // register the format
)

// Pixels is an 8-bit colour picture, [height, width, 3], with the channels in the order blue,
// green, red that the networks expect.
type Pixels struct {
	Height, Width int
	Data          []uint8
}

// NewPixels returns a black picture.
func NewPixels(height, width int) *Pixels {
	return &Pixels{Height: height, Width: width, Data: make([]uint8, 3*height*width)}
}

// Image returns a copy as a standard, opaque image.
func (p *Pixels) Image() *image.RGBA {
	out := image.NewRGBA(image.Rect(0, 0, p.Width, p.Height))
	for i, j := 0, 0; i < len(p.Data); i, j = i+3, j+4 {
		out.Pix[j], out.Pix[j+1], out.Pix[j+2], out.Pix[j+3] = p.Data[i+2], p.Data[i+1], p.Data[i], 255
	}
	return out
}

// FromImage copies an image of any colour model. Like Pillow's conversion to RGB it ignores
// transparency: it takes the stored colour without mixing it with a background. Colours at a lower
// resolution (JPEG) are interpolated as in libjpeg.
func FromImage(img image.Image) *Pixels {
	b := img.Bounds()
	out := NewPixels(b.Dy(), b.Dx())
	if img, ok := img.(*image.YCbCr); ok {
		putJPEG(out, img)
		return out
	}
	i := 0
	put := func(r, g, b uint8) {
		out.Data[i], out.Data[i+1], out.Data[i+2] = b, g, r
		i += 3
	}
	for y := b.Min.Y; y < b.Max.Y; y++ {
		switch img := img.(type) { // avoid an allocation for each pixel in common models
		case *image.Gray:
			for x := b.Min.X; x < b.Max.X; x++ {
				v := img.GrayAt(x, y).Y
				put(v, v, v)
			}
		case *image.NRGBA:
			for x := b.Min.X; x < b.Max.X; x++ {
				c := img.NRGBAAt(x, y)
				put(c.R, c.G, c.B)
			}
		case *image.NRGBA64: // At would lose the colour of transparent pixels
			for x := b.Min.X; x < b.Max.X; x++ {
				c := img.NRGBA64At(x, y)
				put(uint8(c.R>>8), uint8(c.G>>8), uint8(c.B>>8))
			}
		default:
			for x := b.Min.X; x < b.Max.X; x++ {
				c := color.NRGBAModel.Convert(img.At(x, y)).(color.NRGBA)
				put(c.R, c.G, c.B)
			}
		}
	}
	return out
}
