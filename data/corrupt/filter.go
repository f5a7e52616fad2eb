package corrupt

import (
	"math"
	"math/rand/v2"

	"ffslab/data"
)

// gaussianBlur blurs with a sigma of 1, 2, 3, 4, 6 pixels.
func gaussianBlur(p *data.Pixels, severity int, _ *rand.Rand) *data.Pixels {
	sigma := [...]float64{1, 2, 3, 4, 6}[severity-1]
	return gaussian(fromPixels(p), sigma, 4, nearest).pixels()
}

// gaussian filters with a Gaussian that is cut off at truncate sigmas.
func gaussian(r raster, sigma, truncate float64, edge border) raster {
	return separable(r, gaussianTaps(sigma, int(truncate*sigma+0.5)), edge)
}

// gaussianTaps returns the right half of the weights of a Gaussian from its centre, radius+1 of
// them. All 2*radius+1 weights add up to 1.
func gaussianTaps(sigma float64, radius int) []float32 {
	taps := make([]float64, radius+1)
	total := 0.0
	for i := range taps {
		taps[i] = math.Exp(-0.5 * float64(i*i) / (sigma * sigma))
		total += 2 * taps[i]
	}
	total -= taps[0]
	half := make([]float32, len(taps))
	for i, t := range taps {
		half[i] = float32(t / total)
	}
	return half
}

// separable filters rows, then columns, with the symmetric kernel whose right half is given.
func separable(r raster, half []float32, edge border) raster {
	return columns(rows(r, half, edge), half, edge)
}

func rows(r raster, half []float32, edge border) raster {
	out := newRaster(r.h, r.w, r.c)
	radius, c, n := len(half)-1, r.c, r.w*r.c
	line := make([]float32, n+2*radius*c) // padded row
	for y := range r.h {
		source, target := r.row(y), out.row(y)
		copy(line[radius*c:], source)
		for i := 1; i <= radius; i++ {
			copy(line[(radius-i)*c:][:c], source[edge(-i, r.w)*c:])
			copy(line[(radius+r.w-1+i)*c:][:c], source[edge(r.w-1+i, r.w)*c:])
		}
		weigh(target, line[radius*c:][:n], half[0])
		for i := 1; i <= radius; i++ {
			addPair(target, line[(radius-i)*c:][:n], line[(radius+i)*c:][:n], half[i])
		}
	}
	return out
}

func columns(r raster, half []float32, edge border) raster {
	out := newRaster(r.h, r.w, r.c)
	for y := range r.h {
		target := out.row(y)
		weigh(target, r.row(y), half[0])
		for i := 1; i < len(half); i++ {
			addPair(target, r.row(edge(y-i, r.h)), r.row(edge(y+i, r.h)), half[i])
		}
	}
	return out
}

func weigh(target, source []float32, weight float32) {
	source = source[:len(target)]
	for i := range target {
		target[i] = weight * source[i]
	}
}

// add adds the source with a weight.
func add(target, source []float32, weight float32) {
	source = source[:len(target)]
	for i := range target {
		target[i] += weight * source[i]
	}
}

// addPair adds two sources with one weight.
func addPair(target, a, b []float32, weight float32) {
	a, b = a[:len(target)], b[:len(target)]
	for i := range target {
		target[i] += weight * (a[i] + b[i])
	}
}
