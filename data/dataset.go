// Package data turns pictures with boxes into the batches that a detector trains and is measured on.
//
// The way of the data: a spec ("coco_ood_val", "voc:VOCdevkit/VOC2007,test", "digits:train") is opened as a [Dataset], by a reader
// for each published format; [MakeSplit] and [HoldOut] separate known from unknown objects, [WriteCOCO] writes any set as COCO JSON. A [Transform]
// resizes, flips and clips each picture with its boxes; [Train] and [Eval] make padded batches of them on other cores.
// The package knows nothing of models: a [Batch] is plain host arrays.
package data

import (
	"fmt"

	"ffslab/data/box"
)

// Dataset is a set of pictures with the objects in them.
type Dataset struct {
	Name        string     // the name that it was given (NAME=SPEC), or else the spec it was opened from
	Spec        string     // the spec it was opened from; empty: Name
	Annotations string     // the file or folder that the objects were read from; empty for a generated set
	ImagesDir   string     // the folder under which the pictures lie; empty for a generated set
	Categories  []Category // the classes; Instance.Category indexes them
	Images      []Image
	Notes       []string   // what the reader left out or changed, one sentence each, for people
	Skipped     []BadImage // the images that [Options.SkipBad] has left out
	Unlabelled  bool       // nobody has marked the objects: that an image has none says nothing
	Kept        *Kept      // what else its file says, such as info and licenses; nil without [Options.Keep]
}

// Category is one class of objects.
type Category struct {
	ID   ID // the annotation file's id; a results file has to use it
	Name string
	// Absent says that the annotation file does not list the class: the model alone knows it, and ID is one that the file does not use.
	Absent bool
	Kept   *Kept // what else its file says of the class; nil without [Options.Keep]
}

// Image is one picture and what is in it. The pixels are read, or rendered, when Decode is called.
type Image struct {
	ID            ID
	File          string // path of the picture's file; for a generated picture only a name
	Width, Height int    // pixels
	Instances     []Instance
	Ignored       []Instance // regions that training counts neither as objects nor as background (see [Dataset.ForTraining])
	Kept          *Kept      // what else its file says of the image; nil without [Options.Keep]
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
	Kept     *Kept       // what else its file says of the object; nil without [Options.Keep]
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
		return nil, fmt.Errorf("%s: %s", im.File, otherSize(p.Width, p.Height, im))
	}
	return p, nil
}

// WithClasses returns the data set with its categories in the order of names, which is the order of a model's logits. A
// name that the set does not list becomes an absent category without objects; its id is the lowest positive integer that no other category has, of the set or of
// those before it. An annotated category that is not among the names is an error: an inlier set holds no unknown objects (see [Dataset.ForTraining]).
func (d *Dataset) WithClasses(names []string) (*Dataset, error) {
	index := make(map[string]int, len(names))
	out := &Dataset{Name: d.Name, Spec: d.Spec, Annotations: d.Annotations, ImagesDir: d.ImagesDir, Notes: d.Notes, Skipped: d.Skipped, Unlabelled: d.Unlabelled,
		Categories: make([]Category, len(names)), Images: make([]Image, len(d.Images))}
	for i, name := range names {
		index[name] = i
		out.Categories[i] = Category{Name: name, Absent: true}
	}
	taken := make(map[ID]bool, len(d.Categories))
	for _, c := range d.Categories {
		taken[c.ID] = true
		if i, ok := index[c.Name]; ok {
			out.Categories[i] = c
		}
	}
	free := ID(1)
	for i := range out.Categories {
		if !out.Categories[i].Absent {
			continue
		}
		for taken[free] {
			free++
		}
		out.Categories[i].ID, taken[free] = free, true
	}
	for i, im := range d.Images {
		instances := make([]Instance, len(im.Instances))
		for j, inst := range im.Instances {
			name := d.Categories[inst.Category].Name
			class, ok := index[name]
			if !ok {
				return nil, fmt.Errorf("%s: image %v (%s) holds a %q, which is none of the model's classes %q: measure a set with unknown objects as an outlier set; training takes it (train.unknown)", d.Name, im.ID, im.File, name, names)
			}
			inst.Category = class
			instances[j] = inst
		}
		im.Instances = instances
		out.Images[i] = im
	}
	return out, nil
}

// WithoutObjects returns the names of the categories of which no image holds an object; crowd regions do not count.
func (d *Dataset) WithoutObjects() []string {
	seen := make([]bool, len(d.Categories))
	for i := range d.Images {
		for _, o := range d.Images[i].Instances {
			seen[o.Category] = seen[o.Category] || !o.Crowd
		}
	}
	var names []string
	for i, c := range d.Categories {
		if !seen[i] {
			names = append(names, c.Name)
		}
	}
	return names
}

// note adds a sentence that begins with a count, unless it is 0.
func (d *Dataset) note(count int, sentence string) {
	if count > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("%d %s", count, sentence))
	}
}
