package data

import (
	"ffslab/data/box"
	"ffslab/data/lenient"
)

// COCOFile is a COCO annotation file as it is written: [ReadCOCO] makes a data set of it, the evaluation of a results file its ground truth.
type COCOFile struct {
	Images      []COCOImage
	Categories  []COCOCategory
	Annotations []COCOAnnotation
	Annotated   bool // it has a list of annotations, be it empty
}

// COCOImage is a record of a file's images.
type COCOImage struct {
	ID            ID
	Identified    bool // it has an id
	FileName      string
	URL           string // coco_url, or else flickr_url
	Width, Height int    // 0 if missing
}

// COCOCategory is a record of a file's categories.
type COCOCategory struct {
	ID         ID
	Identified bool
	Name       string
}

// COCOAnnotation is a record of a file's annotations.
type COCOAnnotation struct {
	ID, ImageID, CategoryID         ID
	Identified, OnImage, OfCategory bool // it has an id, an image_id, a category_id
	Crowd, Boxed, Measured          bool // iscrowd; it has a bbox, an area
	Shaped                          bool // the box is that of its segmentation
	Box                             box.COCO
	Area                            float64
}

var shapeBoxes = &lenient.Kind{Told: "annotations without a bbox got that of their segmentation", Fault: "bbox is missing"}

// ReadCOCOFile reads a COCO annotation file. Values of another type than COCO's are mended if they can be meant ("1", 1.0, true; see package lenient), the
// box of an annotation without one is that of its segmentation, polygons or run lengths. What is wrong is in found; the error
// is that of a text that is not JSON.
func ReadCOCOFile(path string, found *lenient.Findings) (*COCOFile, error) {
	file := &COCOFile{}
	if err := lenient.ReadJSON(path, lenient.MaxTable, found, func(j *lenient.JSON) { file.read(j, false) }); err != nil {
		return nil, err
	}
	for i := range file.Annotations {
		if !file.Annotations[i].Boxed { // segmentations are most of a file: they are read if one is needed
			unseen := lenient.New(false) // what there is to say was said at the first reading
			err := lenient.ReadJSON(path, lenient.MaxTable, unseen, func(j *lenient.JSON) { file.read(j, true) })
			return file, err
		}
	}
	return file, nil
}

// read fills the file, with the boxes of segmentations if shapes.
func (file *COCOFile) read(j *lenient.JSON, shapes bool) {
	*file = COCOFile{}
	j.Object(func(key []byte) {
		switch string(key) {
		case "images":
			j.List(func(int) { file.Images = append(file.Images, readCOCOImage(j)) })
		case "categories":
			file.Categories = readCOCOCategories(j)
		case "annotations":
			file.Annotated = j.List(func(int) { file.Annotations = append(file.Annotations, readCOCOAnnotation(j, shapes)) })
		default:
			j.Skip()
		}
	})
}

func readCOCOImage(j *lenient.JSON) (im COCOImage) {
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
		case "flickr_url":
			if url := j.Text(); im.URL == "" {
				im.URL = url
			}
		default:
			j.Skip()
		}
	})
	return im
}

func readCOCOCategories(j *lenient.JSON) (categories []COCOCategory) {
	j.List(func(int) {
		var c COCOCategory
		j.Object(func(key []byte) {
			switch string(key) {
			case "id":
				c.ID, c.Identified = ReadID(j)
			case "name":
				c.Name = j.Text()
			default:
				j.Skip()
			}
		})
		categories = append(categories, c)
	})
	return categories
}

func readCOCOAnnotation(j *lenient.JSON, shapes bool) (a COCOAnnotation) {
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
				j.Skip()
			}
		default:
			j.Skip()
		}
	})
	if !a.Boxed && shaped {
		a.Box, a.Boxed, a.Shaped = shape, true, true
	}
	return a
}

// ReadBox reads the four numbers of a box; it is not ok if there is none: null, or an empty list. Faults go to the findings of j.
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

// ReadID reads an id; it is not ok for null, and for what is none, which is a fault in the findings of j.
func ReadID(j *lenient.JSON) (ID, bool) {
	value := j.Value()
	if value == nil {
		return 0, false
	}
	id, ok := parseID(value)
	if !ok {
		j.Findings().Fail("%s: %.40s is no id: an integer or a text is", j.Place(), value)
	} else if value[0] != '"' && isReal(value) {
		j.Whole()
	}
	return id, ok
}

// isReal tells whether a number is written with a fraction or an exponent.
func isReal(number []byte) bool {
	for _, c := range number {
		if c == '.' || c == 'e' || c == 'E' {
			return true
		}
	}
	return false
}
