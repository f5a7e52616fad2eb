package data

import "image"

// putJPEG copies a decoded JPEG picture into out, which has its size. Colours stored at half the
// resolution are interpolated as in libjpeg, and so in Pillow and OpenCV: the nearer sample has
// weight three, the farther one, in both directions. Colours are converted by libjpeg's arithmetic
// too (the matrix of JFIF, ITU-R BT.601 with full range).
func putJPEG(out *Pixels, img *image.YCbCr) { putYCbCr(out, img, fromYCbCr) }

// putWebP does the same for a WebP picture, whose colours have limited range: black is 16, white
// 235. Go's image package does not consider that.
func putWebP(out *Pixels, img *image.YCbCr) { putYCbCr(out, img, fromVideo) }

func putYCbCr(out *Pixels, img *image.YCbCr, convert func(y, cb, cr int32) (b, g, r uint8)) {
	if len(out.Data) == 0 {
		return
	}
	blue, red := newChroma(img), newChroma(img)
	for y := range out.Height {
		luma := img.Y[img.YOffset(img.Rect.Min.X, img.Rect.Min.Y+y):]
		cb, cr := blue.row(img.Cb, y), red.row(img.Cr, y)
		row := out.Data[3*y*out.Width:][:3*out.Width]
		for x := range out.Width {
			row[3*x], row[3*x+1], row[3*x+2] = convert(int32(luma[x]), int32(cb[x])-128, int32(cr[x])-128)
		}
	}
}

// fromYCbCr returns blue, green and red; cb and cr are 0 for grey.
func fromYCbCr(y, cb, cr int32) (b, g, r uint8) {
	const half = 1 << 15
	return cut(y + (116130*cb+half)>>16), cut(y + (-22554*cb-46802*cr+half)>>16), cut(y + (91881*cr+half)>>16)
}

// fromVideo is fromYCbCr for colours with limited range.
func fromVideo(y, cb, cr int32) (b, g, r uint8) {
	const half = 1 << 15
	y = 76309*(y-16) + half
	return cut((y + 132201*cb) >> 16), cut((y - 25675*cb - 53279*cr) >> 16), cut((y + 104597*cr) >> 16)
}

func cut(v int32) uint8 { return uint8(min(max(v, 0), 255)) }

// chroma scales the rows of a colour plane to the size of the picture.
type chroma struct {
	img           *image.YCbCr
	wide, high    bool    // interpolate in this direction
	width, height int     // of the plane
	sums          []int32 // [width], scratch: three times the nearer row of the plane plus the farther
	out           []uint8 // [picture's width]
}

func newChroma(img *image.YCbCr) *chroma {
	box := img.Rect
	c := &chroma{img: img, width: box.Dx(), height: box.Dy(), out: make([]uint8, box.Dx())}
	aligned := box.Min.X%2 == 0 && box.Min.Y%2 == 0 // always after decoding; a subimage that begins within a sample repeats it
	switch img.SubsampleRatio {
	case image.YCbCrSubsampleRatio420:
		c.wide, c.high = aligned, aligned
	case image.YCbCrSubsampleRatio422:
		c.wide = aligned
	case image.YCbCrSubsampleRatio440:
		c.high = aligned
	}
	if c.wide {
		c.width = (c.width + 1) / 2
	}
	if c.high {
		c.height = (c.height + 1) / 2
	}
	if c.wide && c.width <= 2 { // libjpeg repeats the samples of so narrow a picture
		c.wide, c.high = false, false
	}
	c.sums = make([]int32, c.width)
	return c
}

// row returns row y of the picture, [width of the picture]. The next call overwrites it.
func (c *chroma) row(plane []uint8, y int) []uint8 {
	box := c.img.Rect
	if !c.wide && !c.high {
		for x := range c.out {
			c.out[x] = plane[c.img.COffset(box.Min.X+x, box.Min.Y+y)]
		}
		return c.out
	}
	first := c.img.COffset(box.Min.X, box.Min.Y)
	nearer, farther := y, y
	if c.high {
		nearer = y / 2
		farther = min(max(nearer-1+y%2*2, 0), c.height-1)
	}
	near, far := plane[first+nearer*c.img.CStride:][:c.width], plane[first+farther*c.img.CStride:][:c.width]
	odd := int32(y % 2)
	switch {
	case !c.wide: // upright only: odd rows are rounded up, even ones down
		for x := range c.out {
			c.out[x] = uint8((3*int32(near[x]) + int32(far[x]) + 1 + odd) >> 2)
		}
		return c.out
	case !c.high:
		for x, v := range near {
			c.sums[x] = int32(v)
		}
		c.widen(2, 1, 2)
	default:
		for x, v := range near {
			c.sums[x] = 3*int32(v) + int32(far[x])
		}
		c.widen(4, 8, 7)
	}
	return c.out
}

// widen interpolates the sums and divides by 2^shift; even and odd are added before for rounding.
func (c *chroma) widen(shift uint, even, odd int32) {
	last := len(c.sums) - 1
	for i, v := range c.sums {
		c.out[2*i] = uint8((3*v + c.sums[max(i-1, 0)] + even) >> shift)
		if 2*i+1 < len(c.out) {
			c.out[2*i+1] = uint8((3*v + c.sums[min(i+1, last)] + odd) >> shift)
		}
	}
}
