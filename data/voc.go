package data

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/net/html/charset"

	"ffslab/data/lenient"
)

// Difficult says what becomes of the objects that PASCAL VOC's annotators marked as difficult.
type Difficult string

const (
	// DifficultCrowd makes them crowd regions: they are not trained on, and detections of them do
	// not count, as in VOC's own evaluation.
	DifficultCrowd Difficult = "crowd"
	// DifficultKeep makes them ordinary objects, as detectron2 does.
	DifficultKeep Difficult = "keep"
	// DifficultDrop leaves them out, so that a detection of one is false.
	DifficultDrop Difficult = "drop"
)

// VOCOptions are the options of [ReadVOC].
type VOCOptions struct {
	ImagesDir string    // folder of the pictures; empty means dir/JPEGImages
	Difficult Difficult // empty means [DifficultCrowd]
}

// vocNames translates names of PASCAL VOC that differ from COCO's.
var vocNames = map[string]string{
	"aeroplane": "airplane", "diningtable": "dining table", "motorbike": "motorcycle", "pottedplant": "potted plant", "sofa": "couch", "tvmonitor": "tv",
}

var (
	boxless      = &lenient.Kind{Told: "objects without a bndbox (polygons) were left out", Fault: "bndbox is missing"}
	unspecified  = &lenient.Kind{Told: "objects whose difficult is none of 0 and 1 (\"Unspecified\") count as not difficult", Fault: "difficult is neither 0 nor 1"}
	otherPicture = &lenient.Kind{Told: "pictures were found under the annotation's name, not by the filename in it", Fault: "its filename is that of no picture"}
	zeroSize     = &lenient.Kind{Told: "images with a width or height of 0 got those of their picture", Fault: "width or height is 0"}
)

// ReadVOC reads one split of a folder in PASCAL VOC's layout, for example VOCdevkit/VOC2007: the
// names listed in dir/ImageSets/Main/SPLIT.txt, the objects in dir/Annotations/NAME.xml, and the
// picture dir/JPEGImages/NAME.jpg or the one that the XML names. Without lists, the split is the
// folder dir/SPLIT, or dir itself for "all", with XML files beside their pictures, or in the
// folders Annotations and JPEGImages (annotations and images).
//
// VOC's own 20 classes get COCO's names, the order of [Classes] and ids 1 to 20. A set with any
// other class has its classes in alphabetical order. VOC counts pixels from 1 and includes the
// last: x0 = xmin - 1, x1 = xmax. Parts of persons, poses and actions are not read. A file with
// entity definitions is an error.
//
// It mends what [Open] mends, flags that are "Unspecified", sizes of 0 and objects without a
// bndbox. The error lists all faults with the file, the object and the field.
func ReadVOC(dir, split string, voc VOCOptions, opt Options) (*Dataset, error) {
	switch voc.Difficult {
	case "":
		voc.Difficult = DifficultCrowd
	case DifficultCrowd, DifficultKeep, DifficultDrop:
	default:
		return nil, fmt.Errorf("difficult objects cannot be treated as %q: give crowd, keep or drop", voc.Difficult)
	}
	found := lenient.New(opt.Strict)
	layout, err := findVOC(dir, split, found)
	if err != nil {
		return nil, err
	}
	if voc.ImagesDir != "" {
		layout.images = voc.ImagesDir
	}
	o := begin(opt, layout.list, layout.images)
	o.found, o.finder.found = found, found
	r := &vocReader{opening: o, options: voc, sheets: make([]*vocSheet, len(layout.names))}
	classes := map[string]bool{}
	for i, name := range layout.names {
		r.sheets[i] = r.readSheet(filepath.Join(layout.annotations, filepath.FromSlash(name)+".xml"), classes)
	}
	if !found.Failed() {
		r.fill(layout.names, classes)
	}
	o.dataset.Unlabelled = len(classes) == 0
	return o.finish()
}

// vocReader collects the annotations of a split.
type vocReader struct {
	*opening
	options   VOCOptions
	sheets    []*vocSheet // of each image
	difficult int
}

func (r *vocReader) fill(names []string, classes map[string]bool) {
	var index map[string]int
	r.dataset.Categories, index = numbered(vocClasses(classes))
	for i, s := range r.sheets {
		r.found.File = s.file
		// VOC's list decides, since tools that rename pictures often leave the old name in the XML.
		picture := strings.TrimSpace(s.Picture)
		own := names[i] + ".jpg"
		_, named := r.exact(picture)
		if _, listed := r.exact(own); listed && !named && picture != "" {
			r.found.Tell(otherPicture, func() string { return "filename " + picture })
			picture = ""
		}
		r.addImage(ID(i+1), func() string { return s.file }, picture, own)
	}
	r.look()
	for i, s := range r.sheets {
		r.found.File = s.file
		im := &r.dataset.Images[i]
		width, height := r.side("size.width", s.Width), r.side("size.height", s.Height)
		if width == 0 && height == 0 && s.Width != "" {
			r.found.Mend(zeroSize, func() string { return "" })
			r.measure(im)
		} else {
			r.setSize(im, width, height, func() string { return "size" })
		}
		for j := range s.Objects {
			r.addObject(&s.Objects[j], j, im, index)
		}
	}
	r.found.File = ""
	if r.difficult > 0 {
		what := map[Difficult]string{DifficultCrowd: "are crowd regions", DifficultKeep: "count like the others", DifficultDrop: "were left out"}
		r.dataset.Notes = append(r.dataset.Notes, fmt.Sprintf("%d difficult objects %s (difficult=crowd|keep|drop)", r.difficult, what[r.options.Difficult]))
	}
}

func (r *vocReader) addObject(o *vocObject, number int, im *Image, class map[string]int) {
	place := func() string { return fmt.Sprintf("object[%d] (%s)", number, o.Name) }
	if o.Box == nil {
		r.found.Mend(boxless, place)
		return
	}
	var box [4]float64
	for j, field := range []struct{ name, text string }{{"xmin", o.Box.XMin}, {"ymin", o.Box.YMin}, {"xmax", o.Box.XMax}, {"ymax", o.Box.YMax}} {
		v, err := parseFinite("bndbox."+field.name, field.text)
		if err != nil {
			r.found.Fail("%s: %v", place(), err)
			return
		}
		if j < 2 {
			v--
			if v >= -1 { // a few original files count from 0
				v = max(v, 0)
			}
		}
		box[j] = v
	}
	hard := false
	switch text := strings.ToLower(strings.TrimSpace(o.Difficult)); text {
	case "", "0", "false":
	case "1", "true":
		hard = true
		r.difficult++
	default:
		r.found.Mend(unspecified, place)
	}
	if hard && r.options.Difficult == DifficultDrop {
		return
	}
	if box, _, ok := r.placeBox(box, im, place); ok {
		im.Instances = append(im.Instances, Instance{Box: box, Category: class[o.Name], Area: box.Area(), Crowd: hard && r.options.Difficult == DifficultCrowd})
	}
}

// side parses a width or height in pixels, 0 if it is missing.
func (r *vocReader) side(field, text string) int {
	if strings.TrimSpace(text) == "" {
		return 0
	}
	v, err := parseFinite(field, text)
	if err != nil || v < 0 || v != math.Trunc(v) || v > maxPicturePixels {
		r.found.Fail("%s is %q, not a number of pixels", field, text)
		return 0
	}
	return int(v)
}

// vocClasses orders the class names: in VOC's order if all are VOC's.
func vocClasses(found map[string]bool) []string {
	standard := classLists["voc"]
	for name := range found {
		if !slices.Contains(standard, name) {
			return slices.Sorted(maps.Keys(found))
		}
	}
	if len(found) == 0 {
		return nil
	}
	return standard
}

// vocSheet is the XML annotation of a picture. Numbers are text, so that an error can name the
// field.
type vocSheet struct {
	file    string
	XMLName xml.Name    `xml:"annotation"`
	Picture string      `xml:"filename"`
	Width   string      `xml:"size>width"`
	Height  string      `xml:"size>height"`
	Objects []vocObject `xml:"object"`
}

type vocObject struct {
	Name      string `xml:"name"`
	Difficult string `xml:"difficult"`
	Box       *struct {
		XMin string `xml:"xmin"`
		YMin string `xml:"ymin"`
		XMax string `xml:"xmax"`
		YMax string `xml:"ymax"`
	} `xml:"bndbox"`
}

// readSheet reads an annotation and adds the translated names of its classes to classes; nil if it
// cannot be read.
func (r *vocReader) readSheet(file string, classes map[string]bool) *vocSheet {
	r.found.File = file
	raw, err := lenient.ReadText(file, lenient.MaxSheet, r.found)
	if err != nil {
		r.found.Fail("%s", bare(file, err))
		return nil
	}
	s := &vocSheet{file: file}
	decoder := xml.NewDecoder(bytes.NewReader(raw)) // it expands only the five entities of XML
	decoder.CharsetReader = func(label string, input io.Reader) (io.Reader, error) {
		if strings.HasPrefix(strings.ToLower(label), "utf-16") { // already converted to UTF-8
			return input, nil
		}
		return charset.NewReaderLabel(label, input)
	}
	if err := decoder.Decode(s); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the file is empty")
		}
		r.found.Fail("not an annotation of PASCAL VOC: %v", err)
		return nil
	}
	for i := range s.Objects {
		o := &s.Objects[i]
		if o.Name = strings.TrimSpace(o.Name); o.Name == "" {
			r.found.Fail("object[%d]: name is missing", i)
			continue
		}
		if name, ok := vocNames[o.Name]; ok {
			o.Name = name
		}
		classes[o.Name] = true
	}
	return s
}

func parseFinite(field, text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%s is %q, not a finite number", field, text)
	}
	return v, nil
}
