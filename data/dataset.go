// Package data turns pictures with boxes into the batches that a detector trains and is measured on.
//
// The way of the data: a spec ("coco:ANN.json,IMAGES_DIR", "digits:train") is opened as a [Dataset]; a [Transform]
// resizes, flips and clips each picture with its boxes; [Train] and [Eval] make padded batches of them on other cores.
// The package knows nothing of models: a [Batch] is plain host arrays.
package data

import (
	"fmt"
	"image"
	"os"
)

// Dataset is a set of pictures with the objects in them.
type Dataset struct {
	Name       string     // the spec it was opened from
	Categories []Category // the classes; Instance.Category indexes them
	Images     []Image
}

// Category is one class of objects.
type Category struct {
	ID   int64 // the annotation file's id; a results file has to use it
	Name string
}

// Image is one picture and what is in it. The pixels are read, or rendered, when Decode is called.
type Image struct {
	ID            int64
	File          string // path of the picture's file; for a generated picture only a name
	Width, Height int    // pixels
	Instances     []Instance
	// Render makes the pixels of a generated picture; nil means that File is read. It must be safe to call from many
	// goroutines and return the same pixels every time.
	Render func() (*Pixels, error)
}

// Instance is one annotated object.
type Instance struct {
	Box      [4]float64 // x0, y0, x1, y1 in pixels of the picture, continuous coordinates: x1 - x0 is the width
	Category int        // index into Dataset.Categories
	Crowd    bool       // a region of many objects: not trained on, and detections in it count neither way
	Area     float64    // square pixels, the object's own (its mask's) where the annotation tells it, else the box's
}

// Decode returns the picture's pixels. The error names the file: it cannot be read, is cut short, or its size is not the
// annotated one.
func (im *Image) Decode() (*Pixels, error) {
	if im.Render != nil {
		return im.Render()
	}
	p, err := ReadFile(im.File)
	if err != nil {
		return nil, err
	}
	if p.Width != im.Width || p.Height != im.Height {
		return nil, fmt.Errorf("%s: the picture is %dx%d (width x height), its annotation says %dx%d: annotate the file that is used",
			im.File, p.Width, p.Height, im.Width, im.Height)
	}
	return p, nil
}

// ReadFile decodes a JPEG or PNG file of any colour model. The error names the file.
func ReadFile(path string) (*Pixels, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	img, _, err := image.Decode(f)
	if err != nil {
		return nil, fmt.Errorf("%s: cannot be decoded (%w): the file is damaged, cut short or neither JPEG nor PNG", path, err)
	}
	return FromImage(img), nil
}

// WithClasses returns the data set with its categories in the order of names, which is the order of a model's logits. A
// name that the set does not know becomes a category without objects (id 0). An annotated category that is not among the names is an error.
func (d *Dataset) WithClasses(names []string) (*Dataset, error) {
	index := make(map[string]int, len(names))
	out := &Dataset{Name: d.Name, Categories: make([]Category, len(names)), Images: make([]Image, len(d.Images))}
	for i, name := range names {
		index[name] = i
		out.Categories[i] = Category{Name: name}
	}
	for _, c := range d.Categories {
		if i, ok := index[c.Name]; ok {
			out.Categories[i] = c
		}
	}
	for i, im := range d.Images {
		instances := make([]Instance, len(im.Instances))
		for j, inst := range im.Instances {
			name := d.Categories[inst.Category].Name
			class, ok := index[name]
			if !ok {
				return nil, fmt.Errorf("%s: image %d (%s) holds a %q, which is none of the model's classes %q", d.Name, im.ID, im.File, name, names)
			}
			inst.Category = class
			instances[j] = inst
		}
		im.Instances = instances
		out.Images[i] = im
	}
	return out, nil
}
