package corrupt

import (
	"math/rand/v2"

	"ffslab/data"
)

// fog adds a cloud (see plasma) of 1.5, 2, 2.5, 2.5, 3 times the full range, and scales the sum so
// that the brightest value stays just reachable. The detail of the cloud weakens from scale to
// scale by 2, 2, 1.7, 1.5, 1.4, squared.
func fog(p *data.Pixels, severity int, random *rand.Rand) *data.Pixels {
	thickness := [...]float32{1.5, 2, 2.5, 2.5, 3}[severity-1]
	decay := [...]float64{2, 2, 1.7, 1.5, 1.4}[severity-1]
	out := fromPixels(p)
	brightest := float32(0)
	for _, v := range out.v {
		brightest = max(brightest, v)
	}
	scale := brightest / (brightest + thickness)
	for i, cloud := range plasma(p.Height, p.Width, decay, random).v {
		for j := range 3 {
			out.v[3*i+j] = scale * (out.v[3*i+j] + thickness*cloud)
		}
	}
	return out.pixels()
}

// maxPlasma bounds the memory for very large pictures, on which the cloud repeats seamlessly.
const maxPlasma = 4096

// plasma returns a part of a fractal cloud made by the diamond-square algorithm on a square whose
// side is a power of 2 not less than the sides of the picture, scaled so that the square's numbers
// range from 0 to 1. The benchmark, with pictures of 224 pixels, uses 256.
func plasma(h, w int, decay float64, random *rand.Rand) raster {
	side := 2
	for side < maxPlasma && (side < h || side < w) {
		side *= 2
	}
	square := make([]float32, side*side)
	at := func(y, x int) float32 { return square[(y&(side-1))*side+x&(side-1)] } // wraps around
	amplitude := float32(1)
	set := func(y, x int, sum float32) {
		square[y*side+x] = sum/4 + amplitude*(2*random.Float32()-1)
	}
	for step := side; step >= 2; step /= 2 {
		half := step / 2
		for y := 0; y < side; y += step {
			for x := 0; x < side; x += step {
				set(y+half, x+half, at(y, x)+at(y, x+step)+at(y+step, x)+at(y+step, x+step))
			}
		}
		for y := 0; y < side; y += step {
			for x := 0; x < side; x += step {
				set(y, x+half, at(y-half, x+half)+at(y+half, x+half)+at(y, x)+at(y, x+step))
				set(y+half, x, at(y+half, x-half)+at(y+half, x+half)+at(y, x)+at(y+step, x))
			}
		}
		amplitude /= float32(decay * decay)
	}
	low, high := square[0], square[0]
	for _, v := range square {
		low, high = min(low, v), max(high, v)
	}
	out := newRaster(h, w, 1)
	for i := range out.v {
		out.v[i] = (at(i/w, i%w) - low) / (high - low)
	}
	return out
}
