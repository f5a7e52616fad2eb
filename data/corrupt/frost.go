package corrupt

import (
	"math"
	"math/rand/v2"

	"ffslab/data"
)

// frost adds ice: 1, 0.8, 0.7, 0.65, 0.6 of the picture and 0.4, 0.6, 0.7, 0.7, 0.75 of the ice.
// The benchmark takes a random part of one of five photographs of frost; ours is drawn (see ice).
func frost(p *data.Pixels, severity int, random *rand.Rand) *data.Pixels {
	picture := [...]float32{1, 0.8, 0.7, 0.65, 0.6}[severity-1]
	cover := [...]float32{0.4, 0.6, 0.7, 0.7, 0.75}[severity-1]
	out := fromPixels(p)
	for i, v := range ice(p.Height, p.Width, random).v {
		out.v[i] = picture*out.v[i] + cover*v
	}
	return out.pixels()
}

// ice returns frost on a window, [h, w, 3]: a cloudy film, and fern-like crystals that grow into
// the picture, mostly from its edges. It is drawn for a shorter side of at most 240 pixels and
// enlarged, so that crystals have the same relative size, and take the same time, in every picture.
func ice(h, w int, random *rand.Rand) raster {
	scale := max(float64(min(h, w))/240, 1)
	crystals := newRaster(int(math.Ceil(float64(h)/scale)), int(math.Ceil(float64(w)/scale)), 1)
	for range crystals.h * crystals.w / 1200 {
		growFern(crystals, random)
	}
	glow := gaussian(crystals, 2.5, 3, nearest)
	film := plasma(crystals.h, crystals.w, 1.5, random)
	small := newRaster(crystals.h, crystals.w, 3)
	for i, cloud := range film.v {
		v := min(0.1+0.6*cloud*cloud+0.5*crystals.v[i]+0.7*glow.v[i], 1)
		// Thin ice is blue, thick ice white.
		small.v[3*i], small.v[3*i+1], small.v[3*i+2] = min(v*(1.12-0.12*v), 1), v, v*(0.8+0.2*v)
	}
	if scale == 1 {
		return small
	}
	return resample(small, h, w, nearest, func(y, x int) (float64, float64) {
		return (float64(y)+0.5)/scale - 0.5, (float64(x)+0.5)/scale - 0.5
	})
}

// growFern draws a curved stem that starts mostly at an edge, with two orders of branches on both
// sides.
func growFern(r raster, random *rand.Rand) {
	y, x := float64(r.h)*random.Float64(), float64(r.w)*random.Float64()
	angle := 2 * math.Pi * random.Float64()
	if random.IntN(4) > 0 {
		switch random.IntN(4) {
		case 0:
			y, angle = 0, math.Pi*random.Float64() // downwards
		case 1:
			y, angle = float64(r.h), -math.Pi*random.Float64()
		case 2:
			x, angle = 0, math.Pi*(random.Float64()-0.5)
		default:
			x, angle = float64(r.w), math.Pi*(random.Float64()+0.5)
		}
	}
	length := float64(min(r.h, r.w)) * (0.15 + 0.45*random.Float64())
	bend := (random.Float64() - 0.5) / length
	growBranch(r, y, x, angle, bend, length, 2, random)
}

// growBranch draws a branch with the given length in pixels, which turns by bend radians per pixel
// and carries branches of smaller order.
func growBranch(r raster, y, x, angle, bend, length float64, order int, random *rand.Rand) {
	const step = 0.5 // pixels
	spacing := 6 * (0.7 + 0.6*random.Float64())
	if order == 1 {
		spacing /= 1.8
	}
	next := spacing
	for at := 0.0; at < length; at += step {
		rest := 1 - at/length
		splat(r, y, x, float32(0.35+0.65*rest)*[...]float32{0.55, 0.75, 1}[order])
		if order > 0 && at >= next {
			next += spacing
			for _, side := range [2]float64{-1, 1} {
				turn := side * (math.Pi/3 + 0.1*(random.Float64()-0.5))
				growBranch(r, y, x, angle+turn, -side*0.2/length, 0.35*length*rest*(0.6+0.6*random.Float64()), order-1, random)
			}
		}
		sin, cos := math.Sincos(angle)
		y, x, angle = y+step*sin, x+step*cos, angle+bend*step
	}
}

// splat brightens the four pixels around a point to at least v, weighted by nearness. It ignores
// pixels outside the picture.
func splat(r raster, y, x float64, v float32) {
	floorY, floorX := math.Floor(y), math.Floor(x)
	ty, tx := float32(y-floorY), float32(x-floorX)
	for i, weightY := range [2]float32{1 - ty, ty} {
		for j, weightX := range [2]float32{1 - tx, tx} {
			row, column := int(floorY)+i, int(floorX)+j
			if row >= 0 && column >= 0 && row < r.h && column < r.w {
				at := &r.v[row*r.w+column]
				*at = max(*at, v*weightY*weightX)
			}
		}
	}
}
