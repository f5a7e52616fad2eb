package data

import "image"

// fromYCbCr copies a decoded JPEG, whose rectangle begins at (0, 0), as libjpeg makes it, with which Pillow, OpenCV and so the original read:
// colours that are stored at half the resolution are interpolated (its "fancy upsampling"), not repeated, and the
// conversion to RGB rounds to the nearest level.
func fromYCbCr(img *image.YCbCr) *Pixels {
	out := NewPixels(img.Rect.Dy(), img.Rect.Dx())
	cb, cr := newChroma(img, img.Cb), newChroma(img, img.Cr)
	i := 0
	for y := range out.Height {
		luma, blues, reds := img.Y[y*img.YStride:], cb.row(y), cr.row(y)
		for x := range out.Width {
			y, blue, red := int(luma[x]), int(blues[x])-128, int(reds[x])-128
			// 1.772, 0.34414, 0.71414 and 1.402 in 65536ths.
			out.Data[i] = level(y + (116130*blue+1<<15)>>16)
			out.Data[i+1] = level(y + (-22554*blue-46802*red+1<<15)>>16)
			out.Data[i+2] = level(y + (91881*red+1<<15)>>16)
			i += 3
		}
	}
	return out
}

// level cuts a value off at 0 and 255.
func level(v int) uint8 { return uint8(min(max(v, 0), 255)) }

// chroma is one of the two planes of colours.
type chroma struct {
	plane         []uint8
	stride        int
	width, height int // of the stored samples
	across, down  int // pixels that share a sample
	repeated      bool
	sums          []int   // a row of samples, interpolated vertically, in quarters
	pixels        []uint8 // a row at full resolution
}

func newChroma(img *image.YCbCr, plane []uint8) *chroma {
	c := &chroma{plane: plane, stride: img.CStride, across: 1, down: 1}
	switch img.SubsampleRatio {
	case image.YCbCrSubsampleRatio422:
		c.across = 2
	case image.YCbCrSubsampleRatio420:
		c.across, c.down = 2, 2
	case image.YCbCrSubsampleRatio440:
		c.down = 2
	case image.YCbCrSubsampleRatio411:
		c.across = 4
	case image.YCbCrSubsampleRatio410:
		c.across, c.down = 4, 2
	}
	c.width, c.height = (img.Rect.Dx()+c.across-1)/c.across, (img.Rect.Dy()+c.down-1)/c.down
	c.repeated = c.across > 2 || c.across == 2 && c.width <= 2 // as in libjpeg
	c.sums, c.pixels = make([]int, c.width), make([]uint8, c.width*c.across)
	return c
}

// row returns row y of the picture at full resolution; it is valid until the next call.
func (c *chroma) row(y int) []uint8 {
	near := c.plane[y/c.down*c.stride:][:c.width]
	switch {
	case c.repeated:
		for x := range c.pixels {
			c.pixels[x] = near[x/c.across]
		}
		return c.pixels
	case c.across == 1 && c.down == 1:
		return near
	}
	// Samples lie in the middle of their pixels: three parts of the nearest and one of the next in each direction. What is added before
	// the division alternates, so that the rounding has no bias.
	far := near
	if c.down == 2 {
		row := min(max(y/2-1+y%2*2, 0), c.height-1)
		far = c.plane[row*c.stride:][:c.width]
	}
	for x := range c.sums {
		c.sums[x] = 3*int(near[x]) + int(far[x])
	}
	if c.across == 1 {
		for x, sum := range c.sums {
			c.pixels[x] = uint8((sum + 1 + y%2) >> 2)
		}
		return c.pixels
	}
	shift, even, odd := 4, 8, 7
	if c.down == 1 {
		copyInts(c.sums, near)
		shift, even, odd = 2, 1, 2
	}
	last := c.width - 1
	for x, sum := range c.sums {
		before, after := c.sums[max(x-1, 0)], c.sums[min(x+1, last)]
		c.pixels[2*x] = uint8((3*sum + before + even) >> shift)
		c.pixels[2*x+1] = uint8((3*sum + after + odd) >> shift)
	}
	return c.pixels
}

func copyInts(to []int, from []uint8) {
	for i, v := range from {
		to[i] = int(v)
	}
}
