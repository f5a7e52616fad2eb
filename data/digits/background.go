package digits

import (
	"math"
	"math/rand/v2"
)

// background fills the canvas with a gradient and soft noise of two grains. All of it is smooth, so
// it is computed at the points of a grid and interpolated between them.
func (c *canvas) background(r *rand.Rand) {
	const cell, coarse = 12, 4 // pixels between the points; points between those of the coarse noise
	n := c.size/cell + 2       // points a side
	m := n/coarse + 2
	gradient := c.gradient(r)
	large, small := noise(r, m*m, between(r, 0, c.coarse)), noise(r, n*n, between(r, 0, c.fine))
	points := make([]colour, n*n)
	for i := range points {
		x, y := i%n, i/n
		p := gradient.at(float64(cell*x)/float64(c.size), float64(cell*y)/float64(c.size))
		soft := bilinear(large, m, float32(x)/coarse, float32(y)/coarse)
		for j := range p {
			points[i][j] = p[j] + soft[j] + small[i][j]
		}
	}
	row := make([]colour, n)
	for y := range c.size {
		upper, lower := points[y/cell*n:][:n], points[(y/cell+1)*n:][:n]
		for i := range row {
			row[i] = upper[i].mix(lower[i], float32(y%cell)/cell)
		}
		pixels := c.pixels[y*c.size:][:c.size]
		for x := range pixels {
			pixels[x] = row[x/cell].mix(row[x/cell+1], float32(x%cell)/cell)
		}
	}
}

// bilinear returns the colour at x, y, in points, of a grid with n points a side.
func bilinear(points []colour, n int, x, y float32) colour {
	i, j := int(x), int(y)
	upper, lower := points[j*n+i:], points[(j+1)*n+i:]
	t := x - float32(i)
	return upper[0].mix(upper[1], t).mix(lower[0].mix(lower[1], t), y-float32(j))
}

// noise returns n independent colours around 0.
func noise(r *rand.Rand, n int, amplitude float64) []colour {
	out := make([]colour, n)
	for i := range out {
		for j := range out[i] {
			out[i][j] = float32(between(r, -amplitude, amplitude))
		}
	}
	return out
}

// gradient goes from one colour to another, along a line or outwards from a point. Lengths are in
// sides of the canvas.
type gradient struct {
	from, to         colour
	centreX, centreY float64
	sin, cos         float64 // of the line's direction
	radial           bool
}

// gradient returns a gradient between two related colours.
func (v *version) gradient(r *rand.Rand) gradient {
	g := gradient{from: v.ground(r), centreX: r.Float64(), centreY: r.Float64(), radial: r.IntN(2) == 1}
	g.to = v.related(g.from, r)
	g.sin, g.cos = math.Sincos(2 * math.Pi * r.Float64())
	return g
}

func (g *gradient) at(x, y float64) colour {
	dx, dy := x-g.centreX, y-g.centreY
	t := 0.5 + g.cos*dx + g.sin*dy
	if g.radial {
		t = math.Hypot(dx, dy)
	}
	return g.from.mix(g.to, float32(min(max(t, 0), 1)))
}

// clutter draws what a detector has to leave alone: lines through the whole scene, and groups of
// strokes as thick as those of the objects. No group can be read as a digit or a letter of the
// sets: single short strokes (a 1), rings (a 0) and smooth curves do not occur.
func (c *canvas) clutter(r *rand.Rand) {
	for range r.IntN(c.lines + 1) {
		c.line(r)
	}
	groups := []func(*rand.Rand, float64, float64, float64, float64, colour){c.hatching, c.zigzag, c.star, c.dots}
	for range r.IntN(c.groups + 1) {
		side := 12 * math.Pow(5, r.Float64()) // 12 to 60 pixels
		// A group lies inside the scene: cut off at the edge it could leave a single stroke.
		x, y := between(r, side/2, float64(c.size)-side/2), between(r, side/2, float64(c.size)-side/2)
		width := side * between(r, 0.05, 0.12)
		groups[r.IntN(len(groups))](r, x, y, side, max(width, 1), c.distractor(r, c.at(int(x), int(y))))
	}
}

// line draws a line from edge to edge.
func (c *canvas) line(r *rand.Rand) {
	size := float64(c.size)
	x0, y0, x1, y1 := size*r.Float64(), -2.0, size*r.Float64(), size+2
	if r.IntN(2) == 1 {
		x0, y0, x1, y1 = y0, x0, y1, x1
	}
	c.stroke(x0, y0, x1, y1, between(r, 0.7, c.lineWidth), c.ink(r), float32(between(r, c.lineAlpha[0], c.lineAlpha[1])))
}

// hatching draws parallel strokes close together.
func (c *canvas) hatching(r *rand.Rand, x, y, side, width float64, ink colour) {
	sin, cos := math.Sincos(math.Pi * r.Float64())
	n := 4 + r.IntN(4)
	for i := range n {
		across := side * (float64(i)/float64(n-1) - 0.5)
		along := side * between(r, 0.3, 0.5)
		midX, midY := x-sin*across, y+cos*across
		c.stroke(midX-cos*along, midY-sin*along, midX+cos*along, midY+sin*along, width, ink, 1)
	}
}

// zigzag draws the teeth of a saw, unevenly.
func (c *canvas) zigzag(r *rand.Rand, x, y, side, width float64, ink colour) {
	sin, cos := math.Sincos(math.Pi * r.Float64())
	n := 6 + r.IntN(5)
	var lastX, lastY float64
	for i := range n {
		along, across := side*(float64(i)/float64(n-1)-0.5), side*between(r, 0.1, 0.4)
		if i%2 == 1 {
			across = -across
		}
		nextX, nextY := x+cos*along-sin*across, y+sin*along+cos*across
		if i > 0 {
			c.stroke(lastX, lastY, nextX, nextY, width, ink, 1)
		}
		lastX, lastY = nextX, nextY
	}
}

// star draws strokes that cross in one point.
func (c *canvas) star(r *rand.Rand, x, y, side, width float64, ink colour) {
	turn, n := math.Pi*r.Float64(), 3+r.IntN(3)
	for i := range n {
		sin, cos := math.Sincos(turn + math.Pi*float64(i)/float64(n))
		c.stroke(x-cos*side/2, y-sin*side/2, x+cos*side/2, y+sin*side/2, width, ink, 1)
	}
}

// dots draws some discs.
func (c *canvas) dots(r *rand.Rand, x, y, side, width float64, ink colour) {
	for range 3 + r.IntN(5) {
		atX, atY := x+side*between(r, -0.5, 0.5), y+side*between(r, -0.5, 0.5)
		c.stroke(atX, atY, atX, atY, width*between(r, 1, 3), ink, 1)
	}
}
