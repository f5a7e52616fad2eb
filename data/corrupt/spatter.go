package corrupt

import (
	"math/rand/v2"

	"ffslab/data"
)

// spatter splashes water (severities 1 to 3) or mud (4 and 5) onto the lens where smoothed noise
// exceeds a threshold.
func spatter(p *data.Pixels, severity int, random *rand.Rand) *data.Pixels {
	c := [...]struct {
		mean, deviation, sigma float64 // of the noise and its smoothing
		threshold              float32
	}{
		{0.65, 0.3, 4, 0.69},
		{0.65, 0.3, 3, 0.68},
		{0.65, 0.3, 2, 0.68},
		{0.65, 0.3, 1, 0.65},
		{0.67, 0.4, 1, 0.65},
	}[severity-1]
	liquid := gaussian(normalLayer(p.Height, p.Width, c.mean, c.deviation, random), c.sigma, 4, nearest)
	for i, v := range liquid.v {
		if v < c.threshold {
			liquid.v[i] = 0
		}
	}
	if severity <= 3 {
		return water(fromPixels(p), liquid, [...]float32{0.6, 0.6, 0.5}[severity-1]).pixels()
	}
	return mud(fromPixels(p), liquid).pixels()
}

// mud covers the picture with brown where a blurred drop is thick enough.
func mud(r, liquid raster) raster {
	for i, v := range liquid.v {
		if v > 0 {
			liquid.v[i] = 1
		}
	}
	brown := [3]float32{20. / 255, 42. / 255, 63. / 255} // blue, green, red
	for i, cover := range gaussian(liquid, 1.5, 4, nearest).v {
		if cover < 0.8 {
			continue
		}
		for j, v := range brown {
			r.v[3*i+j] = (1-cover)*r.v[3*i+j] + cover*v
		}
	}
	return r
}

// water adds pale turquoise to the picture, at most the given share: in proportion to the thickness
// of the drop times a relief of the distance to the nearest edge, so that drops seem to be lit from
// one side.
func water(r, liquid raster, share float32) raster {
	for i, v := range liquid.v {
		liquid.v[i] = float32(int(255 * min(v, 1))) // as 8-bit levels, for the edges
	}
	shine := relief(liquid)
	most := float32(0)
	for i, v := range liquid.v {
		shine.v[i] *= v
		most = max(most, shine.v[i])
	}
	if most == 0 {
		return r // no drop
	}
	turquoise := [3]float32{238. / 255, 238. / 255, 175. / 255} // blue, green, red
	for i, v := range shine.v {
		for j, colour := range turquoise {
			r.v[3*i+j] += share * v / most * colour
		}
	}
	return r
}

// relief returns, from 0 to 255, a lit relief of the distances to the edges in a layer of levels.
func relief(layer raster) raster {
	const farthest = 20 // pixels
	distance := distances(edges(layer, 50, 150), layer.h, layer.w, farthest)
	third := []float32{1. / 3, 1. / 3}
	distance = separable(distance, third, mirror)
	for i, v := range distance.v {
		distance.v[i] = float32(int(v + 1e-4)) // whole pixels, despite rounding
	}
	return separable(emboss(equalize(distance)), third, mirror)
}

// equalize spreads levels of 0 to 255 so that each becomes the share of pixels that are lower or
// equal. A single level stays unchanged.
func equalize(layer raster) raster {
	var count [256]int
	for _, v := range layer.v {
		count[int(v)]++
	}
	lowest := 0
	for count[lowest] == 0 {
		lowest++
	}
	others := len(layer.v) - count[lowest]
	if others == 0 {
		return layer
	}
	var table [256]float32
	sum := 0
	for v := lowest + 1; v < 256; v++ {
		sum += count[v]
		table[v] = float32(int(255*float64(sum)/float64(others) + 0.5))
	}
	out := newRaster(layer.h, layer.w, 1)
	for i, v := range layer.v {
		out.v[i] = table[int(v)]
	}
	return out
}

// emboss lights a layer of 0 to 255 from the lower right.
func emboss(layer raster) raster {
	weights := [3][3]float32{{-2, -1, 0}, {-1, 1, 1}, {0, 1, 2}}
	out := newRaster(layer.h, layer.w, 1)
	for y := range layer.h {
		target := out.row(y)
		for i, line := range weights {
			source := layer.row(mirror(y+i-1, layer.h))
			for x := range target {
				for j, weight := range line {
					target[x] += weight * source[mirror(x+j-1, layer.w)]
				}
			}
		}
		for x, v := range target {
			target[x] = min(max(v, 0), 255)
		}
	}
	return out
}
