package corrupt

import "ffslab/data"

// raster is an image of numbers, [h, w, c]. c is 3, in the order of data.Pixels with 1 for the
// brightest, or 1 for a layer that all channels share.
type raster struct {
	h, w, c int
	v       []float32
}

func newRaster(h, w, c int) raster { return raster{h, w, c, make([]float32, h*w*c)} }

func fromPixels(p *data.Pixels) raster {
	r := newRaster(p.Height, p.Width, 3)
	for i, v := range p.Data {
		r.v[i] = float32(v) / 255
	}
	return r
}

// pixels rounds a raster of 3 channels to the nearest levels and clips it to 0..1.
func (r raster) pixels() *data.Pixels {
	p := data.NewPixels(r.h, r.w)
	for i, v := range r.v {
		p.Data[i] = level(v)
	}
	return p
}

// level returns the nearest of 256 levels of 0 to 1.
func level(v float32) uint8 { return uint8(clip(v)*255 + 0.5) }

// clip also maps NaN, which does not occur here, to 0.
func clip(v float32) float32 {
	if v > 1 {
		return 1
	}
	if v > 0 {
		return v
	}
	return 0
}

// row returns row y, [w*c].
func (r raster) row(y int) []float32 { return r.v[y*r.w*r.c:][:r.w*r.c] }

// luma returns the perceived brightness (ITU-R BT.601) of blue, green and red.
func luma(blue, green, red float32) float32 { return 0.114*blue + 0.587*green + 0.299*red }
