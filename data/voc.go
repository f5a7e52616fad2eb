package data

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Difficult says what becomes of the objects that PASCAL VOC's annotators marked as difficult.
type Difficult string

const (
	// DifficultCrowd makes them crowd regions: not trained on, and detections of them count neither way, as in VOC's own evaluation.
	DifficultCrowd Difficult = "crowd"
	// DifficultKeep makes them objects like the others, as detectron2 does.
	DifficultKeep Difficult = "keep"
	// DifficultDrop leaves them out, so that a detection of one is false.
	DifficultDrop Difficult = "drop"
)

// VOCOptions are how [ReadVOC] reads; the zero value is the usual.
type VOCOptions struct {
	ImagesDir string    // folder of the pictures; empty: dir/JPEGImages
	Difficult Difficult // empty: [DifficultCrowd]
}

// vocNames translates the names of PASCAL VOC that differ from COCO's.
var vocNames = map[string]string{
	"aeroplane": "airplane", "diningtable": "dining table", "motorbike": "motorcycle", "pottedplant": "potted plant", "sofa": "couch", "tvmonitor": "tv",
}

// ReadVOC reads one split of a folder of PASCAL VOC's layout, a VOCdevkit/VOC2007 say: the names listed in dir/ImageSets/Main/SPLIT.txt
// (the first word of each line), the objects in dir/Annotations/NAME.xml, the picture dir/JPEGImages/NAME.jpg or else the one that
// the XML calls by its filename.
//
// VOC's own 20 classes get COCO's names, the order of [Classes] and ids 1 to 20; a set with any other class has its classes in
// alphabetical order. VOC counts pixels from 1 and includes the last: x0 = xmin - 1, x1 = xmax. Parts of persons, poses and
// actions are not read. Entities that an XML file defines are not expanded; it is refused.
//
// An error is one line that names the file, the object and the field.
func ReadVOC(dir, split string, opt VOCOptions) (*Dataset, error) {
	if opt.ImagesDir == "" {
		opt.ImagesDir = filepath.Join(dir, "JPEGImages")
	}
	switch opt.Difficult {
	case "":
		opt.Difficult = DifficultCrowd
	case DifficultCrowd, DifficultKeep, DifficultDrop:
	default:
		return nil, fmt.Errorf("difficult objects cannot be treated as %q: give crowd, keep or drop", opt.Difficult)
	}
	list := filepath.Join(dir, "ImageSets", "Main", split+".txt")
	names, err := readVOCList(list)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s", err, otherSplits(list))
	}
	if err != nil {
		return nil, err
	}
	sheets := make([]*vocSheet, len(names))
	found := map[string]bool{}
	for i, name := range names {
		if sheets[i], err = readVOCSheet(filepath.Join(dir, "Annotations", filepath.FromSlash(name)+".xml"), found); err != nil {
			return nil, err
		}
	}
	d := &Dataset{Annotations: list, ImagesDir: opt.ImagesDir, Images: make([]Image, len(names))}
	var index map[string]int
	d.Categories, index = numbered(vocClasses(found))
	if len(index) == 0 {
		return nil, fmt.Errorf("%s: no annotations: none of the %d listed pictures holds an object", list, len(names))
	}
	difficult := 0
	for i, s := range sheets {
		im, marked, err := s.image(names[i], index, opt)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", s.file, err)
		}
		im.ID = ID(i + 1)
		d.Images[i] = im
		difficult += marked
	}
	if difficult > 0 {
		what := map[Difficult]string{DifficultCrowd: "are crowd regions", DifficultKeep: "count like the others", DifficultDrop: "were left out"}
		d.Notes = append(d.Notes, fmt.Sprintf("%d difficult objects %s (difficult=crowd|keep|drop)", difficult, what[opt.Difficult]))
	}
	return d, nil
}

// otherSplits says which splits stand beside a list that is not there.
func otherSplits(list string) string {
	entries, _ := os.ReadDir(filepath.Dir(list)) // a folder that cannot be read has none
	var splits []string
	for _, e := range entries {
		if split, ok := strings.CutSuffix(e.Name(), ".txt"); ok && !strings.Contains(split, "_") { // aeroplane_train is the list of one class
			splits = append(splits, split)
		}
	}
	if len(splits) == 0 {
		return "give a folder of PASCAL VOC's layout (VOCdevkit/VOC2007), with lists in ImageSets/Main"
	}
	return "the splits there are " + strings.Join(splits, ", ")
}

// vocClasses orders the class names that occur: VOC's own if there are no others.
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

// readVOCList reads the names of a split.
func readVOCList(file string) ([]string, error) {
	raw, err := readText(file, maxTable)
	if err != nil {
		return nil, err
	}
	var names []string
	line := map[string]int{}
	for i, text := range strings.Split(string(raw), "\n") {
		words := strings.Fields(text)
		if len(words) == 0 {
			continue
		}
		name := words[0]
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			return nil, fmt.Errorf("%s:%d: the name %q leads out of the data set's folder", file, i+1, name)
		}
		if first, twice := line[name]; twice {
			return nil, fmt.Errorf("%s:%d: %s stands in line %d already", file, i+1, name, first)
		}
		line[name] = i + 1
		names = append(names, name)
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("%s: no images: list one name a line", file)
	}
	return names, nil
}

// vocSheet is the XML annotation of one picture. Numbers are text here, so that an error can name the field.
type vocSheet struct {
	file    string
	XMLName xml.Name `xml:"annotation"`
	Picture string   `xml:"filename"`
	Width   string   `xml:"size>width"`
	Height  string   `xml:"size>height"`
	Objects []struct {
		Name      string `xml:"name"`
		Difficult string `xml:"difficult"`
		Box       *struct {
			XMin string `xml:"xmin"`
			YMin string `xml:"ymin"`
			XMax string `xml:"xmax"`
			YMax string `xml:"ymax"`
		} `xml:"bndbox"`
	} `xml:"object"`
}

// readVOCSheet reads an annotation and enters the names of its classes, translated, into found.
func readVOCSheet(file string, found map[string]bool) (*vocSheet, error) {
	raw, err := readText(file, maxSheet)
	if err != nil {
		return nil, err
	}
	s := &vocSheet{file: file}
	decoder := xml.NewDecoder(bytes.NewReader(raw)) // it knows the five entities of XML itself and expands no others
	if err := decoder.Decode(s); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("the file is empty")
		}
		return nil, fmt.Errorf("%s: not an annotation of PASCAL VOC in UTF-8: %w", file, err)
	}
	for i := range s.Objects {
		o := &s.Objects[i]
		if o.Name = strings.TrimSpace(o.Name); o.Name == "" {
			return nil, fmt.Errorf("%s: object[%d]: name is missing", file, i)
		}
		if name, ok := vocNames[o.Name]; ok {
			o.Name = name
		}
		found[o.Name] = true
	}
	return s, nil
}

// image turns the annotation into an image without id, and counts its difficult objects.
func (s *vocSheet) image(name string, class map[string]int, opt VOCOptions) (im Image, difficult int, err error) {
	if im.File, err = s.picture(name, opt.ImagesDir); err != nil {
		return im, 0, err
	}
	if s.Width == "" && s.Height == "" {
		im.Height, im.Width, err = ReadSize(im.File)
	} else if im.Width, err = parseSide("size.width", s.Width); err == nil {
		im.Height, err = parseSide("size.height", s.Height)
	}
	if err != nil {
		return im, 0, err
	}
	for i, o := range s.Objects {
		fail := func(err error) (Image, int, error) { return im, 0, fmt.Errorf("object[%d] (%s): %w", i, o.Name, err) }
		if o.Box == nil {
			return fail(errors.New("bndbox is missing"))
		}
		var box [4]float64
		for j, field := range []struct{ name, text string }{{"xmin", o.Box.XMin}, {"ymin", o.Box.YMin}, {"xmax", o.Box.XMax}, {"ymax", o.Box.YMax}} {
			if box[j], err = parseFinite("bndbox."+field.name, field.text); err != nil {
				return fail(err)
			}
			if j < 2 {
				box[j]--
				if box[j] >= -1 { // a few genuine files count from 0
					box[j] = max(box[j], 0)
				}
			}
		}
		clipped, ok := clipBox(box, im.Width, im.Height)
		if !ok {
			return fail(fmt.Errorf("bndbox xmin, ymin, xmax, ymax = %s, %s, %s, %s is reversed or lies outside the image of %dx%d",
				o.Box.XMin, o.Box.YMin, o.Box.XMax, o.Box.YMax, im.Width, im.Height))
		}
		hard := false
		switch strings.TrimSpace(o.Difficult) {
		case "", "0":
		case "1":
			hard = true
			difficult++
		default:
			return fail(fmt.Errorf("difficult is %q, neither 0 nor 1", o.Difficult))
		}
		if hard && opt.Difficult == DifficultDrop {
			continue
		}
		im.Instances = append(im.Instances, Instance{Box: clipped, Category: class[o.Name], Area: boxArea(clipped), Crowd: hard && opt.Difficult == DifficultCrowd})
	}
	return im, difficult, nil
}

// picture finds the picture that belongs to the annotation.
func (s *vocSheet) picture(name, dir string) (string, error) {
	named := strings.TrimSpace(s.Picture)
	if named == "" {
		named = name + ".jpg"
	}
	file, err := findPicture(dir, named)
	if err == nil || !filepath.IsLocal(filepath.FromSlash(named)) {
		return file, err
	}
	// The list decides in VOC; tools that rename pictures often leave the old name in the XML.
	if file, ownErr := findPicture(dir, name+".jpg"); ownErr == nil {
		return file, nil
	}
	return "", err
}

// parseFinite reads a finite number.
func parseFinite(field, text string) (float64, error) {
	v, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("%s is %q, not a finite number", field, text)
	}
	return v, nil
}

// parseSide reads a picture's width or height in pixels.
func parseSide(field, text string) (int, error) {
	v, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || v <= 0 || v > maxPicturePixels {
		return 0, fmt.Errorf("%s is %q, not a number of pixels", field, text)
	}
	return v, nil
}
