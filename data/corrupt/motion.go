package corrupt

import (
	"math"
	"math/rand/v2"

	"ffslab/data"
)

// motionBlur blurs along a line at an angle within 45 degrees of the horizontal. The radius of the
// trail is 10, 15, 15, 15, 20 pixels, its sigma 3, 5, 8, 12, 15.
func motionBlur(p *data.Pixels, severity int, random *rand.Rand) *data.Pixels {
	radius := [...]int{10, 15, 15, 15, 20}[severity-1]
	sigma := [...]float64{3, 5, 8, 12, 15}[severity-1]
	return drag(fromPixels(p), radius, sigma, 90*random.Float64()-45).pixels()
}

// drag averages over a line that begins at the pixel and extends 2*radius pixels in the direction
// of the angle, in degrees clockwise from the right, with the falling half of a Gaussian as
// weights. This is the motion blur of ImageMagick, which the benchmark uses, according to its
// documentation and behaviour. Steps round to the nearest pixel; outside the picture the nearest
// pixel inside is used.
func drag(r raster, radius int, sigma, angle float64) raster {
	sin, cos := math.Sincos(angle * math.Pi / 180)
	weights := make([]float64, 2*radius+1)
	total := 0.0
	for i := range weights {
		weights[i] = math.Exp(-0.5 * float64(i*i) / (sigma * sigma))
		total += weights[i]
	}
	out := newRaster(r.h, r.w, r.c)
	for i, weight := range weights {
		right, down := int(math.Ceil(float64(i)*cos-0.5)), int(math.Ceil(float64(i)*sin-0.5))
		for y := range r.h {
			addShifted(out.row(y), r.row(nearest(y+down, r.h)), right, r.c, float32(weight/total))
		}
	}
	return out
}

// addShifted adds to every pixel the one that is the given number of pixels to its right, with a
// weight.
func addShifted(target, source []float32, right, c int, weight float32) {
	n := len(target) / c
	begin, end := min(max(-right, 0), n), max(min(n-right, n), 0) // the range where that pixel exists
	if begin < end {
		add(target[begin*c:end*c], source[(begin+right)*c:(end+right)*c], weight)
	}
	for x := range begin {
		add(target[x*c:][:c], source[:c], weight)
	}
	for x := end; x < n; x++ {
		add(target[x*c:][:c], source[(n-1)*c:][:c], weight)
	}
}
