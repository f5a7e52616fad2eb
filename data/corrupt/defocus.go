package corrupt

import (
	"math/rand/v2"

	"ffslab/data"
)

// defocusBlur averages over discs with a radius of 3, 4, 6, 8, 10 pixels and slightly softened
// edges.
func defocusBlur(p *data.Pixels, severity int, _ *rand.Rand) *data.Pixels {
	radius := [...]int{3, 4, 6, 8, 10}[severity-1]
	soften := [...]float64{0.1, 0.5, 0.5, 0.5, 0.5}[severity-1]
	return convolve(fromPixels(p), disc(radius, soften)).pixels()
}

// disc returns the kernel of an unfocused lens: [side, side], side odd. Its weights add up to 1,
// but to 1.013 and 1.011 for 8 and 10 pixels: as in the benchmark, whose pictures become brighter
// by that, the kernel has no room there for the softened edge, and the filter reflects it.
func disc(radius int, soften float64) raster {
	softRadius := 1
	if radius > 8 {
		softRadius = 2
	}
	reach := max(radius, 8)
	side := 2*reach + 1
	kernel := newRaster(side, side, 1)
	inside := 0
	for i := range kernel.v {
		y, x := i/side-reach, i%side-reach
		if x*x+y*y <= radius*radius {
			kernel.v[i] = 1
			inside++
		}
	}
	for i := range kernel.v {
		kernel.v[i] /= float32(inside)
	}
	return separable(kernel, gaussianTaps(soften, softRadius), mirror)
}

// convolve filters with a kernel that is symmetric in both directions.
func convolve(r, kernel raster) raster {
	const negligible = 1e-7 // the softened disc's far tails
	out := newRaster(r.h, r.w, r.c)
	reach, c, n := kernel.w/2, r.c, r.w*r.c
	wide := newRaster(r.h, r.w+2*reach, c) // padded on the left and right
	for y := range r.h {
		source, line := r.row(y), wide.row(y)
		for x := range wide.w {
			copy(line[x*c:][:c], source[mirror(x-reach, r.w)*c:])
		}
	}
	for y := range r.h {
		target := out.row(y)
		for j := range reach + 1 {
			above, below := wide.row(mirror(y-j, r.h)), wide.row(mirror(y+j, r.h))
			for i, weight := range kernel.row(reach + j) {
				switch {
				case weight < negligible:
				case j == 0:
					add(target, above[i*c:][:n], weight)
				default:
					addPair(target, above[i*c:][:n], below[i*c:][:n], weight)
				}
			}
		}
	}
	return out
}
