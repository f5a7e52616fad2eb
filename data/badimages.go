package data

import (
	"fmt"
	"strings"

	"ffslab/data/lenient"
)

// BadImages is the error for a set with images that cannot be used, found before anything is
// trained or measured: their picture is missing, cannot be read, or does not have the annotated
// size. With [Options.SkipBad] they are left out, unless there are no others.
type BadImages struct {
	Set    string // annotations
	Dir    string // folder of the pictures
	Total  int    // images of the set
	Images []BadImage
	absent int // number of the first Images, whose picture is missing
}

// Error says how many images cannot be used, and lists the first five whose picture is missing and
// the first 20 others.
func (e *BadImages) Error() string {
	remedy := "check the folder of the pictures"
	if e.absent == 0 {
		remedy = "repair them"
	}
	if len(e.Images) < e.Total {
		remedy += ", or leave them out (SkipBad)"
	}
	if len(e.Images) == 1 {
		one := e.Images[0]
		if e.absent == 1 {
			one.Why += " in " + e.Dir
		}
		return lenient.Printable(fmt.Sprintf("%s: 1 of %d images cannot be used: %s; %s", e.Set, e.Total, one, remedy))
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d of %d images cannot be used", e.Set, len(e.Images), e.Total)
	list := func(images []BadImage, most int, what string) {
		if len(images) == 0 {
			return
		}
		fmt.Fprintf(&b, "\n%s:", what)
		for _, im := range images[:min(most, len(images))] {
			fmt.Fprintf(&b, "\n  %s", lenient.Printable(im.String()))
		}
		if more := len(images) - most; more > 0 {
			fmt.Fprintf(&b, "\n  and %d more", more)
		}
	}
	list(e.Images[:e.absent], 5, fmt.Sprintf("%d of %d pictures are not in %s", e.absent, e.Total, e.Dir))
	list(e.Images[e.absent:], lenient.MaxListed, fmt.Sprintf("%d of %d pictures cannot be read or have another size", len(e.Images)-e.absent, e.Total))
	return b.String() + "\n" + remedy
}

var damagedPictures = &lenient.Kind{Told: "damaged pictures are read as far as possible", Fault: "the picture is damaged"}

// badImages compares the images with their pictures. It sets the size of those that cannot be used
// to 0.
func (o *opening) badImages() *BadImages {
	o.look()
	d := o.dataset
	bad := &BadImages{Set: d.Annotations, Dir: d.ImagesDir, Total: len(d.Images)}
	var others []BadImage
	for i := range d.Images {
		im := &d.Images[i]
		if im.Render != nil {
			continue
		}
		if record, absent := o.absent[i]; absent {
			bad.Images = append(bad.Images, BadImage{im.ID, record, "there is no such picture"})
			im.Width = 0
			continue
		}
		header := o.headers[im.File]
		why := header.Fault
		if why == "" && (header.Width != im.Width || header.Height != im.Height) {
			why = otherSize(header.Width, header.Height, im)
		}
		if why != "" {
			others = append(others, BadImage{im.ID, im.File, why})
			im.Width = 0
			continue
		}
		if header.Damaged {
			o.found.Mend(damagedPictures, func() string { return im.File })
		}
	}
	bad.absent = len(bad.Images)
	bad.Images = append(bad.Images, others...)
	return bad
}

// otherSize says that a picture does not have the annotated size.
func otherSize(width, height int, im *Image) string {
	remedy := "annotate the file that is used"
	if width == im.Height && height == im.Width {
		remedy += ", as it looks after its EXIF orientation is applied"
	}
	return fmt.Sprintf("the picture is %dx%d (width x height), its annotation says %dx%d: %s", width, height, im.Width, im.Height, remedy)
}
