package corrupt

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"

	"ffslab/data"
)

// jpegSide is the longest side of a JPEG file in whole blocks of 16 pixels. Blocks do not influence
// each other, so a larger picture can be stored in parts.
const jpegSide = 65535 / 16 * 16

// jpegCompression encodes the picture as JPEG with a quality of 25, 18, 15, 10, 7 and decodes it.
// Go's encoder has the quantisation tables and the halved colour resolution of the benchmark's;
// colours are interpolated as in libjpeg (see data.FromImage).
func jpegCompression(p *data.Pixels, severity int, _ *rand.Rand) *data.Pixels {
	quality := [...]int{25, 18, 15, 10, 7}[severity-1]
	picture, out := p.Image(), data.NewPixels(p.Height, p.Width)
	for y := 0; y < p.Height; y += jpegSide {
		for x := 0; x < p.Width; x += jpegSide {
			part := throughJPEG(picture.SubImage(image.Rect(x, y, x+jpegSide, y+jpegSide)), quality)
			for row := range part.Height {
				copy(out.Data[3*((y+row)*p.Width+x):], part.Data[3*row*part.Width:][:3*part.Width])
			}
		}
	}
	return out
}

func throughJPEG(img image.Image, quality int) *data.Pixels {
	var file bytes.Buffer
	if err := jpeg.Encode(&file, img, &jpeg.Options{Quality: quality}); err != nil {
		panic(fmt.Sprintf("corrupt: encoding into memory: %v", err)) // only the size could be wrong
	}
	decoded, err := jpeg.Decode(&file)
	if err != nil {
		panic(fmt.Sprintf("corrupt: decoding what was encoded: %v", err))
	}
	return data.FromImage(decoded)
}
