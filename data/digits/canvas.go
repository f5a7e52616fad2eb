package digits

import (
	"math"
	"math/rand/v2"

	"ffslab/data"
)

// colour is blue, green, red, 0..255.
type colour [3]float32

func randomColour(r *rand.Rand) colour {
	return colour{255 * r.Float32(), 255 * r.Float32(), 255 * r.Float32()}
}

// squaredDistance weighs the channels as the eye does, roughly: green counts most, blue least. The
// weights add up to 3.
func (a colour) squaredDistance(b colour) float32 {
	blue, green, red := a[0]-b[0], a[1]-b[1], a[2]-b[2]
	return 0.5*blue*blue + 1.5*green*green + red*red
}

// mix returns a at t = 0 and b at t = 1.
func (a colour) mix(b colour, t float32) colour {
	return colour{a[0] + (b[0]-a[0])*t, a[1] + (b[1]-a[1])*t, a[2] + (b[2]-a[2])*t}
}

// canvas is a square picture in the making.
type canvas struct {
	*version
	size   int
	pixels []colour // [size, size]
}

func newCanvas(v *version, size int) *canvas { return &canvas{v, size, make([]colour, size*size)} }

func (c *canvas) at(x, y int) colour { return c.pixels[y*c.size+x] }

// blend lays a colour over a pixel; outside the canvas it does nothing.
func (c *canvas) blend(x, y int, ink colour, alpha float32) {
	if x < 0 || y < 0 || x >= c.size || y >= c.size {
		return
	}
	p := &c.pixels[y*c.size+x]
	*p = p.mix(ink, alpha)
}

// stroke draws a straight line with round ends.
func (c *canvas) stroke(x0, y0, x1, y1, width float64, ink colour, alpha float32) {
	if math.Abs(y1-y0) > math.Abs(x1-x0) {
		c.strokeAlong(y0, x0, y1, x1, width, func(y, x int, cover float32) { c.blend(x, y, ink, alpha*cover) })
	} else {
		c.strokeAlong(x0, y0, x1, y1, width, func(x, y int, cover float32) { c.blend(x, y, ink, alpha*cover) })
	}
}

// strokeAlong walks along the axis u, which the line follows more than v, and visits the pixels
// near the line only.
func (c *canvas) strokeAlong(u0, v0, u1, v1, width float64, visit func(u, v int, cover float32)) {
	if u0 > u1 {
		u0, v0, u1, v1 = u1, v1, u0, v0
	}
	radius := width/2 + 0.5 // the edge pixel is half covered
	du, dv := u1-u0, v1-v0
	length2 := max(du*du+dv*dv, 1e-9)
	reach := 1.5*radius + 1 // across v, for a slope of at most 1
	for u := max(int(u0-radius), 0); u <= min(int(u1+radius), c.size-1); u++ {
		pu := float64(u) + 0.5
		middle := v0 + dv*min(max((pu-u0)/max(du, 1e-9), 0), 1)
		for v := max(int(middle-reach), 0); v <= min(int(middle+reach), c.size-1); v++ {
			pv := float64(v) + 0.5
			t := min(max(((pu-u0)*du+(pv-v0)*dv)/length2, 0), 1)
			distance := math.Hypot(pu-u0-t*du, pv-v0-t*dv)
			if cover := min(radius-distance, 1); cover > 0 {
				visit(u, v, float32(cover))
			}
		}
	}
}

// develop returns the 8-bit picture, with the noise of a camera: of triangular distribution,
// independent in pixels and channels.
func (c *canvas) develop(r *rand.Rand) *data.Pixels {
	strength := float32(between(r, 0, c.grain)) / 512
	out := data.NewPixels(c.size, c.size)
	for i, p := range c.pixels {
		bits := r.Uint64()
		for channel, v := range p {
			noise := float32(bits&1023) + float32(bits>>10&1023) - 1023
			bits >>= 20
			out.Data[3*i+channel] = uint8(min(max(v+strength*noise+0.5, 0), 255))
		}
	}
	return out
}
