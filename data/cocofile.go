package data

import (
	"bytes"
	"slices"

	"ffslab/data/box"
	"ffslab/data/lenient"
)

// COCOFile is the content of a COCO annotation file. [ReadCOCO] makes a data set of it, the
// evaluation of a results file its ground truth.
type COCOFile struct {
	Images      []COCOImage
	Categories  []COCOCategory
	Annotations []COCOAnnotation
	Annotated   bool // it has a list of annotations, even an empty one

	kept *Kept // other content, such as info and licenses; nil unless kept
}

// COCOImage is an image record.
type COCOImage struct {
	ID            ID
	Identified    bool // it has an id
	FileName      string
	URL           string // coco_url, or else flickr_url
	Width, Height int    // 0 if missing

	kept *Kept
}

// COCOCategory is a category record.
type COCOCategory struct {
	ID         ID
	Identified bool
	Name       string

	kept *Kept
}

// COCOAnnotation is an annotation record.
type COCOAnnotation struct {
	ID, ImageID, CategoryID         ID
	Identified, OnImage, OfCategory bool // it has an id, an image_id, a category_id
	Crowd, Boxed, Measured          bool // iscrowd is set; it has a bbox, an area
	Shaped                          bool // Box is computed from its segmentation
	Box                             box.COCO
	Area                            float64

	kept *Kept
}

var shapeBoxes = &lenient.Kind{Told: "annotations without a bbox got that of their segmentation", Fault: "bbox is missing"}

// ReadCOCOFile reads a COCO annotation file. It converts values of other types than COCO's if
// possible ("1", 1.0, true; see package lenient), and computes the box of an annotation without one
// from its segmentation, polygons or run lengths. found has the faults; the error is that of a text
// that is not JSON.
func ReadCOCOFile(path string, found *lenient.Findings) (*COCOFile, error) {
	return readCOCOFile(path, found, false)
}

// readCOCOFile is ReadCOCOFile; if keep, the records hold all content of the file.
func readCOCOFile(path string, found *lenient.Findings, keep bool) (*COCOFile, error) {
	file := &COCOFile{}
	if err := lenient.ReadJSON(path, lenient.MaxTable, found, func(j *lenient.JSON) { file.read(j, false, keep) }); err != nil {
		return nil, err
	}
	if !slices.ContainsFunc(file.Annotations, func(a COCOAnnotation) bool { return !a.Boxed }) {
		return file, nil
	}
	// Segmentations make up most of a file, so read them only if needed.
	unseen := lenient.New(false) // the first reading has reported all findings
	shaped := &COCOFile{}
	if err := lenient.ReadJSON(path, lenient.MaxTable, unseen, func(j *lenient.JSON) { shaped.read(j, true, false) }); err != nil {
		return file, err
	}
	for i := range min(len(file.Annotations), len(shaped.Annotations)) {
		kept := file.Annotations[i].kept
		file.Annotations[i] = shaped.Annotations[i]
		file.Annotations[i].kept = kept
	}
	return file, nil
}

// read reads the file, with the boxes of segmentations if shapes, and with all other content if
// keep.
func (file *COCOFile) read(j *lenient.JSON, shapes, keep bool) {
	*file = COCOFile{kept: newKept(keep)}
	j.Object(func(key []byte) {
		switch string(key) {
		case "images":
			j.List(func(int) { file.Images = append(file.Images, readCOCOImage(j, keep)) })
		case "categories":
			file.Categories = readCOCOCategories(j, keep)
		case "annotations":
			file.Annotated = j.List(func(int) { file.Annotations = append(file.Annotations, readCOCOAnnotation(j, shapes, keep)) })
		default:
			file.kept.take(j, key)
		}
	})
}

func readCOCOImage(j *lenient.JSON, keep bool) (im COCOImage) {
	im.kept = newKept(keep)
	j.Object(func(key []byte) {
		switch string(key) {
		case "id":
			im.ID, im.Identified = ReadID(j)
		case "file_name":
			im.FileName = j.Text()
		case "width":
			im.Width, _ = j.Int()
		case "height":
			im.Height, _ = j.Int()
		case "coco_url":
			im.URL = j.Text()
			im.kept.takeText(key, im.URL)
		case "flickr_url":
			url := j.Text()
			im.kept.takeText(key, url)
			if im.URL == "" {
				im.URL = url
			}
		default:
			im.kept.take(j, key)
		}
	})
	return im
}

func readCOCOCategories(j *lenient.JSON, keep bool) (categories []COCOCategory) {
	j.List(func(int) {
		c := COCOCategory{kept: newKept(keep)}
		j.Object(func(key []byte) {
			switch string(key) {
			case "id":
				c.ID, c.Identified = ReadID(j)
			case "name":
				c.Name = j.Text()
			default:
				c.kept.take(j, key)
			}
		})
		categories = append(categories, c)
	})
	return categories
}

func readCOCOAnnotation(j *lenient.JSON, shapes, keep bool) (a COCOAnnotation) {
	a.kept = newKept(keep)
	var shape box.COCO
	shaped := false
	j.Object(func(key []byte) {
		switch string(key) {
		case "id":
			a.ID, a.Identified = ReadID(j)
		case "image_id":
			a.ImageID, a.OnImage = ReadID(j)
		case "category_id":
			a.CategoryID, a.OfCategory = ReadID(j)
		case "bbox":
			a.Box, a.Boxed = ReadBox(j)
		case "area":
			a.Area, a.Measured = j.Number()
		case "iscrowd":
			a.Crowd = j.Flag()
		case "segmentation":
			if shapes {
				shape, shaped = readShape(j)
			} else {
				a.kept.take(j, key)
			}
		default:
			a.kept.take(j, key)
		}
	})
	if !a.Boxed && shaped {
		a.Box, a.Boxed, a.Shaped = shape, true, true
	}
	return a
}

// ReadBox reads the four numbers of a box. ok is false if there is none: null, or an empty list.
// Faults are added to the findings of j.
func ReadBox(j *lenient.JSON) (b box.COCO, ok bool) {
	count, whole := 0, true
	before := j.Findings().Total()
	if !j.List(func(i int) {
		count++
		v, ok := j.Number()
		if whole = whole && ok; i < len(b) {
			b[i] = v
		}
	}) || count == 0 {
		return b, false
	}
	if count != len(b) {
		j.Findings().Fail("%s: bbox has %d numbers, not the 4 of a box", j.Place(), count)
	} else if !whole && j.Findings().Total() == before {
		j.Findings().Fail("%s: bbox lacks a number (null, NaN or no number stands there)", j.Place())
	}
	return b, true
}

// ReadID reads an id. ok is false for null and for a value that is not an id, which is a fault in
// the findings of j. true and false are 1 and 0, as in Python.
func ReadID(j *lenient.JSON) (ID, bool) {
	if kind := j.Kind(); kind == 't' || kind == 'f' {
		v, ok := j.Number()
		return ID(v), ok
	}
	value := j.Value()
	if value == nil {
		return 0, false
	}
	id, ok := parseID(value)
	if !ok {
		j.Findings().Fail("%s: %.40s is not an id: want an integer or a text", j.Place(), value)
	} else if value[0] != '"' && bytes.ContainsAny(value, ".eE") {
		j.Whole()
	}
	return id, ok
}
