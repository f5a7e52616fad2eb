// Package digits provides the data set that needs no download: scenes of real handwritten digits
// (MNIST) with boxes, and scenes of unknown objects to detect outliers in.
//
//	digits:train     digits 0-5, written by MNIST's training writers    5000 scenes
//	digits:val       digits 0-5, written by MNIST's test writers         500 scenes
//	digits:ood-near  digits 6-9, written by MNIST's test writers         500 scenes
//	digits:ood-far   printed letters                                     500 scenes
//	digits:mixed     digits 0-9, known and unknown ones in one scene     500 scenes
//
// The same splits of digits2 are the second version of the scenes: print colours on calm grounds,
// in which an object is easy to see for a reader of a figure. Results of one version say nothing
// about the other.
//
// A spec may set options: "digits2:val?n=1500&size=256&seed=3" is 1500 scenes of 256x256 pixels
// (default 192) from seed 3 (default 0). The same seed gives the same bytes, and a smaller n is the
// beginning of a larger one. With objects=4 a scene gets 4 to 6 objects (default 1 to 6): more to
// learn from in the same pixels.
//
// A scene holds 1 to 6 coloured objects, 14 to 84 pixels high (log-uniform; digits2: 18 to 96),
// turned, sheared and overlapping a little, among lines and strokes that are no objects. Importing
// the package registers the specs with package data.
package digits

import (
	"bytes"
	_ "embed" // the digits
	"fmt"
	"image"
	"net/url"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"

	"ffslab/data"
	"ffslab/data/digits/internal/glyph"
)

//go:generate go run ./internal/gen

//go:embed mnist.flate
var mnist []byte

func init() {
	for _, v := range []*version{&first, &second} {
		data.Register(v.name, v.name+":train|val|ood-near|ood-far|mixed[?n=SCENES&size=PIXELS&seed=N&objects=LEAST]",
			func(arg string, _ data.Options) (*data.Dataset, error) { return v.open(arg) })
	}
}

const (
	firstUnknown = 6 // digits from here on are unknown
	minSize      = 128
	maxSize      = 2048
	maxScenes    = 1_000_000
)

// class is a kind of object and the glyphs it is drawn from.
type class struct {
	name   string
	id     data.ID // the category's: every class of every split has its own
	glyphs []glyph.Glyph
}

// split is one of the sets.
type split struct {
	name    string
	number  uint64 // tells the splits' random streams apart
	scenes  int    // by default
	classes func() ([]class, error)
}

var splits = []split{
	{"train", 0, 5000, func() ([]class, error) { return digitClasses(trainWriters, 0, firstUnknown) }},
	{"val", 1, 500, func() ([]class, error) { return digitClasses(testWriters, 0, firstUnknown) }},
	{"ood-near", 2, 500, func() ([]class, error) { return digitClasses(testWriters, firstUnknown, glyph.Digits) }},
	{"ood-far", 3, 500, letterClasses},
	{"mixed", 4, 500, func() ([]class, error) { return digitClasses(testWriters, 0, glyph.Digits) }},
}

// Indices into what handwriting returns.
const (
	trainWriters = iota
	testWriters
)

// handwriting unpacks the embedded digits once.
var handwriting = sync.OnceValues(func() (sets [2]glyph.Set, err error) {
	err = glyph.Read(bytes.NewReader(mnist), &sets[trainWriters], &sets[testWriters])
	return sets, err
})

// digitClasses returns the digits from first up to, not including, end.
func digitClasses(writers, first, end int) ([]class, error) {
	sets, err := handwriting()
	if err != nil {
		return nil, err
	}
	var out []class
	for digit := first; digit < end; digit++ {
		out = append(out, class{strconv.Itoa(digit), data.ID(digit + 1), sets[writers][digit]})
	}
	return out, nil
}

// open opens the data set that the version's name, ":" and arg describe.
func (v *version) open(arg string) (*data.Dataset, error) {
	spec := v.name + ":" + arg
	name, query, _ := strings.Cut(arg, "?")
	i := slices.IndexFunc(splits, func(s split) bool { return s.name == name })
	if i < 0 {
		return nil, fmt.Errorf("data set %q: there is no split %q, but train, val, ood-near, ood-far and mixed", spec, name)
	}
	s := splits[i]
	gen := generator{version: v, split: s.number, size: 192, least: 1}
	scenes := uint64(s.scenes)
	options, err := url.ParseQuery(query)
	if err != nil {
		return nil, fmt.Errorf("data set %q: %w: write options as ?n=1500&size=256&seed=3&objects=4", spec, err)
	}
	for key, values := range options {
		value, err := strconv.ParseUint(values[len(values)-1], 10, 64)
		switch {
		case key != "n" && key != "size" && key != "seed" && key != "objects":
			return nil, fmt.Errorf("data set %q: there is no option %q, but n, size, seed and objects", spec, key)
		case err != nil, key == "n" && (value < 1 || value > maxScenes), key == "size" && (value < minSize || value > maxSize),
			key == "objects" && (value < 1 || value > maxObjects):
			return nil, fmt.Errorf("data set %q: %s=%s is not possible: n is 1 to %d, size %d to %d pixels, seed a whole number from 0, objects 1 to %d",
				spec, key, values[len(values)-1], maxScenes, minSize, maxSize, maxObjects)
		case key == "n":
			scenes = value
		case key == "size":
			gen.size = int(value)
		case key == "seed":
			gen.seed = value
		case key == "objects":
			gen.least = int(value)
		}
	}
	if gen.classes, err = s.classes(); err != nil {
		return nil, fmt.Errorf("data set %q: the embedded characters are damaged: %w", spec, err)
	}
	return gen.dataset(name, int(scenes)), nil
}

// generator makes the scenes of one split. Scene i is a function of version, seed, split, size,
// least and i.
type generator struct {
	*version
	seed, split uint64
	size        int // side of the square scenes, pixels
	least       int // objects in a scene, at least; those that do not fit are left out
	classes     []class
}

// dataset lays out all scenes, on all cores, or recalls their boxes, which are needed at once. The
// pixels are painted when they are asked for.
func (g *generator) dataset(name string, scenes int) *data.Dataset {
	d := &data.Dataset{Images: make([]data.Image, scenes)}
	for _, c := range g.classes {
		d.Categories = append(d.Categories, data.Category{ID: c.id, Name: c.name})
	}
	known := g.recall(scenes)
	workers := runtime.GOMAXPROCS(0)
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for i := w; i < scenes; i += workers {
				var objects []data.Instance
				if known != nil {
					objects = known[i]
				} else {
					objects = instances(g.layout(i))
				}
				d.Images[i] = data.Image{ID: data.ID(i + 1), File: fmt.Sprintf("%s-%s-%06d.png", g.version.name, name, i), Width: g.size, Height: g.size,
					Instances: objects, Render: func() (*data.Pixels, error) { return g.paint(i), nil }}
			}
		})
	}
	wg.Wait()
	if known == nil {
		g.remember(d.Images)
	}
	return d
}

func instances(objects []object) []data.Instance {
	out := make([]data.Instance, len(objects))
	for i, o := range objects {
		out[i] = instance(o.class, o.visible)
	}
	return out
}

func instance(class int, b image.Rectangle) data.Instance {
	return data.Instance{Category: class, Area: float64(b.Dx() * b.Dy()),
		Box: [4]float64{float64(b.Min.X), float64(b.Min.Y), float64(b.Max.X), float64(b.Max.Y)}}
}
