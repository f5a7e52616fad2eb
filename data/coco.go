package data

import (
	"errors"
	"fmt"
	"slices"
)

// cocoFile holds the parts of a COCO annotation file that detection needs. Numbers of boxes stay floats throughout: the
// original truncates them to integers when the file happens to write integers.
type cocoFile struct {
	Images []struct {
		ID       *ID    `json:"id"`
		FileName string `json:"file_name"`
		Width    int    `json:"width"`
		Height   int    `json:"height"`
	} `json:"images"`
	Categories []struct {
		ID   *ID    `json:"id"`
		Name string `json:"name"`
	} `json:"categories"`
	Annotations []cocoAnnotation `json:"annotations"`
}

type cocoAnnotation struct {
	ID         *ID       `json:"id"`
	ImageID    *ID       `json:"image_id"`
	CategoryID *ID       `json:"category_id"`
	BBox       []float64 `json:"bbox"` // x, y, width, height
	Area       *float64  `json:"area"`
	IsCrowd    int       `json:"iscrowd"`
}

// ReadCOCO reads a COCO annotation file; the pictures lie in imagesDir under their file_name. Categories are numbered in
// the order of their ids, as detectron2 does. Images without objects are kept. Boxes alone count: segmentations, polygons or run
// lengths, are not looked at. Annotations with iscrowd become crowd regions. A box that sticks out of its picture by less than one
// pixel is clipped (annotation tools round); one of size zero is kept (COCO's own files hold some) and left to the
// transforms, which drop empty boxes.
//
// An error is one line that names the file and the record: JSON that is cut short or not JSON (NaN is not), no images,
// categories or annotations, ids or category names that occur twice, an annotation of an unknown image or category, a box
// that is incomplete, of negative size or outside its picture, a missing picture or one outside imagesDir.
func ReadCOCO(annotations, imagesDir string) (*Dataset, error) {
	var file cocoFile
	if err := readJSON(annotations, &file); err != nil {
		return nil, err
	}
	d, err := file.dataset(imagesDir)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", annotations, err)
	}
	d.Annotations = annotations
	return d, nil
}

func (file *cocoFile) dataset(imagesDir string) (*Dataset, error) {
	switch {
	case len(file.Images) == 0:
		return nil, errors.New("no images: a detection set is an object with the lists images, annotations and categories")
	case len(file.Categories) == 0:
		return nil, errors.New("no categories: list the classes under \"categories\", each with id and name")
	case len(file.Annotations) == 0:
		return nil, errors.New("no annotations: a detection set needs boxes (single images may be without objects)")
	}
	d := &Dataset{ImagesDir: imagesDir}
	category, err := file.categories(d)
	if err != nil {
		return nil, err
	}
	images, err := file.images(d, imagesDir)
	if err != nil {
		return nil, err
	}
	seen := make(map[ID]int, len(file.Annotations))
	for i := range file.Annotations {
		a := &file.Annotations[i]
		name := fmt.Sprintf("annotations[%d]", i)
		if a.ID != nil {
			name += fmt.Sprintf(" (id %v)", *a.ID)
			if first, twice := seen[*a.ID]; twice {
				return nil, fmt.Errorf("%s: annotations[%d] has the same id; ids must differ", name, first)
			}
			seen[*a.ID] = i
		}
		if a.ImageID == nil || a.CategoryID == nil {
			return nil, fmt.Errorf("%s: image_id or category_id is missing", name)
		}
		at, ok := images[*a.ImageID]
		if !ok {
			return nil, fmt.Errorf("%s: image_id %v is not among the images", name, *a.ImageID)
		}
		class, ok := category[*a.CategoryID]
		if !ok {
			return nil, fmt.Errorf("%s: category_id %v is not among the categories", name, *a.CategoryID)
		}
		im := &d.Images[at]
		box, err := a.box(im.Width, im.Height)
		if err != nil {
			return nil, fmt.Errorf("%s: %w (image %s, %dx%d)", name, err, im.File, im.Width, im.Height)
		}
		area := boxArea(box)
		if a.Area != nil {
			area = *a.Area
		}
		im.Instances = append(im.Instances, Instance{Box: box, Category: class, Crowd: a.IsCrowd != 0, Area: area})
	}
	return d, nil
}

// categories fills d.Categories and returns the index of each id.
func (file *cocoFile) categories(d *Dataset) (map[ID]int, error) {
	names := map[string]bool{}
	for i, c := range file.Categories {
		if c.ID == nil || c.Name == "" {
			return nil, fmt.Errorf("categories[%d]: id or name is missing", i)
		}
		if names[c.Name] {
			return nil, fmt.Errorf("categories[%d] (id %v): the name %q occurs twice", i, *c.ID, c.Name)
		}
		names[c.Name] = true
		d.Categories = append(d.Categories, Category{ID: *c.ID, Name: c.Name})
	}
	slices.SortFunc(d.Categories, func(a, b Category) int { return a.ID.Compare(b.ID) })
	index := make(map[ID]int, len(d.Categories))
	for i, c := range d.Categories {
		if _, twice := index[c.ID]; twice {
			return nil, fmt.Errorf("categories: id %v occurs twice", c.ID)
		}
		index[c.ID] = i
	}
	return index, nil
}

// images fills d.Images, checks that every picture is there (better now than in the tenth hour of a training) and returns the index of each id.
func (file *cocoFile) images(d *Dataset, dir string) (map[ID]int, error) {
	index := make(map[ID]int, len(file.Images))
	d.Images = make([]Image, len(file.Images))
	for i, im := range file.Images {
		if im.ID == nil || im.FileName == "" {
			return nil, fmt.Errorf("images[%d]: id or file_name is missing", i)
		}
		name := fmt.Sprintf("images[%d] (id %v, %s)", i, *im.ID, im.FileName)
		if first, twice := index[*im.ID]; twice {
			return nil, fmt.Errorf("%s: images[%d] has the same id; ids must differ", name, first)
		}
		index[*im.ID] = i
		path, err := findPicture(dir, im.FileName)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if im.Width == 0 && im.Height == 0 { // some tools leave the size out
			if im.Height, im.Width, err = ReadSize(path); err != nil {
				return nil, fmt.Errorf("%s: width and height are missing, and the picture does not tell them (%w)", name, err)
			}
		}
		if im.Width <= 0 || im.Height <= 0 {
			return nil, fmt.Errorf("%s: a picture cannot be %d wide and %d high", name, im.Width, im.Height)
		}
		d.Images[i] = Image{ID: *im.ID, File: path, Width: im.Width, Height: im.Height}
	}
	return index, nil
}

// box checks the annotation's box against its picture and returns it as corners.
func (a *cocoAnnotation) box(width, height int) ([4]float64, error) {
	if len(a.BBox) != 4 {
		return [4]float64{}, fmt.Errorf("bbox %v has %d numbers, not the 4 of [x, y, width, height]", a.BBox, len(a.BBox))
	}
	x, y, w, h := a.BBox[0], a.BBox[1], a.BBox[2], a.BBox[3]
	if w < 0 || h < 0 {
		return [4]float64{}, fmt.Errorf("bbox %v has a negative size; it must be [x, y, width, height]", a.BBox)
	}
	box, ok := clipBox([4]float64{x, y, x + w, y + h}, width, height)
	if !ok {
		return [4]float64{}, fmt.Errorf("bbox %v = [x, y, width, height] lies outside the image", a.BBox)
	}
	return box, nil
}
