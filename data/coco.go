package data

import (
	"cmp"
	"fmt"
	"slices"

	"ffslab/data/box"
	"ffslab/data/lenient"
)

var (
	sameAnnotation   = &lenient.Kind{Told: "annotations with the id of another were kept", Fault: "another annotation has the same id"}
	sameImage        = &lenient.Kind{Told: "images that are listed more than once were read once", Fault: "the image is listed before"}
	sameCategory     = &lenient.Kind{Told: "categories that are listed more than once were read once", Fault: "the category is listed before"}
	emptyTwin        = &lenient.Kind{Told: "categories without objects were left out, since another has the same name", Fault: "another category has the same name"}
	joinedCategory   = &lenient.Kind{Told: "categories of the same name were made one, under the first one's id", Fault: "another category has the same name"}
	unlistedImage    = &lenient.Kind{Told: "annotations of images that are not listed were left out", Fault: "its image_id is not among the images"}
	unlistedCategory = &lenient.Kind{Told: "annotations of categories that are not listed were left out", Fault: "its category_id is not among the categories"}
	looseID          = &lenient.Kind{Told: "ids that are written as a number in one list and as a text in another were taken for the same", Fault: "the id is a text in one list and a number in another"}
)

// ReadCOCO reads a COCO annotation file; the pictures are in imagesDir under their file_name.
// Categories are sorted by id, as in detectron2. Images without objects are kept. Only boxes count:
// a segmentation is used only for an annotation without bbox. Annotations with iscrowd become crowd
// regions.
//
// What pycocotools or detectron2 accept is mended and noted: repeated images, categories and
// annotation ids, annotations of images or categories that are not listed, values of other types
// (see package lenient), and what [Open] mends for every format. A file without annotations is a
// set without labels.
//
// Truncated or invalid JSON, no images, no categories although there are annotations, records
// without required ids, and one id for two images or categories are errors. The error lists all
// faults of the file with their records.
func ReadCOCO(annotations, imagesDir string, opt Options) (*Dataset, error) {
	o := begin(opt, annotations, imagesDir)
	file, err := readCOCOFile(annotations, o.found, opt.Keep)
	if err != nil {
		return nil, err
	}
	if err := o.found.Err(); err != nil { // faulty values; their consequences are no further faults
		return nil, err
	}
	o.dataset.Kept = file.kept
	o.boxes.sized = true
	switch {
	case len(file.Images) == 0:
		o.found.Fail("no images: a detection set is an object with the lists images, annotations and categories")
	case len(file.Categories) == 0 && len(file.Annotations) > 0:
		o.found.Fail("no categories: list the classes under \"categories\", each with id and name")
	}
	category := o.cocoCategories(file.Categories, file.used())
	images := o.cocoImages(file)
	if len(images) > 0 && len(o.dataset.Categories) > 0 {
		o.cocoObjects(file, images, category)
	}
	o.dataset.Unlabelled = len(file.Annotations) == 0
	return o.finish()
}

// used counts the annotations of each category id.
func (file *COCOFile) used() map[ID]int {
	used := map[ID]int{}
	for i := range file.Annotations {
		if a := &file.Annotations[i]; a.OfCategory {
			used[a.CategoryID]++
		}
	}
	return used
}

// cocoCategories sets the categories and returns the index of each id.
func (o *opening) cocoCategories(list []COCOCategory, used map[ID]int) map[ID]int {
	d := o.dataset
	name := map[ID]string{}
	kept := map[ID]*Kept{}
	byName := map[string]ID{}
	alias := map[ID]ID{} // categories that another one replaces
	for i, c := range list {
		place := func() string { return fmt.Sprintf("categories[%d] (id %v, %s)", i, c.ID, c.Name) }
		if !c.Identified || c.Name == "" {
			o.found.Fail("categories[%d]: id or name is missing", i)
			continue
		}
		if before, twice := name[c.ID]; twice {
			if before == c.Name {
				o.found.Mend(sameCategory, place)
			} else {
				o.found.Fail("%s: the id is that of %q, too; ids must differ", place(), before)
			}
			continue
		}
		name[c.ID], kept[c.ID] = c.Name, c.kept
		twin, twice := byName[c.Name]
		switch {
		case !twice:
			byName[c.Name] = c.ID
		case used[c.ID] == 0:
			o.found.Mend(emptyTwin, place)
			alias[c.ID] = twin
		case used[twin] == 0:
			o.found.Mend(emptyTwin, func() string { return fmt.Sprintf("the category with the id %v, %s", twin, c.Name) })
			byName[c.Name], alias[twin] = c.ID, c.ID
		default:
			o.found.Mend(joinedCategory, place)
			alias[c.ID] = twin
		}
	}
	for name, id := range byName {
		d.Categories = append(d.Categories, Category{ID: id, Name: name, Kept: kept[id]})
	}
	slices.SortFunc(d.Categories, func(a, b Category) int { return a.ID.Compare(b.ID) })
	index := make(map[ID]int, len(name))
	for i, c := range d.Categories {
		index[c.ID] = i
	}
	for id, other := range alias {
		index[id] = index[other]
	}
	return index
}

// cocoImages adds the images and returns the index of each id.
func (o *opening) cocoImages(file *COCOFile) map[ID]int {
	index := make(map[ID]int, len(file.Images))
	var records []int // of each image of the set
	for i := range file.Images {
		im := &file.Images[i]
		place := imagePlace(i, im)
		if !im.Identified || im.FileName == "" && im.URL == "" {
			o.found.Fail("images[%d]: id or file_name is missing", i)
			continue
		}
		if first, twice := index[im.ID]; twice {
			if before := &file.Images[records[first]]; before.FileName == im.FileName && before.URL == im.URL {
				o.found.Mend(sameImage, place)
			} else {
				o.found.Fail("%s: images[%d] has the same id; ids must differ", place(), records[first])
			}
			continue
		}
		index[im.ID] = len(records)
		records = append(records, i)
		if im.FileName != "" {
			o.addImage(im.ID, place, im.FileName)
		} else {
			o.addImage(im.ID, place, im.URL)
		}
	}
	o.look()
	for i, record := range records {
		im := &file.Images[record]
		o.dataset.Images[i].Kept = im.kept
		o.setSize(&o.dataset.Images[i], im.Width, im.Height, imagePlace(record, im))
	}
	return index
}

func imagePlace(i int, im *COCOImage) func() string {
	return func() string { return fmt.Sprintf("images[%d] (id %v, %s)", i, im.ID, cmp.Or(im.FileName, im.URL)) }
}

func (o *opening) cocoObjects(file *COCOFile, images, category map[ID]int) {
	if shifted := ShiftedCategories(file.used(), category); shifted != "" {
		o.found.Fail("annotations: %s", shifted)
		return
	}
	o.repeatedIDs(file)
	for i := range file.Annotations {
		a := &file.Annotations[i]
		place := func() string { return a.place(i) }
		if !a.OnImage || !a.OfCategory {
			o.found.Fail("%s: image_id or category_id is missing", place())
			continue
		}
		at, listed := lookUp(images, a.ImageID, o.found, place)
		if !listed {
			o.found.Mend(unlistedImage, func() string { return fmt.Sprintf("%s: image_id %v", place(), a.ImageID) })
			continue
		}
		class, listed := lookUp(category, a.CategoryID, o.found, place)
		if !listed {
			o.found.Mend(unlistedCategory, func() string { return fmt.Sprintf("%s: category_id %v", place(), a.CategoryID) })
			continue
		}
		if !a.Boxed {
			o.found.Fail("%s: bbox is missing, and there is no segmentation that it could be that of", place())
			continue
		}
		if a.Shaped {
			o.found.Mend(shapeBoxes, place)
		}
		im := &o.dataset.Images[at]
		if instance, ok := o.sizedBox(a.Box, im, place); ok {
			instance.Category, instance.Crowd, instance.Kept = class, a.Crowd, a.keptAs()
			if a.Measured {
				instance.setArea(a.Area)
			}
			im.Instances = append(im.Instances, instance.Instance)
		}
	}
	o.noneListed(file)
}

// noneListed reports a fault if every annotation is left out because none is of a listed image and
// category, which is a fault of the file rather than of records.
func (o *opening) noneListed(file *COCOFile) {
	images, categories := o.found.Count(unlistedImage), o.found.Count(unlistedCategory)
	if n := len(file.Annotations); n == 0 || images+categories < n {
		return
	}
	first, what := file.Annotations[0], "images and categories"
	switch {
	case categories == 0:
		what = "images"
	case images == 0:
		what = "categories"
	}
	o.found.Fail("none of the %d annotations is of the listed %s (the first: image_id %v, category_id %v): number both alike", len(file.Annotations), what, first.ImageID, first.CategoryID)
}

// keptAs returns what is kept of the annotation, including its id.
func (a *COCOAnnotation) keptAs() *Kept {
	if a.kept != nil {
		a.kept.id, a.kept.identified = a.ID, a.Identified
	}
	return a.kept
}

func (a *COCOAnnotation) place(i int) string { return annotationPlace(i, a.ID, a.Identified) }

func annotationPlace(i int, id ID, identified bool) string {
	if !identified {
		return fmt.Sprintf("annotations[%d]", i)
	}
	return fmt.Sprintf("annotations[%d] (id %v)", i, id)
}

// placedBox is an object whose box lies in its image.
type placedBox struct {
	Instance
	clipped bool
}

// sizedBox places a box given by corner and size.
func (o *opening) sizedBox(b box.COCO, im *Image, place func() string) (p placedBox, ok bool) {
	p.Box, p.clipped, ok = o.placeBox(b.Corners(), im, place)
	p.Area = p.Box.Area()
	return p, ok
}

// setArea sets the annotated area, at most that of the box if a part of it was cut off.
func (p *placedBox) setArea(area float64) {
	if p.clipped {
		area = min(area, p.Box.Area())
	}
	p.Area = area
}

// lookUp returns the index of an id, even if one list has it as a number and the other as a text.
func lookUp(index map[ID]int, id ID, found *lenient.Findings, place func() string) (int, bool) {
	if at, ok := index[id]; ok {
		return at, true
	}
	other, ok := id.Other()
	if !ok {
		return 0, false
	}
	at, ok := index[other]
	if ok {
		found.Mend(looseID, place)
	}
	return at, ok
}

// repeatedIDs counts the annotations with the id of another one.
func (o *opening) repeatedIDs(file *COCOFile) {
	ids := make([]ID, 0, len(file.Annotations))
	for i := range file.Annotations {
		if file.Annotations[i].Identified {
			ids = append(ids, file.Annotations[i].ID)
		}
	}
	slices.Sort(ids)
	if len(slices.Compact(ids)) == len(ids) {
		return
	}
	seen := map[ID]bool{}
	for i := range file.Annotations {
		if a := &file.Annotations[i]; a.Identified {
			if seen[a.ID] {
				o.found.Mend(sameAnnotation, func() string { return a.place(i) })
			}
			seen[a.ID] = true
		}
	}
}
