package corrupt

import (
	"math"
	"math/rand/v2"

	"ffslab/data"
)

// elasticTransform moves three points around the centre, and the picture with them, by up to 24.4,
// 48.8, 4.88, 4.88, 4.88 pixels, and then every pixel by smoothed noise: uniform noise of amplitude
// 488, 488, 12.2, 17.08, 29.28 pixels, filtered with a sigma of 170.8, 19.52, 2.44, 2.44, 2.44.
//
// These are the benchmark's numbers, given there as fractions of 244 (which, it remarks, should
// have been 224). They are scaled down with pictures whose shorter side is less than the
// benchmark's 224 pixels, since the three points could otherwise change places.
func elasticTransform(p *data.Pixels, severity int, random *rand.Rand) *data.Pixels {
	scale := min(float64(min(p.Height, p.Width))/224, 1)
	amplitude := [...]float64{488, 488, 12.2, 17.08, 29.28}[severity-1]
	sigma := [...]float64{170.8, 19.52, 2.44, 2.44, 2.44}[severity-1]
	move := [...]float64{24.4, 48.8, 4.88, 4.88, 4.88}[severity-1]

	r := fromPixels(p)
	back := randomAffine(r.h, r.w, move*scale, random)
	r = warp(r, mirror, func(y, x int) (float64, float64) { return back.at(float64(y), float64(x)) })

	// Smoothing weakens noise in proportion to sigma, so the amplitude scales with the square.
	shiftX, shiftY := uniformLayer(r.h, r.w, random), uniformLayer(r.h, r.w, random)
	sigma, amplitude = sigma*scale, amplitude*scale*scale
	shiftX, shiftY = smooth(shiftX, sigma), smooth(shiftY, sigma)
	r = warp(r, reflect, func(y, x int) (float64, float64) {
		i := y*r.w + x
		return float64(y) + amplitude*float64(shiftY.v[i]), float64(x) + amplitude*float64(shiftX.v[i])
	})
	return r.pixels()
}

// uniformLayer returns independent numbers from -1 to 1.
func uniformLayer(h, w int, random *rand.Rand) raster {
	layer := newRaster(h, w, 1)
	for i := range layer.v {
		layer.v[i] = 2*random.Float32() - 1
	}
	return layer
}

// smooth filters with a Gaussian that is cut off at three sigmas. From a sigma of 32 on it uses
// three running means with the same deviation, which are much faster; the difference is invisible,
// since such smooth noise moves pixels by half a pixel.
func smooth(r raster, sigma float64) raster {
	if sigma < 32 {
		return gaussian(r, sigma, 3, reflect)
	}
	radius := int(math.Sqrt(sigma*sigma + 0.25)) // three means over 2*radius+1 pixels have the variance radius*(radius+1)
	for range 3 {
		r = transpose(meanRows(transpose(meanRows(r, radius)), radius))
	}
	return r
}

// meanRows replaces every number of a layer by the mean of those within a radius in its row.
func meanRows(r raster, radius int) raster {
	out := newRaster(r.h, r.w, 1)
	for y := range r.h {
		source, target := r.row(y), out.row(y)
		sum := 0.0
		for x := -radius; x <= radius; x++ {
			sum += float64(source[reflect(x, r.w)])
		}
		for x := range target {
			target[x] = float32(sum / float64(2*radius+1))
			sum += float64(source[reflect(x+radius+1, r.w)]) - float64(source[reflect(x-radius, r.w)])
		}
	}
	return out
}

func transpose(r raster) raster {
	out := newRaster(r.w, r.h, 1)
	for y := range r.h {
		for x, v := range r.row(y) {
			out.v[x*r.h+y] = v
		}
	}
	return out
}

// affine maps a pixel of the new picture to a position in the old one: y = dy + yy*y + yx*x, and
// correspondingly x.
type affine struct{ dy, yy, yx, dx, xy, xx float64 }

func (a affine) at(y, x float64) (float64, float64) {
	return a.dy + a.yy*y + a.yx*x, a.dx + a.xy*y + a.xx*x
}

// randomAffine returns the inverse of the map that moves three corners of a square around the
// centre by up to move pixels in both directions. The sides of the square are two thirds of the
// picture's shorter side.
func randomAffine(h, w int, move float64, random *rand.Rand) affine {
	identity := affine{yy: 1, xx: 1}
	half := float64(min(h, w) / 3)
	if half == 0 {
		return identity
	}
	middleY, middleX := float64(h/2), float64(w/2)
	old := [3][2]float64{{middleY + half, middleX + half}, {middleY - half, middleX + half}, {middleY - half, middleX - half}}
	for range 100 {
		moved := old
		for i := range moved {
			for j := range moved[i] {
				moved[i][j] += move * (2*random.Float64() - 1)
			}
		}
		// Draw again if the triangle, and so the picture, would be turned inside out or vanish.
		if area(moved) > 0.1*area(old) {
			return between(moved, old)
		}
	}
	return identity
}

// area returns twice the signed area of a triangle of y, x, positive for the corners of
// randomAffine.
func area(t [3][2]float64) float64 {
	return (t[1][0]-t[0][0])*(t[2][1]-t[0][1]) - (t[1][1]-t[0][1])*(t[2][0]-t[0][0])
}

// between returns the affine map of one triangle onto another.
func between(from, to [3][2]float64) affine {
	y1, x1 := from[1][0]-from[0][0], from[1][1]-from[0][1]
	y2, x2 := from[2][0]-from[0][0], from[2][1]-from[0][1]
	det := y1*x2 - y2*x1
	coordinate := func(j int) (shift, byY, byX float64) {
		v1, v2 := to[1][j]-to[0][j], to[2][j]-to[0][j]
		byY, byX = (v1*x2-v2*x1)/det, (y1*v2-y2*v1)/det
		return to[0][j] - byY*from[0][0] - byX*from[0][1], byY, byX
	}
	var a affine
	a.dy, a.yy, a.yx = coordinate(0)
	a.dx, a.xy, a.xx = coordinate(1)
	return a
}

// warp takes every pixel from the position given by from, interpolated between four pixels.
func warp(r raster, edge border, from func(y, x int) (float64, float64)) raster {
	return resample(r, r.h, r.w, edge, from)
}

// resample is warp for a result of another size.
func resample(r raster, h, w int, edge border, from func(y, x int) (float64, float64)) raster {
	out := newRaster(h, w, r.c)
	for y := range h {
		target := out.row(y)
		for x := range w {
			atY, atX := from(y, x)
			floorY, floorX := math.Floor(atY), math.Floor(atX)
			ty, tx := float32(atY-floorY), float32(atX-floorX)
			upper, lower := r.row(edge(int(floorY), r.h)), r.row(edge(int(floorY)+1, r.h))
			left, right := edge(int(floorX), r.w)*r.c, edge(int(floorX)+1, r.w)*r.c
			for j := range r.c {
				above := upper[left+j] + tx*(upper[right+j]-upper[left+j])
				below := lower[left+j] + tx*(lower[right+j]-lower[left+j])
				target[x*r.c+j] = above + ty*(below-above)
			}
		}
	}
	return out
}
