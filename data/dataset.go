// Package data turns pictures with boxes into the batches that a detector trains and is measured
// on.
//
// A spec ("coco_ood_val", "voc:VOCdevkit/VOC2007,test", "digits:train") is opened as a [Dataset] by
// a reader for each published format. [MakeSplit] and [HoldOut] separate known from unknown
// objects; [WriteCOCO] writes any set as COCO JSON. A [Transform] resizes, flips and clips each
// picture with its boxes; [Train] and [Eval] make padded batches of them on several cores. The
// package does not depend on models: a [Batch] holds plain host arrays.
package data

import (
	"fmt"

	"ffslab/data/box"
)

// Dataset is a set of images with their objects.
type Dataset struct {
	Name        string     // given name (NAME=SPEC), or else Spec
	Spec        string     // spec it was opened from; empty means Name
	Annotations string     // file or folder of the annotations; empty for a generated set
	ImagesDir   string     // folder of the pictures; empty for a generated set
	Categories  []Category // classes, indexed by Instance.Category
	Images      []Image
	Notes       []string   // what the reader left out or changed, one sentence each
	Skipped     []BadImage // images left out by [Options.SkipBad]
	Unlabelled  bool       // objects are not annotated: images without objects may hold some
	Kept        *Kept      // other content of its file, such as info and licenses; nil without [Options.Keep]
}

// Category is one class of objects.
type Category struct {
	ID   ID // in the annotation file; results files must use it
	Name string
	// Absent says that the annotation file does not list the class: only the model knows it, and
	// the file does not use ID.
	Absent bool
	Kept   *Kept // other content of its record; nil without [Options.Keep]
}

// Image is a picture with its objects. Decode reads or renders the pixels.
type Image struct {
	ID            ID
	File          string // path of the picture; only a name for a generated one
	Width, Height int    // pixels
	Instances     []Instance
	Ignored       []Instance // regions that are neither objects nor background in training (see [Dataset.ForTraining])
	Kept          *Kept      // other content of its record; nil without [Options.Keep]
	// Render renders the pixels of a generated picture; if nil, File is read. It must be safe for
	// concurrent use and return the same pixels every time.
	Render func() (*Pixels, error)
}

// Instance is one annotated object.
type Instance struct {
	Box      box.Corners // in pixels of the picture
	Category int         // index into Dataset.Categories
	Crowd    bool        // a region of many objects, or one too difficult: not trained on, and detections in it do not count
	Area     float64     // square pixels, of the object (its mask) if annotated, or else of the box
	Kept     *Kept       // other content of its record; nil without [Options.Keep]
}

// Decode returns the pixels of the picture. It is an error, which names the file, if the file
// cannot be read, is truncated, or does not have the annotated size, which is that of the upright
// picture (see [ReadFile]).
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

// WithClasses returns the data set with its categories in the order of names, the order of a
// model's logits. A name that the set does not list becomes an absent category without objects; its
// id is the lowest positive integer that is not used. An annotated object of any other category is
// an error: an inlier set holds no unknown objects (see [Dataset.ForTraining]).
func (d *Dataset) WithClasses(names []string) (*Dataset, error) {
	index := make(map[string]int, len(names))
	out := *d
	out.Categories, out.Images = make([]Category, len(names)), make([]Image, len(d.Images))
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
				return nil, fmt.Errorf("%s: image %v (%s) holds a %q, which is none of the model's classes %q: measure a set with unknown objects as an outlier set; training accepts it (train.unknown)", d.Name, im.ID, im.File, name, names)
			}
			inst.Category = class
			instances[j] = inst
		}
		im.Instances = instances
		out.Images[i] = im
	}
	return &out, nil
}

// ClassNames returns the names of the categories, in their order.
func (d *Dataset) ClassNames() []string {
	names := make([]string, len(d.Categories))
	for i, c := range d.Categories {
		names[i] = c.Name
	}
	return names
}

// Indices returns the index of the image with each id.
func (d *Dataset) Indices() map[ID]int {
	index := make(map[ID]int, len(d.Images))
	for i := range d.Images {
		index[d.Images[i].ID] = i
	}
	return index
}

// WithoutObjects returns the names of the categories without an object in any image; crowd regions
// do not count.
func (d *Dataset) WithoutObjects() []string {
	seen := make([]bool, len(d.Categories))
	for i := range d.Images {
		for _, o := range d.Images[i].Instances {
			seen[o.Category] = seen[o.Category] || !o.Crowd
		}
	}
	var names []string
	for i, name := range d.ClassNames() {
		if !seen[i] {
			names = append(names, name)
		}
	}
	return names
}

// note adds a sentence that begins with a count, unless the count is 0.
func (d *Dataset) note(count int, sentence string) {
	if count > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("%d %s", count, sentence))
	}
}
