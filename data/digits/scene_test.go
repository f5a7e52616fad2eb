package digits

import (
	"image"
	"math"
	"slices"
	"testing"

	"ffslab/data"
)

func testGenerator(t *testing.T, v *version) *generator {
	t.Helper()
	classes, err := digitClasses(testWriters, 0, firstUnknown)
	if err != nil {
		t.Fatal(err)
	}
	return &generator{version: v, split: 1, size: 192, least: 1, classes: classes}
}

func TestLayout(t *testing.T) {
	eachVersion(t, testLayout)
}

func eachVersion(t *testing.T, test func(t *testing.T, g *generator)) {
	for _, v := range []*version{&first, &second} {
		t.Run(v.name, func(t *testing.T) { test(t, testGenerator(t, v)) })
	}
}

func testLayout(t *testing.T, g *generator) {
	const scenes = 400
	var counts [maxObjects + 1]int
	var heights []float64
	classes := make([]int, len(g.classes))
	for i := range scenes {
		objects := g.layout(i)
		counts[len(objects)]++
		for j, o := range objects {
			heights = append(heights, float64(o.tight.Dy()))
			classes[o.class]++
			if !o.box().In(image.Rect(0, 0, g.size, g.size)) {
				t.Errorf("scene %d: object %d at %v is not inside", i, j, o.box())
			}
			for _, other := range objects[:j] {
				common := area(o.box().Intersect(other.box()))
				if iou := common / (area(o.box()) + area(other.box()) - common); iou > maxIoU {
					t.Errorf("scene %d: two boxes with an IoU of %.2f", i, iou)
				}
			}
			if got := visibleBox(objects, j); got != o.visible {
				t.Errorf("scene %d: object %d has the box %v, but %v of it can be seen", i, j, o.visible, got)
			}
		}
	}
	if counts[0] > 0 || slices.Min(counts[1:]) < scenes/20 {
		t.Errorf("scenes by number of objects: %v", counts)
	}
	if low := slices.Min(classes); low < len(heights)/len(classes)/2 {
		t.Errorf("objects by class: %v", classes)
	}
	slices.Sort(heights)
	// Drawn heights meet the pixel grid: one or two pixels, or a few percent, beyond the limits are
	// possible.
	if low, high := heights[0], heights[len(heights)-1]; low < 0.85*g.heights[0] || high > 1.05*g.heights[1]+2 {
		t.Errorf("heights from %v to %v, want %v", low, high, g.heights)
	}
	// Large objects find a place less often, so the median lies a little under that of the
	// log-uniform distribution.
	if median, want := heights[len(heights)/2], math.Sqrt(g.heights[0]*g.heights[1]); median < 0.8*want || median > 1.05*want {
		t.Errorf("median height %v, want about %v", median, want)
	}
}

// visibleBox computes anew, pixel by pixel, what can be seen of object j.
func visibleBox(objects []object, j int) (visible image.Rectangle) {
	isSolid := func(o *object, p image.Point) bool {
		p = p.Sub(o.at)
		return p.In(image.Rect(0, 0, o.width, o.height)) && o.opacity[p.Y*o.width+p.X] >= solid
	}
	b := objects[j].box()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			hidden := slices.ContainsFunc(objects[j+1:], func(o object) bool { return isSolid(&o, image.Pt(x, y)) })
			if isSolid(&objects[j], image.Pt(x, y)) && !hidden {
				visible = visible.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return visible
}

// What painting an object changes is inside its box and reaches all four sides of it, and can be
// seen.
func TestBoxesFitThePixels(t *testing.T) {
	eachVersion(t, testBoxesFitThePixels)
}

func testBoxesFitThePixels(t *testing.T, g *generator) {
	objects, faint := 0, 0
	for i := range 60 {
		r := data.RandomStream(0, 0, uint64(i))
		c := g.scenery(g.size, r)
		for j, o := range g.layout(i) {
			before := slices.Clone(c.pixels)
			c.object(&o, r)
			var changed image.Rectangle
			solidPixels, contrast := 0.0, 0.0
			for p := range c.pixels {
				distance := math.Sqrt(float64(before[p].squaredDistance(c.pixels[p])))
				at := image.Pt(p%g.size, p/g.size)
				if distance > 40 { // about half of the least contrast: half covered
					changed = changed.Union(image.Rectangle{at, at.Add(image.Pt(1, 1))})
				}
				if at.In(o.box()) && o.opacity[(at.Y-o.at.Y)*o.width+at.X-o.at.X] == 255 {
					solidPixels++
					contrast += distance
				}
			}
			objects++
			if solidPixels > 0 && contrast/solidPixels < 70 {
				faint++
			}
			if !changed.In(o.box().Inset(-2)) || !o.box().Inset(2).In(changed) {
				t.Errorf("scene %d: object %d has the box %v, but its paint lies in %v", i, j, o.box(), changed)
			}
		}
	}
	if faint > objects/100 {
		t.Errorf("%d of %d objects can hardly be seen", faint, objects)
	}
}
