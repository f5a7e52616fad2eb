package data

import (
	"cmp"
	"fmt"
	"slices"
)

// Canvas is the padded size that the pictures of a batch share. Each canvas is compiled once, so
// there should be few.
type Canvas struct{ Height, Width int }

// Canvases converts pairs of height and width in pixels.
func Canvases(sizes [][2]int) []Canvas {
	canvases := make([]Canvas, len(sizes))
	for i, size := range sizes {
		canvases[i] = Canvas{Height: size[0], Width: size[1]}
	}
	return canvases
}

func (c Canvas) holds(h, w int) bool { return h <= c.Height && w <= c.Width }

// Batch is the input of one step, as host arrays in row-major order. B is the batch size, M the
// maximum number of boxes of an image, [H, W] the canvas.
type Batch struct {
	Step      int // number in the stream, from 0
	BatchSize int // B
	MaxBoxes  int // M
	Canvas    Canvas
	Images    []uint8   // [B, H, W, 3] BGR, each picture in the upper left corner, padded with 0
	Sizes     []int32   // [B, 2] true height and width of each picture on the canvas
	Boxes     []float32 // [B, M, 4] x0, y0, x1, y1 in pixels of the canvas, without crowd regions
	Classes   []int32   // [B, M]
	Valid     []bool    // [B, M] which of the M entries hold an object
	Ignored   []bool    // [B, M] which of the others hold an ignored region, without a class (see Image.Ignored)
	// Sources are the origins of the pictures. In the last batches of an evaluation there may be
	// fewer than B; the rows after them repeat the last picture, without objects, to keep the
	// shape.
	Sources []Source
	Dropped int // objects and ignored regions beyond M; the largest M of a picture are kept, objects before regions
}

// Source is the origin of a picture in a batch, with what maps detections back to it.
type Source struct {
	Index          int     // image in the data set
	Height, Width  int     // of the original picture
	ScaleY, ScaleX float64 // pixels of the canvas per pixel of the original
	Flip           bool    // mirrored after the resize
}

// recipe says how a picture is put into a batch.
type recipe struct {
	index     int
	transform Transform
}

// newBatch allocates the batch for pictures whose sizes are known without decoding them. The canvas
// is the smallest that holds all of them.
func newBatch(d *Dataset, recipes []recipe, cfg *Config) (*Batch, error) {
	size, boxes := cfg.BatchSize, cfg.BatchSize*cfg.MaxBoxes
	b := &Batch{BatchSize: size, MaxBoxes: cfg.MaxBoxes, Sizes: make([]int32, 2*size), Boxes: make([]float32, 4*boxes), Classes: make([]int32, boxes),
		Valid: make([]bool, boxes), Ignored: make([]bool, boxes), Sources: make([]Source, len(recipes))}
	height, width := 0, 0
	for i := range size {
		r := recipes[min(i, len(recipes)-1)]
		im := &d.Images[r.index]
		h, w := r.transform.Size(im.Height, im.Width)
		height, width = max(height, h), max(width, w)
		b.Sizes[2*i], b.Sizes[2*i+1] = int32(h), int32(w)
		if i < len(recipes) {
			b.Sources[i] = Source{Index: r.index, Height: im.Height, Width: im.Width,
				ScaleY: float64(h) / float64(im.Height), ScaleX: float64(w) / float64(im.Width), Flip: r.transform.Flip}
		}
	}
	var err error
	if b.Canvas, err = smallestCanvas(cfg.Canvases, height, width); err != nil {
		return nil, err
	}
	b.Images = make([]uint8, 3*size*b.Canvas.Height*b.Canvas.Width)
	return b, nil
}

// smallestCanvas returns the canvas of the least area that holds a picture, the first of equal
// ones.
func smallestCanvas(canvases []Canvas, h, w int) (Canvas, error) {
	fitting := slices.DeleteFunc(slices.Clone(canvases), func(c Canvas) bool { return !c.holds(h, w) })
	if len(fitting) == 0 {
		return Canvas{}, fmt.Errorf("no canvas of %v holds a resized picture of %dx%d (height x width): add one to input.canvases, or lower the sizes that images are resized to",
			canvases, h, w)
	}
	return slices.MinFunc(fitting, func(a, b Canvas) int { return cmp.Compare(a.Height*a.Width, b.Height*b.Width) }), nil
}

// fill decodes the picture of recipe r into row i, with its objects, and returns how many objects
// did not fit. Different rows may be filled concurrently.
func (b *Batch) fill(i int, d *Dataset, r recipe) (dropped int, err error) {
	im := &d.Images[r.index]
	if err := b.draw(i, im, r.transform); err != nil {
		return 0, err
	}
	if i == len(b.Sources)-1 {
		for row := i + 1; row < b.BatchSize; row++ {
			copy(b.picture(row), b.picture(i))
		}
	}
	instances := slices.DeleteFunc(r.transform.Instances(im.Instances, im.Height, im.Width), func(o Instance) bool { return o.Crowd })
	regions := r.transform.Instances(im.Ignored, im.Height, im.Width)
	kept := largest(instances, b.MaxBoxes)
	ignored := largest(regions, b.MaxBoxes-len(kept))
	first := i * b.MaxBoxes
	for j, o := range kept {
		b.put(first+j, o)
		b.Classes[first+j], b.Valid[first+j] = int32(o.Category), true
	}
	for j, o := range ignored {
		b.put(first+len(kept)+j, o)
		b.Ignored[first+len(kept)+j] = true
	}
	return len(instances) - len(kept) + len(regions) - len(ignored), nil
}

// put stores the box of an object at an index.
func (b *Batch) put(at int, o Instance) {
	for k, v := range o.Box {
		b.Boxes[4*at+k] = float32(v)
	}
}

// draw decodes and transforms a picture within the memory limit for pictures.
func (b *Batch) draw(i int, im *Image, t Transform) error {
	release, err := pictures.hold(im.File, im.Height, im.Width)
	if err != nil {
		return err
	}
	defer release()
	pixels, err := im.Decode()
	if err != nil {
		return err
	}
	b.paint(i, t.Pixels(pixels))
	return nil
}

// picture returns row i of Images, [H, W, 3].
func (b *Batch) picture(i int) []uint8 {
	n := 3 * b.Canvas.Height * b.Canvas.Width
	return b.Images[i*n:][:n]
}

func (b *Batch) paint(i int, p *Pixels) {
	target := b.picture(i)
	for y := range p.Height {
		copy(target[3*y*b.Canvas.Width:], p.Data[3*y*p.Width:][:3*p.Width])
	}
}

// largest returns the n instances with the largest boxes, in their original order.
func largest(instances []Instance, n int) []Instance {
	if len(instances) <= n {
		return instances
	}
	area := func(i int) float64 {
		b := instances[i].Box
		return (b[2] - b[0]) * (b[3] - b[1])
	}
	order := make([]int, len(instances))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int { return cmp.Compare(area(j), area(i)) })
	order = order[:n]
	slices.Sort(order)
	kept := make([]Instance, n)
	for i, from := range order {
		kept[i] = instances[from]
	}
	return kept
}
