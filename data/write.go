package data

import (
	"encoding/json"
	"fmt"
	"image/png"
	"io"
	"math"
	"os"
	"path/filepath"

	"ffslab/data/box"
	"ffslab/data/wholefile"
)

// Records of a COCO file as they are written.
type (
	cocoImageOut struct {
		ID       ID     `json:"id"`
		FileName string `json:"file_name"`
		Width    int    `json:"width"`
		Height   int    `json:"height"`
	}
	cocoCategoryOut struct {
		ID   ID     `json:"id"`
		Name string `json:"name"`
	}
	cocoAnnotationOut struct {
		ID         ID       `json:"id"`
		ImageID    ID       `json:"image_id"`
		CategoryID ID       `json:"category_id"`
		BBox       box.COCO `json:"bbox"`
		Area       float64  `json:"area"`
		IsCrowd    int      `json:"iscrowd"`
	}
)

// WriteCOCO writes the data set as a COCO annotation file, which [ReadCOCO] and pycocotools can
// read, one record a line. The file is written whole or not at all. File names are relative to
// d.ImagesDir. Boxes and areas are in pixels, rounded to 1e-9. Kept content of records is written
// with them; annotations have their kept ids if these are unique, and are numbered from 1
// otherwise. It is an error if the set has no objects, an id occurs twice, a picture is outside
// d.ImagesDir, or a picture is generated (see [SavePictures]).
func WriteCOCO(path string, d *Dataset) error {
	if err := writable(d); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return wholefile.Write(path, 0o644, func(w io.Writer) error { return encodeCOCO(w, d) })
}

// writable checks for what a reader of the file would reject.
func writable(d *Dataset) error {
	objects := 0
	images := make(map[ID]bool, len(d.Images))
	for i := range d.Images {
		im := &d.Images[i]
		if im.Render != nil {
			return fmt.Errorf("%s is generated and has no file: write the pictures first (ffs data convert SPEC --images DIR)", im.File)
		}
		if images[im.ID] {
			return fmt.Errorf("image id %v (%s) occurs twice", im.ID, im.File)
		}
		images[im.ID] = true
		objects += len(im.Instances)
	}
	categories := make(map[ID]bool, len(d.Categories))
	for _, c := range d.Categories {
		if categories[c.ID] {
			return fmt.Errorf("category id %v (%s) occurs twice", c.ID, c.Name)
		}
		categories[c.ID] = true
	}
	if objects == 0 {
		return fmt.Errorf("the data set %s has no objects in its %d images", d.Name, len(d.Images))
	}
	return nil
}

func encodeCOCO(w io.Writer, d *Dataset) error {
	top, err := d.Kept.appendTo([]byte("{}"))
	if err != nil {
		return err
	}
	opening := "{\"images\": ["
	if len(top) > len("{}") {
		opening = string(top[:len(top)-1]) + ",\n\"images\": ["
	}
	if err := list(w, opening, len(d.Images), func(i int) (any, *Kept, error) {
		im := &d.Images[i]
		name, err := filepath.Rel(d.ImagesDir, im.File)
		if err != nil || !filepath.IsLocal(name) {
			return nil, nil, fmt.Errorf("the picture %s does not lie under the image folder %s", im.File, d.ImagesDir)
		}
		return cocoImageOut{im.ID, filepath.ToSlash(name), im.Width, im.Height}, im.Kept, nil
	}); err != nil {
		return err
	}
	if err := list(w, "],\n\"categories\": [", len(d.Categories), func(i int) (any, *Kept, error) {
		c := &d.Categories[i]
		return cocoCategoryOut{c.ID, c.Name}, c.Kept, nil
	}); err != nil {
		return err
	}
	type place struct{ image, instance int }
	var objects []place
	for i := range d.Images {
		for j := range d.Images[i].Instances {
			objects = append(objects, place{i, j})
		}
	}
	id := d.annotationIDs()
	if err := list(w, "],\n\"annotations\": [", len(objects), func(i int) (any, *Kept, error) {
		im := &d.Images[objects[i].image]
		o := &im.Instances[objects[i].instance]
		out := cocoAnnotationOut{ID: id(i, o), ImageID: im.ID, CategoryID: d.Categories[o.Category].ID, Area: nano(o.Area),
			BBox: o.Box.COCO()}
		for k, v := range out.BBox {
			out.BBox[k] = nano(v)
		}
		if o.Crowd {
			out.IsCrowd = 1
		}
		return out, o.Kept, nil
	}); err != nil {
		return err
	}
	_, err = io.WriteString(w, "]}\n")
	return err
}

// annotationIDs returns the function that gives the id of the i-th object.
func (d *Dataset) annotationIDs() func(i int, o *Instance) ID {
	taken := map[ID]bool{}
	for _, im := range d.Images {
		for _, o := range im.Instances {
			if o.Kept == nil || !o.Kept.identified || taken[o.Kept.id] {
				return func(i int, _ *Instance) ID { return ID(i + 1) }
			}
			taken[o.Kept.id] = true
		}
	}
	return func(_ int, o *Instance) ID { return o.Kept.id }
}

// list writes n records with their kept content, one a line, after an opening.
func list(w io.Writer, opening string, n int, record func(i int) (any, *Kept, error)) error {
	if _, err := io.WriteString(w, opening); err != nil {
		return err
	}
	for i := range n {
		value, kept, err := record(i)
		if err != nil {
			return err
		}
		text, err := json.Marshal(value)
		if err != nil {
			return err
		}
		if text, err = kept.appendTo(text); err != nil {
			return err
		}
		separator := ",\n"
		if i == 0 {
			separator = "\n"
		}
		if _, err := fmt.Fprintf(w, "%s%s", separator, text); err != nil {
			return err
		}
	}
	if n == 0 {
		return nil
	}
	_, err := io.WriteString(w, "\n")
	return err
}

// nano removes the rounding error of subtracting corners.
func nano(v float64) float64 { return math.Round(v*1e9) / 1e9 }

// SavePictures writes the generated pictures of a data set as PNG files into dir, which it creates
// if needed, and returns the data set that reads them. Each file is written whole or not at all. A
// set of picture files is returned unchanged. progress, if not nil, is called after each picture.
func SavePictures(d *Dataset, dir string, progress func(done, total int)) (*Dataset, error) {
	generated := false
	for i := range d.Images {
		generated = generated || d.Images[i].Render != nil
	}
	if !generated {
		return d, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	out := *d
	out.ImagesDir = dir
	out.Images = make([]Image, len(d.Images))
	for i, im := range d.Images {
		if im.Render == nil || !filepath.IsLocal(im.File) {
			return nil, fmt.Errorf("%s: %s is not a generated picture with a name of its own", d.Name, im.File)
		}
		pixels, err := im.Decode()
		if err != nil {
			return nil, err
		}
		im.File, im.Render = filepath.Join(dir, im.File), nil
		if err := wholefile.Write(im.File, 0o644, func(w io.Writer) error { return png.Encode(w, pixels.Image()) }); err != nil {
			return nil, err
		}
		out.Images[i] = im
		if progress != nil {
			progress(i+1, len(d.Images))
		}
	}
	return &out, nil
}
