// Package eval measures detectors on the host, on plain values: COCO box AP, the F1 score threshold
// of the original FFS, how well a score separates inlier from outlier detections, and how a
// detector treats unknown objects. [Evaluate] runs the three steps of the evaluation protocol and
// returns a [Report].
package eval

import (
	"fmt"
	"math"
	"slices"

	"ffslab/data"
	"ffslab/data/box"
	"ffslab/data/lenient"
)

// Category is one class of an annotation file.
type Category struct {
	ID   data.ID `json:"id"`
	Name string  `json:"name"`
}

// GroundTruth is one annotated object.
type GroundTruth struct {
	ImageID    data.ID
	CategoryID data.ID
	Box        box.COCO // in pixels of the original image
	Area       float64  // in square pixels; decides between small, medium and large
	Crowd      bool     // a region of many objects: it takes any number of detections and counts for none
}

// Annotations holds what the measures need of an annotated set.
type Annotations struct {
	ImageIDs   []data.ID
	Sizes      [][2]float64 // width and height of each image in pixels; nil if unknown
	Categories []Category
	// Absent marks the Categories that the annotation file does not list and only the detector
	// knows. Detections of them do not count where detection is measured, as in pycocotools, which
	// knows the file only.
	Absent map[data.ID]bool
	// Known marks the categories of an outlier set that are inlier classes. If there are any, the
	// set is measured object by object ([ByObject]).
	Known   map[data.ID]bool
	Objects []GroundTruth
}

// listed returns the annotations without absent categories.
func (a *Annotations) listed() *Annotations {
	if len(a.Absent) == 0 {
		return a
	}
	listed := *a
	listed.Categories = slices.DeleteFunc(slices.Clone(a.Categories), func(c Category) bool { return a.Absent[c.ID] })
	return &listed
}

var (
	listedTwice      = &lenient.Kind{Told: "images and categories that are listed more than once were read once", Fault: "its id occurs twice"}
	unlistedObject   = &lenient.Kind{Told: "annotations of images or categories that are not listed were left out", Fault: "its image or category is not listed"}
	unlistedDetected = &lenient.Kind{Told: "detections of images or categories that the annotations do not have were left out", Fault: "the annotations do not have its image or category"}
	looseID          = &lenient.Kind{Told: "ids that are written as a number in one place and as a text in another were taken for the same", Fault: "the id is a text in one place and a number in another"}
	shapeBox         = &lenient.Kind{Told: "annotations without a bbox got that of their segmentation", Fault: "bbox is missing"}
)

// ReadAnnotations reads a COCO annotation file. It mends what pycocotools accepts too and reports
// that in found; see [data.ReadCOCOFile]. Boxes are not clipped to their images. "area" defaults to
// the area of the box and "iscrowd" to 0. Sizes is nil unless every image has a width and a height.
// The error names the file and lists its faults.
func ReadAnnotations(path string, found *lenient.Findings) (*Annotations, error) {
	file, err := data.ReadCOCOFile(path, found)
	if err != nil {
		return nil, err
	}
	a := &Annotations{}
	a.addImages(file.Images, found)
	a.addCategories(file.Categories, found)
	if len(a.ImageIDs) == 0 && !found.Failed() {
		found.Fail("no images")
	}
	if len(a.Categories) == 0 && !found.Failed() {
		found.Fail("no categories")
	}
	a.addObjects(file.Annotations, found)
	if err := found.Err(); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *Annotations) addImages(images []data.COCOImage, found *lenient.Findings) {
	seen := make(map[data.ID]bool, len(images))
	sized := true
	for i, image := range images {
		if !image.Identified {
			found.Fail("images[%d]: no id", i)
			continue
		}
		if seen[image.ID] {
			found.Mend(listedTwice, func() string { return fmt.Sprintf("images[%d] (id %v)", i, image.ID) })
			continue
		}
		seen[image.ID] = true
		a.ImageIDs = append(a.ImageIDs, image.ID)
		a.Sizes = append(a.Sizes, [2]float64{float64(image.Width), float64(image.Height)})
		sized = sized && image.Width > 0 && image.Height > 0
	}
	if !sized {
		a.Sizes = nil
	}
}

func (a *Annotations) addCategories(categories []data.COCOCategory, found *lenient.Findings) {
	names := make(map[data.ID]string, len(categories))
	for i, c := range categories {
		if !c.Identified {
			found.Fail("categories[%d]: no id", i)
			continue
		}
		if name, twice := names[c.ID]; twice {
			if name != c.Name {
				found.Fail("categories[%d] (%s): the id %v is that of %q, too", i, c.Name, c.ID, name)
			} else {
				found.Mend(listedTwice, func() string { return fmt.Sprintf("categories[%d] (id %v)", i, c.ID) })
			}
			continue
		}
		names[c.ID] = c.Name
		a.Categories = append(a.Categories, Category{ID: c.ID, Name: c.Name})
	}
}

func (a *Annotations) addObjects(objects []data.COCOAnnotation, found *lenient.Findings) {
	known := a.known()
	for i := range objects {
		o := &objects[i]
		place := func() string { return fmt.Sprintf("annotations[%d]", i) }
		if !o.OnImage || !o.OfCategory {
			found.Fail("%s: image_id and category_id are needed", place())
			continue
		}
		if !known.meant(&o.ImageID, &o.CategoryID, found, place) {
			found.Mend(unlistedObject, func() string { return fmt.Sprintf("%s: image_id %v, category_id %v", place(), o.ImageID, o.CategoryID) })
			continue
		}
		if !o.Boxed {
			found.Fail("%s: bbox is missing, want [x, y, width, height]", place())
			continue
		}
		if o.Shaped {
			found.Mend(shapeBox, place)
		}
		if err := checkBox(o.Box); err != nil {
			found.Fail("%s: %v", place(), err)
			continue
		}
		object := GroundTruth{ImageID: o.ImageID, CategoryID: o.CategoryID, Box: o.Box, Area: o.Box.Area(), Crowd: o.Crowd}
		if o.Measured {
			object.Area = o.Area
		}
		a.Objects = append(a.Objects, object)
	}
}

type knownIDs struct{ images, categories map[data.ID]bool }

func (a *Annotations) known() knownIDs {
	k := knownIDs{make(map[data.ID]bool, len(a.ImageIDs)), make(map[data.ID]bool, len(a.Categories))}
	for _, id := range a.ImageIDs {
		k.images[id] = true
	}
	for _, c := range a.Categories {
		k.categories[c.ID] = true
	}
	return k
}

// used counts the detections of each category id, in the form in which the set has the id.
func (k knownIDs) used(detections []Detection) map[data.ID]int {
	used := map[data.ID]int{}
	for _, d := range detections {
		id := d.CategoryID
		if other, ok := id.Other(); ok && !k.categories[id] && (k.categories[other] || id.IsText()) {
			id = other
		}
		used[id]++
	}
	return used
}

// meant reports whether the set has both ids. It replaces an id that the set has as a text instead
// of a number, or the other way round, by that of the set.
func (k knownIDs) meant(image, category *data.ID, found *lenient.Findings, place func() string) bool {
	for _, id := range []struct {
		id    *data.ID
		known map[data.ID]bool
	}{{image, k.images}, {category, k.categories}} {
		if id.known[*id.id] {
			continue
		}
		other, ok := id.id.Other()
		if !ok || !id.known[other] {
			return false
		}
		found.Mend(looseID, place)
		*id.id = other
	}
	return true
}

// Listed returns the detections whose image and category the annotations have, as pycocotools does;
// found counts the others. It is an error if there are only others, or if the category ids are
// shifted (see [data.ShiftedCategories]), so that the detections would count for the wrong classes.
func (a *Annotations) Listed(detections []Detection, found *lenient.Findings) ([]Detection, error) {
	known := a.known()
	if shifted := data.ShiftedCategories(known.used(detections), known.categories); shifted != "" {
		return nil, fmt.Errorf("the detections: %s, or leave out detections of other classes than the annotations have", shifted)
	}
	kept := make([]Detection, 0, len(detections))
	for i, d := range detections {
		place := func() string { return fmt.Sprintf("detection %d", i) }
		if known.meant(&d.ImageID, &d.CategoryID, found, place) {
			kept = append(kept, d)
			continue
		}
		found.Mend(unlistedDetected, func() string { return fmt.Sprintf("%s: image_id %v, category_id %v", place(), d.ImageID, d.CategoryID) })
	}
	if err := found.Err(); err != nil {
		return nil, err
	}
	if len(kept) == 0 && len(detections) > 0 {
		return nil, fmt.Errorf("none of the %d detections is on an image and of a category of the annotations (image_id %v, category_id %v and so on)",
			len(detections), detections[0].ImageID, detections[0].CategoryID)
	}
	return kept, nil
}

func checkBox(b box.COCO) error {
	for _, v := range b {
		if !isFinite(v) {
			return fmt.Errorf("bbox %v is not finite", b)
		}
	}
	if b[2] < 0 || b[3] < 0 {
		return fmt.Errorf("bbox %v has a negative size, want [x, y, width, height]", b)
	}
	if !isFinite(b[0]+b[2]) || !isFinite(b[1]+b[3]) || !isFinite(2*b[2]*b[3]) { // twice, for the union of two
		return fmt.Errorf("bbox %v is larger than any picture", b)
	}
	return nil
}

func isFinite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }
