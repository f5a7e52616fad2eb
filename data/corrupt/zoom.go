package corrupt

import (
	"math"
	"math/rand/v2"

	"ffslab/data"
)

// zoomBlur averages the picture with copies enlarged by 1 to 1.11, 1.15, 1.2, 1.24, 1.3 in steps of
// 0.01, 0.01, 0.02, 0.02, 0.03. (The benchmark writes the first as a range that ends before 1.11,
// but rounding includes 1.11; so does this.)
func zoomBlur(p *data.Pixels, severity int, _ *rand.Rand) *data.Pixels {
	steps := [...]int{12, 16, 11, 13, 11}[severity-1]
	step := [...]float64{0.01, 0.01, 0.02, 0.02, 0.03}[severity-1]
	step = (1 + step) - 1 // as in NumPy's range; the last bit decides where the picture is cut
	clean := fromPixels(p)
	out := newRaster(clean.h, clean.w, clean.c)
	share := 1 / float32(steps+1)
	add(out.v, clean.v, share)
	for i := range steps {
		addZoomed(out, clean, 1+float64(float64(i)*step), share) // the conversion prevents a fused multiply-add
	}
	return out.pixels()
}

// zoomed returns the centre of the picture, enlarged to the size of the picture.
func zoomed(r raster, factor float64) raster {
	out := newRaster(r.h, r.w, r.c)
	addZoomed(out, r, factor, 1)
	return out
}

// addZoomed adds the enlarged centre of a picture with a weight.
func addZoomed(target, r raster, factor float64, weight float32) {
	across, down := zoomTaps(r.w, factor), zoomTaps(r.h, factor)
	line := make([]float32, r.w*r.c)
	for y, tap := range down {
		weigh(line, r.row(tap.first), weight*(1-tap.second))
		if tap.second > 0 {
			add(line, r.row(tap.first+1), weight*tap.second)
		}
		out := target.row(y)
		for x, tap := range across {
			for j := range r.c {
				i := tap.first*r.c + j
				v := line[i]
				if tap.second > 0 {
					v += tap.second * (line[i+r.c] - v)
				}
				out[x*r.c+j] += v
			}
		}
	}
}

// zoomTap says where a pixel of an enlarged line comes from: from pixel first and the next one,
// whose weight is second.
type zoomTap struct {
	first  int
	second float32
}

// zoomTaps returns where the n pixels of an enlarged line come from. The central part is cut out,
// enlarged so that its outermost pixels stay outermost, and cut to n pixels.
func zoomTaps(n int, factor float64) []zoomTap {
	cut := int(math.Ceil(float64(n) / factor))
	enlarged := int(math.RoundToEven(float64(cut) * factor))
	begin, trim := (n-cut)/2, (enlarged-n)/2
	scale := 0.0
	if enlarged > 1 {
		scale = float64(cut-1) / float64(enlarged-1)
	}
	taps := make([]zoomTap, n)
	for i := range taps {
		at := min(float64(i+trim)*scale, float64(cut-1))
		first := int(at)
		taps[i] = zoomTap{begin + first, float32(at - float64(first))}
		if begin+first == n-1 {
			taps[i].second = 0 // there is no next pixel; only rounding could ask for it
		}
	}
	return taps
}
