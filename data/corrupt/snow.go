package corrupt

import (
	"math/rand/v2"

	"ffslab/data"
)

// snow adds flakes of enlarged, thresholded and motion-blurred noise twice, the second time turned
// by 180 degrees, and whitens the picture.
func snow(p *data.Pixels, severity int, random *rand.Rand) *data.Pixels {
	c := [...]struct {
		mean, deviation float64 // of the noise
		zoom            float64
		threshold       float32 // of flakes
		radius          int     // of the trail
		sigma           float64
		keep            float32 // share of the picture's own brightness
	}{
		{0.1, 0.3, 3, 0.5, 10, 4, 0.8},
		{0.2, 0.3, 2, 0.5, 12, 4, 0.7},
		{0.55, 0.3, 4, 0.9, 12, 8, 0.7},
		{0.55, 0.3, 4.5, 0.85, 12, 8, 0.65},
		{0.55, 0.3, 2.5, 0.85, 12, 12, 0.55},
	}[severity-1]
	flakes := zoomed(normalLayer(p.Height, p.Width, c.mean, c.deviation, random), c.zoom)
	for i, v := range flakes.v {
		if v < c.threshold {
			v = 0
		}
		flakes.v[i] = clip(v)
	}
	flakes = drag(flakes, c.radius, c.sigma, -45-90*random.Float64())

	out := fromPixels(p)
	last := len(flakes.v) - 1
	for i, flake := range flakes.v {
		pixel := out.v[3*i:][:3]
		white := 1.5*luma(pixel[0], pixel[1], pixel[2]) + 0.5
		for j, v := range pixel {
			pixel[j] = c.keep*v + (1-c.keep)*max(v, white) + flake + flakes.v[last-i]
		}
	}
	return out.pixels()
}

// normalLayer returns independent normal numbers.
func normalLayer(h, w int, mean, deviation float64, random *rand.Rand) raster {
	layer := newRaster(h, w, 1)
	for i := range layer.v {
		layer.v[i] = float32(mean + deviation*random.NormFloat64())
	}
	return layer
}
