package data

import (
	"fmt"
	"slices"

	"ffslab/data/lenient"
)

// opening is what the readers share while a set is opened: where its pictures are, what was found, which images cannot be used.
type opening struct {
	opt     Options
	found   *lenient.Findings
	dataset *Dataset
	finder
	headers map[string]pictureHeader // of the files that were looked at
	absent  map[int]string           // records of images without a file, by their index in dataset.Images
	boxes   boxStatistics
}

func begin(opt Options, annotations, imagesDir string) *opening {
	found := lenient.New(opt.Strict)
	return &opening{
		opt: opt, found: found, dataset: &Dataset{Annotations: annotations, ImagesDir: imagesDir},
		finder: finder{dir: imagesDir, found: found}, headers: map[string]pictureHeader{}, absent: map[int]string{},
	}
}

// addImage adds an image whose picture an annotation file calls by one of names; record is what messages call it.
func (o *opening) addImage(id ID, record func() string, names ...string) {
	file, ok := o.find(record, names...)
	if !ok {
		o.absent[len(o.dataset.Images)] = record()
	}
	o.dataset.Images = append(o.dataset.Images, Image{ID: id, File: file})
}

var noSize = &lenient.Kind{Told: "images with an impossible width or height got those of their picture", Fault: "width and height are not those of a picture"}

// setSize gives an image the size that its annotation tells, or else that of its picture, which must have been looked at.
func (o *opening) setSize(im *Image, width, height int, record func() string) {
	im.Width, im.Height = width, height
	if width > 0 && height > 0 && width <= maxPicturePixels && height <= maxPicturePixels {
		return
	}
	if width != 0 || height != 0 { // some tools leave both out
		o.found.Mend(noSize, func() string { return fmt.Sprintf("%s: %d wide and %d high", record(), width, height) })
	}
	header := o.headers[im.File]
	im.Width, im.Height = header.Width, header.Height
}

// finish ends the reading: it is an error if anything was found that cannot be mended, or if images cannot be used, unless opt.SkipBad leaves
// those out.
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
