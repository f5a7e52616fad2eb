package corrupt

import (
	"math/rand/v2"

	"ffslab/data"
)

// glassBlur blurs, scatters pixels among their neighbours, and blurs again. Sigma is 0.7, 0.9, 1,
// 1.1, 1.5 pixels, neighbours are at most 1, 2, 2, 3, 4 pixels away, and pixels are scattered 2, 1,
// 3, 2, 2 times.
//
// The benchmark means to swap two pixels, but its assignment through views of an array copies one
// onto the other. So does this.
func glassBlur(p *data.Pixels, severity int, random *rand.Rand) *data.Pixels {
	sigma := [...]float64{0.7, 0.9, 1, 1.1, 1.5}[severity-1]
	far := [...]int{1, 2, 2, 3, 4}[severity-1]
	times := [...]int{2, 1, 3, 2, 2}[severity-1]
	r := gaussian(fromPixels(p), sigma, 4, nearest)
	for range times {
		for y := r.h - far; y > far; y-- {
			for x := r.w - far; x > far; x-- {
				fromX, fromY := x+random.IntN(2*far)-far, y+random.IntN(2*far)-far
				copy(r.v[3*(y*r.w+x):][:3], r.v[3*(fromY*r.w+fromX):][:3])
			}
		}
	}
	return gaussian(r, sigma, 4, nearest).pixels()
}
