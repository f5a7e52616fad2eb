package digits

import (
	"image"
	"math"
	"math/rand/v2"

	"ffslab/data/digits/internal/glyph"
)

const (
	// inkEdge is the ink (0..1) at which a stroke ends: a thin pen stroke does not reach full ink.
	inkEdge = 0.4
	// solid is the opacity from which on a pixel belongs to the object.
	solid = 128
)

// pose is how a glyph is distorted: about its centre, widened, sheared, then turned.
type pose struct {
	height               float64 // of the distorted ink, pixels
	angle, shear, widths float64 // radians, pixels a pixel, factor
}

func randomPose(r *rand.Rand, heights [2]float64) pose {
	return pose{
		height: heights[0] * math.Pow(heights[1]/heights[0], r.Float64()),
		angle:  between(r, -0.25, 0.25),
		shear:  between(r, -0.2, 0.2),
		widths: between(r, 0.85, 1.2),
	}
}

func between(r *rand.Rand, low, high float64) float64 { return low + (high-low)*r.Float64() }

// shape is a distorted glyph: the opacity of its pixels.
type shape struct {
	width, height int
	opacity       []uint8
	tight         image.Rectangle // around the solid pixels
	area          int             // number of solid pixels
}

// draw returns the glyph in a pose. The ink between the glyph's pixels is interpolated by a cubic,
// and its edge made as sharp at every size, so that large objects are not blurred.
func draw(g *glyph.Glyph, p pose) shape {
	sin, cos := math.Sincos(p.angle)
	// Distortion [a b; c d] of offsets from the centre, before scaling.
	a, b := cos*p.widths, cos*p.shear-sin
	c, d := sin*p.widths, sin*p.shear+cos
	centreX, centreY := float64(g.Width)/2, float64(g.Height)/2
	var spanX, spanY span
	for y := range g.Height {
		for x := range g.Width {
			if float64(g.Ink[y*g.Width+x]) >= 255*inkEdge {
				u, v := float64(x)+0.5-centreX, float64(y)+0.5-centreY
				spanX.include(a*u + b*v)
				spanY.include(c*u + d*v)
			}
		}
	}
	// The ink's edge lies about half a glyph pixel beyond the outermost centres.
	scale := p.height / (spanY.high - spanY.low + 1)
	const margin = 1.5 // glyph pixels around, for the soft edge
	left, top := scale*(spanX.low-margin), scale*(spanY.low-margin)
	s := shape{width: int(scale*(spanX.high+margin)-left) + 1, height: int(scale*(spanY.high+margin)-top) + 1}
	s.opacity = make([]uint8, s.width*s.height)

	ink := pad(g)
	sharpness := float32(max(1/(2*inkEdge), 1.3*scale)) // at least so that paper is fully transparent
	inverse := 1 / ((a*d - b*c) * scale)
	for y := range s.height {
		dy := top + float64(y) + 0.5
		for x := range s.width {
			dx := left + float64(x) + 0.5
			v := ink.at((d*dx-b*dy)*inverse+centreX-0.5, (a*dy-c*dx)*inverse+centreY-0.5)
			s.opacity[y*s.width+x] = uint8(255 * min(max(0.5+(v/255-inkEdge)*sharpness, 0), 1))
		}
	}
	s.measure()
	return s
}

// measure finds the solid pixels.
func (s *shape) measure() {
	for y := range s.height {
		for x := range s.width {
			if s.opacity[y*s.width+x] >= solid {
				s.area++
				s.tight = s.tight.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
}

// span is a range of numbers that contains 0.
type span struct{ low, high float64 }

func (s *span) include(v float64) { s.low, s.high = min(s.low, v), max(s.high, v) }

// paddedInk is a glyph with paper around it, so that interpolation needs no border cases.
type paddedInk struct {
	width, height int
	ink           []float32
	blank         []bool // no ink in the 4 x 4 pixels that begin here: half of a glyph is paper
}

const padding = 3

func pad(g *glyph.Glyph) paddedInk {
	p := paddedInk{width: g.Width + 2*padding, height: g.Height + 2*padding}
	p.ink, p.blank = make([]float32, p.width*p.height), make([]bool, p.width*p.height)
	for i := range p.blank {
		p.blank[i] = true
	}
	for y := range g.Height {
		for x := range g.Width {
			v := g.Ink[y*g.Width+x]
			at := (y+padding)*p.width + x + padding
			p.ink[at] = float32(v)
			if v > 0 {
				for k := range 4 {
					row := at - k*p.width
					p.blank[row], p.blank[row-1], p.blank[row-2], p.blank[row-3] = false, false, false, false
				}
			}
		}
	}
	return p
}

// at returns the ink at a position in glyph pixels, by Catmull-Rom interpolation; far outside there
// is none.
func (p *paddedInk) at(x, y float64) float32 {
	x, y = x+padding, y+padding
	i, j := int(x), int(y)
	if x < 1 || y < 1 || i+2 >= p.width || j+2 >= p.height {
		return 0
	}
	first := (j-1)*p.width + i - 1
	if p.blank[first] {
		return 0
	}
	wx, wy := catmullRom(float32(x-float64(i))), catmullRom(float32(y-float64(j)))
	var sum float32
	for k, w := range wy {
		row := p.ink[first+k*p.width:][:4]
		sum += w * (row[0]*wx[0] + row[1]*wx[1] + row[2]*wx[2] + row[3]*wx[3])
	}
	return sum
}

// catmullRom returns the weights of four neighbours at t, 0..1, between the second and the third.
func catmullRom(t float32) [4]float32 {
	return [4]float32{
		t * (-0.5 + t*(1-0.5*t)),
		1 + t*t*(-2.5+1.5*t),
		t * (0.5 + t*(2-1.5*t)),
		t * t * (-0.5 + 0.5*t),
	}
}
