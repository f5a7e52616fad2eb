// Package data turns pictures with boxes into the batches that a detector trains and is measured on.
//
// The way of the data: a spec ("coco_ood_val", "voc:VOCdevkit/VOC2007,test", "digits:train") is opened as a [Dataset], by a reader
// for each published format; [MakeSplit] separates known from unknown objects, [WriteCOCO] writes any set as COCO JSON. A [Transform]
// resizes, flips and clips each picture with its boxes; [Train] and [Eval] make padded batches of them on other cores.
// The package knows nothing of models: a [Batch] is plain host arrays.
package data

import (
	"fmt"

	"ffslab/data/box"
)

// Dataset is a set of pictures with the objects in them.
type Dataset struct {
	Name        string     // the spec it was opened from
	Annotations string     // the file or folder that the objects were read from; empty for a generated set
	ImagesDir   string     // the folder under which the pictures lie; empty for a generated set
	Categories  []Category // the classes; Instance.Category indexes them
	Images      []Image
	Notes       []string // what the reader left out or changed, one sentence each, for people
}

// Category is one class of objects.
type Category struct {
	ID   ID // the annotation file's id; a results file has to use it
	Name string
}

// Image is one picture and what is in it. The pixels are read, or rendered, when Decode is called.
type Image struct {
	ID            ID
	File          string // path of the picture's file; for a generated picture only a name
	Width, Height int    // pixels
	Instances     []Instance
	// Render makes the pixels of a generated picture; nil means that File is read. It must be safe to call from many
	// goroutines and return the same pixels every time.
	Render func() (*Pixels, error)
}

// Instance is one annotated object.
type Instance struct {
	Box      box.Corners // in pixels of the picture
	Category int         // index into Dataset.Categories
	Crowd    bool        // a region of many objects, or one too difficult: not trained on, and detections in it count neither way
	Area     float64     // square pixels, the object's own (its mask's) where the annotation tells it, else the box's
}

// Decode returns the picture's pixels. The error names the file: it cannot be read, is cut short, or its size is not the
// annotated one, which is that of the upright picture (see [ReadFile]).
func (im *Image) Decode() (*Pixels, error) {
	if im.Render != nil {
		return im.Render()
	}
	p, err := ReadFile(im.File)
	if err != nil {
		return nil, err
	}
	if p.Width != im.Width || p.Height != im.Height {
		remedy := "annotate the file that is used"
		if p.Width == im.Height && p.Height == im.Width {
			remedy += ", as it looks after its EXIF orientation is applied"
		}
		return nil, fmt.Errorf("%s: the picture is %dx%d (width x height), its annotation says %dx%d: %s",
			im.File, p.Width, p.Height, im.Width, im.Height, remedy)
	}
	return p, nil
}

// WithClasses returns the data set with its categories in the order of names, which is the order of a model's logits. A
// name that the set does not know becomes a category without objects (id 0). An annotated category that is not among the names is an error.
func (d *Dataset) WithClasses(names []string) (*Dataset, error) {
	index := make(map[string]int, len(names))
	out := &Dataset{Name: d.Name, Annotations: d.Annotations, ImagesDir: d.ImagesDir, Notes: d.Notes,
		Categories: make([]Category, len(names)), Images: make([]Image, len(d.Images))}
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
				return nil, fmt.Errorf("%s: image %v (%s) holds a %q, which is none of the model's classes %q", d.Name, im.ID, im.File, name, names)
			}
			inst.Category = class
			instances[j] = inst
		}
		im.Instances = instances
		out.Images[i] = im
	}
	return out, nil
}

// note adds a sentence that begins with a count, unless it is 0.
func (d *Dataset) note(count int, sentence string) {
	if count > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("%d %s", count, sentence))
	}
}
