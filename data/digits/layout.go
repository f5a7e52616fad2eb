package digits

import (
	"image"
	"math/rand/v2"

	"ffslab/data"
)

// What a random stream is for. The boxes do not depend on how the pixels are painted.
const (
	purposeLayout = iota
	purposePaint
)

// Limits to how much objects may hide each other.
const (
	maxObjects    = 6
	maxIoU        = 0.15 // of two boxes
	maxCover      = 0.4  // part of the smaller box that lies in the other
	minVisible    = 0.85 // part of an object's solid pixels that stays on top
	placementTrys = 30   // positions tried before an object is left out
)

// object is a shape at its place in a scene. Later objects of a scene lie on top of earlier ones.
type object struct {
	shape
	class   int         // index into the generator's classes
	at      image.Point // of the shape's upper left corner
	visible image.Rectangle
}

// box is the tight box of the whole object, whatever lies on it.
func (o *object) box() image.Rectangle { return o.tight.Add(o.at) }

// layout returns the objects of scene i: which, in which pose, where.
func (g *generator) layout(i int) []object {
	r := data.RandomStream(g.seed, g.split, uint64(i), purposeLayout)
	s := scene{size: g.size, owner: make([]uint8, g.size*g.size)}
	for range g.least + r.IntN(maxObjects-g.least+1) {
		class := r.IntN(len(g.classes))
		glyphs := g.classes[class].glyphs
		o := object{class: class, shape: draw(&glyphs[r.IntN(len(glyphs))], randomPose(r, g.heights))}
		s.place(o, r)
	}
	s.findVisible()
	return s.objects
}

// scene remembers which object is on top of each pixel while objects are placed.
type scene struct {
	size    int
	objects []object
	owner   []uint8             // [size, size] 1 + the object's index, 0 for the background
	onTop   [maxObjects + 1]int // by owner: pixels that it owns
}

// place puts the object where it fits, or leaves it out. The first always fits.
func (s *scene) place(o object, r *rand.Rand) {
	const border = 1 // pixels between an object and the scene's edge
	freeX, freeY := s.size-2*border-o.tight.Dx(), s.size-2*border-o.tight.Dy()
	if freeX < 0 || freeY < 0 {
		return
	}
	for range placementTrys {
		o.at = image.Pt(border+r.IntN(freeX+1), border+r.IntN(freeY+1)).Sub(o.tight.Min)
		if !s.fits(&o) {
			continue
		}
		s.objects = append(s.objects, o)
		me := uint8(len(s.objects))
		o.eachSolid(s.size, func(p int) {
			s.onTop[s.owner[p]]--
			s.owner[p] = me
		})
		s.onTop[me] = o.area
		return
	}
}

func (s *scene) fits(o *object) bool {
	for i := range s.objects {
		a, b := s.objects[i].box(), o.box()
		common := area(a.Intersect(b))
		if common > maxIoU*(area(a)+area(b)-common) || common > maxCover*min(area(a), area(b)) {
			return false
		}
	}
	var covered [maxObjects + 1]int // by owner
	o.eachSolid(s.size, func(p int) { covered[s.owner[p]]++ })
	for i := range s.objects {
		if visible := s.onTop[i+1] - covered[i+1]; float64(visible) < minVisible*float64(s.objects[i].area) {
			return false
		}
	}
	return true
}

// eachSolid calls f with the index, in a scene of that size, of each solid pixel.
func (o *object) eachSolid(size int, f func(p int)) {
	for y := o.tight.Min.Y; y < o.tight.Max.Y; y++ {
		for x := o.tight.Min.X; x < o.tight.Max.X; x++ {
			if o.opacity[y*o.width+x] >= solid {
				f((y+o.at.Y)*size + x + o.at.X)
			}
		}
	}
}

// findVisible sets each object's box to what can be seen of it.
func (s *scene) findVisible() {
	for p, owner := range s.owner {
		if owner > 0 {
			x, y := p%s.size, p/s.size
			o := &s.objects[owner-1]
			o.visible = o.visible.Union(image.Rect(x, y, x+1, y+1))
		}
	}
}

func area(r image.Rectangle) float64 { return float64(r.Dx() * r.Dy()) }
