package digits

import (
	"math/rand/v2"

	"ffslab/data"
)

// paint returns the pixels of scene i: the background, the objects of its layout, and noise over
// all of it.
func (g *generator) paint(i int) *data.Pixels {
	r := data.RandomStream(g.seed, g.split, uint64(i), purposePaint)
	c := g.scenery(g.size, r)
	for _, o := range g.layout(i) {
		c.object(&o, r)
	}
	return c.develop(r)
}

// scenery returns a scene without objects.
func (v *version) scenery(size int, r *rand.Rand) *canvas {
	c := newCanvas(v, size)
	c.background(r)
	c.clutter(r)
	return c
}

// object paints an object in a colour that can be told from what lies under it, a little brighter
// at one end.
func (c *canvas) object(o *object, r *rand.Rand) {
	ink := c.visibleColour(o, r)
	shade := float32(between(r, -c.shade, c.shade))
	for y := range o.height {
		light := shade * (2*float32(y)/float32(o.height) - 1)
		tone := colour{ink[0] + light, ink[1] + light, ink[2] + light}
		for x := range o.width {
			if alpha := o.opacity[y*o.width+x]; alpha > 0 {
				c.blend(x+o.at.X, y+o.at.Y, tone, float32(alpha)/255)
			}
		}
	}
}

// visibleColour draws colours until one differs from nearly all that surrounds the object, of
// whatever the place is made.
func (c *canvas) visibleColour(o *object, r *rand.Rand) colour {
	const (
		contrast = 95   // distance that is seen at once
		similar  = 0.04 // part of the surroundings that may be nearer
		tries    = 40
		grid     = 12 // the surroundings are looked at in grid x grid places
	)
	b := o.box().Inset(-2)
	var around [grid * grid]colour
	for i := range around {
		x, y := b.Min.X+(2*(i%grid)+1)*b.Dx()/(2*grid), b.Min.Y+(2*(i/grid)+1)*b.Dy()/(2*grid)
		around[i] = c.at(min(max(x, 0), c.size-1), min(max(y, 0), c.size-1))
	}
	var best colour
	fewest := len(around) + 1
	for range tries {
		candidate := c.ink(r)
		near := 0
		for _, a := range around {
			if a.squaredDistance(candidate) < contrast*contrast {
				near++
			}
		}
		if near < fewest {
			best, fewest = candidate, near
		}
		if float64(near) <= similar*float64(len(around)) {
			break
		}
	}
	return best
}
