package data

import (
	"fmt"
	"slices"

	"ffslab/data/lenient"
)

// opening is the state that readers share while a set is opened.
type opening struct {
	opt     Options
	found   *lenient.Findings
	dataset *Dataset
	finder
	headers map[string]pictureHeader // of the files read so far
	absent  map[int]string           // records of images without a file, by index in dataset.Images
	boxes   boxStatistics
}

func begin(opt Options, annotations, imagesDir string) *opening {
	found := lenient.New(opt.Strict)
	return &opening{
		opt: opt, found: found, dataset: &Dataset{Annotations: annotations, ImagesDir: imagesDir},
		finder: finder{dir: imagesDir, found: found}, headers: map[string]pictureHeader{}, absent: map[int]string{},
	}
}

// addImage adds an image whose picture an annotation file calls by one of names. Messages use
// record.
func (o *opening) addImage(id ID, record func() string, names ...string) {
	file, ok := o.find(record, names...)
	if !ok {
		o.absent[len(o.dataset.Images)] = record()
	}
	o.dataset.Images = append(o.dataset.Images, Image{ID: id, File: file})
}

var noSize = &lenient.Kind{Told: "images with an impossible width or height got those of their picture", Fault: "width and height are not those of a picture"}

// setSize sets the annotated size of an image, or that of its picture, whose header must have been
// read.
func (o *opening) setSize(im *Image, width, height int, record func() string) {
	im.Width, im.Height = width, height
	if width > 0 && height > 0 && width <= maxPicturePixels && height <= maxPicturePixels {
		return
	}
	if width != 0 || height != 0 { // some tools omit both
		o.found.Mend(noSize, func() string { return fmt.Sprintf("%s: %d wide and %d high", record(), width, height) })
	}
	o.measure(im)
}

// measure sets the size of an image to that of its picture, whose header must have been read.
func (o *opening) measure(im *Image) {
	header := o.headers[im.File]
	im.Width, im.Height = header.Width, header.Height
}

// finish finishes reading. It is an error if a fault cannot be mended, or if images cannot be used
// and opt.SkipBad does not leave them out.
func (o *opening) finish() (*Dataset, error) {
	d := o.dataset
	if err := o.boxes.pattern(); err != nil {
		return nil, fmt.Errorf("%s: %w", d.Annotations, err)
	}
	if err := o.found.Err(); err != nil {
		return nil, err
	}
	bad := o.badImages()
	if err := o.found.Err(); err != nil { // strict: damaged pictures
		return nil, err
	}
	switch {
	case len(bad.Images) == 0:
	case !o.opt.SkipBad || len(bad.Images) == len(d.Images):
		return nil, bad
	default:
		d.Skipped = bad.Images
		d.Images = slices.DeleteFunc(slices.Clone(d.Images), func(im Image) bool { return im.Width == 0 })
		d.note(len(bad.Images), fmt.Sprintf("images that cannot be used were left out; the first: %s", bad.Images[0]))
	}
	d.Notes = append(o.found.Notes(), d.Notes...)
	return d, nil
}
