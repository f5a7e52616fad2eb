package data

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"

	"ffslab/data/lenient"
)

// openImagesRow is a row of Open Images' table of boxes.
type openImagesRow struct {
	line, image, category int
	box                   [4]float64 // XMin, YMin, XMax, YMax, as fractions of the image
	group                 bool
}

var (
	noPicture       = &lenient.Kind{Told: "images whose picture is absent were left out: a part of the set was downloaded", Fault: "there is no such picture"}
	undescribed     = &lenient.Kind{Told: "boxes of classes that the table of classes lacks were left out", Fault: "its LabelName is not in the table of classes"}
	repeatedClasses = &lenient.Kind{Told: "classes that are listed more than once were read once", Fault: "the class is listed before"}
)

// ReadOpenImages reads Open Images' boxes. boxes is a CSV file with a header
// (validation-annotations-bbox.csv), descriptions the table of classes
// (class-descriptions-boxable.csv: code and name, with or without a header). The picture of an
// ImageID is imagesDir/ID.jpg. Categories are all classes of that table, in its order, with ids
// from 1. Images are numbered in the order of their first box; the file lists no image without a
// box. Most people download a part of the set: boxes of missing pictures are left out and counted.
//
// Coordinates are fractions of the picture, whose size is read from its header. Boxes of groups
// (IsGroupOf) are crowd regions; depictions and views from inside count like others. Confidence,
// source and click points are ignored.
//
// It mends what [Open] mends. The error lists all faults with the file, the line and the column.
func ReadOpenImages(boxes, descriptions, imagesDir string, opt Options) (*Dataset, error) {
	o := begin(opt, boxes, imagesDir)
	class, err := o.readDescriptions(descriptions)
	if err != nil {
		return nil, err
	}
	rows, names, err := o.readOpenImagesRows(boxes, descriptions, class)
	if err != nil {
		return nil, err
	}
	images := o.addDownloaded(names)
	o.look()
	for i := range o.dataset.Images {
		o.measure(&o.dataset.Images[i])
	}
	groups, pixels := 0, 0
	for _, row := range rows {
		at := images[row.image]
		if at < 0 {
			continue
		}
		place := func() string { return fmt.Sprintf("line %d: %s", row.line, names[row.image]) }
		if max(row.box[0], row.box[1], row.box[2], row.box[3]) > 2 {
			pixels++
		}
		im := &o.dataset.Images[at]
		w, h := float64(im.Width), float64(im.Height)
		box, _, ok := o.placeBox([4]float64{row.box[0] * w, row.box[1] * h, row.box[2] * w, row.box[3] * h}, im, place)
		if !ok {
			continue
		}
		if row.group {
			groups++
		}
		im.Instances = append(im.Instances, Instance{Box: box, Category: row.category, Crowd: row.group, Area: box.Area()})
	}
	if 2*pixels > len(rows) {
		o.found.Fail("%d of %d boxes have coordinates above 1: they look like pixels where fractions of the picture's sides belong", pixels, len(rows))
	}
	if len(rows) == 0 && !o.found.Failed() {
		o.found.Fail("no annotations: the table has no rows")
	}
	if len(rows) > 0 && len(o.dataset.Images) == 0 {
		o.found.Fail("none of the pictures of %d images is in %s: check IMAGES_DIR", len(names), imagesDir)
	}
	o.dataset.note(groups, "boxes of groups are crowd regions")
	return o.finish()
}

// addDownloaded adds the images whose picture exists, and returns the index of the image of each
// name, -1 if it is missing.
func (o *opening) addDownloaded(names []string) []int {
	images := make([]int, len(names))
	for i, name := range names {
		record := func() string { return "ImageID " + name }
		file, ok := o.find(record, name+".jpg", name)
		if !ok {
			o.found.Mend(noPicture, record)
			images[i] = -1
			continue
		}
		images[i] = len(o.dataset.Images)
		o.dataset.Images = append(o.dataset.Images, Image{ID: ID(len(o.dataset.Images) + 1), File: file})
	}
	return images
}

// readOpenImagesRows reads the table of boxes, and the ids of its images in the order of their
// first box.
func (o *opening) readOpenImagesRows(boxes, descriptions string, class map[string]int) (rows []openImagesRow, names []string, err error) {
	images := map[string]int{}
	listed := 0
	err = readCSV(boxes, o.found, func(row []string, column map[string]int, line int) {
		get := func(name string) string {
			if i, ok := column[name]; ok && i < len(row) {
				return strings.TrimSpace(row[i])
			}
			return ""
		}
		place := func() string { return fmt.Sprintf("line %d", line) }
		listed++
		r := openImagesRow{line: line}
		var ok bool
		if r.category, ok = class[get("LabelName")]; !ok {
			o.found.Mend(undescribed, func() string {
				return fmt.Sprintf("%s: LabelName %q is not in %s", place(), get("LabelName"), descriptions)
			})
			return
		}
		id := strings.Clone(get("ImageID"))
		if id == "" {
			o.found.Fail("%s: ImageID is missing", place())
			return
		}
		if r.image, ok = images[id]; !ok {
			r.image = len(names)
			images[id] = r.image
			names = append(names, id)
		}
		for i, name := range []string{"XMin", "YMin", "XMax", "YMax"} {
			if r.box[i], err = parseFinite(name, get(name)); err != nil {
				o.found.Fail("%s: %v", place(), err)
				return
			}
		}
		switch group := strings.ToLower(get("IsGroupOf")); group {
		case "1", "true":
			r.group = true
		case "", "0", "-1", "false": // -1 means unknown
		default:
			o.found.Fail("%s: IsGroupOf is %q, none of 0, 1 and -1", place(), group)
		}
		rows = append(rows, r)
	}, "ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax")
	if err == nil && listed > 0 && len(rows) == 0 && !o.found.Failed() {
		o.found.Fail("none of the %d boxes is of a class of %s", listed, descriptions)
	}
	return rows, names, err
}

// readDescriptions sets the categories and returns the index of each class code.
func (o *opening) readDescriptions(file string) (map[string]int, error) {
	class := map[string]int{}
	names := map[string]bool{}
	d := o.dataset
	err := readCSV(file, o.found, func(row []string, _ map[string]int, line int) {
		if len(row) < 2 || strings.TrimSpace(row[0]) == "" || strings.TrimSpace(row[1]) == "" {
			o.found.Fail("line %d: a class needs its code and its name, separated by a comma", line)
			return
		}
		code, name := strings.Clone(strings.TrimSpace(row[0])), strings.Clone(strings.TrimSpace(row[1]))
		if code == "LabelName" { // the header that the seventh edition has
			return
		}
		place := func() string { return fmt.Sprintf("line %d: %s (%s)", line, code, name) }
		if at, twice := class[code]; twice && d.Categories[at].Name == name {
			o.found.Mend(repeatedClasses, place)
			return
		} else if twice || names[name] {
			o.found.Fail("%s: the class occurs twice", place())
			return
		}
		class[code], names[name] = len(d.Categories), true
		d.Categories = append(d.Categories, Category{ID: ID(len(d.Categories) + 1), Name: name})
	})
	if err == nil && len(class) == 0 && !o.found.Failed() {
		o.found.Fail("no categories: list a class in each line, its code and its name")
	}
	return class, err
}

// readCSV calls each with the rows of a CSV file and their line numbers; a row is valid until each
// returns. If columns are needed, the first line is a header that must name them, and column maps
// all names to indices.
func readCSV(file string, found *lenient.Findings, each func(row []string, column map[string]int, line int), needed ...string) error {
	found.File = file
	f, err := lenient.Open(file, lenient.MaxTable, found)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(bufio.NewReader(f))
	r.ReuseRecord = true
	r.FieldsPerRecord = -1
	var column map[string]int
	for {
		row, err := r.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: not a CSV table: %w", file, err)
		}
		line, _ := r.FieldPos(0)
		if column == nil && len(needed) > 0 {
			column = make(map[string]int, len(row))
			for i, name := range row {
				column[strings.TrimSpace(name)] = i
			}
			for _, name := range needed {
				if _, ok := column[name]; !ok {
					return fmt.Errorf("%s: line %d: the header lacks the column %s", file, line, name)
				}
			}
			continue
		}
		each(row, column, line)
	}
}
