package data

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strings"
)

// ReadOpenImages reads Open Images' boxes: boxes is a CSV file with a header (validation-annotations-bbox.csv), descriptions the
// table of the classes (class-descriptions-boxable.csv: code and name, with or without a header), and the picture of an ImageID is
// imagesDir/ID.jpg. Categories are all classes of that table, in its order, with ids from 1. Images are numbered in the order of their
// first box; the file names none without a box.
//
// Coordinates are fractions of the picture's sides, which are read from its header. Boxes of groups (IsGroupOf) are crowd regions;
// depictions and views from inside count like the others. Confidence, source and the click points are not looked at.
//
// An error is one line that names the file, the line and the column.
func ReadOpenImages(boxes, descriptions, imagesDir string) (*Dataset, error) {
	d := &Dataset{Annotations: boxes, ImagesDir: imagesDir}
	class, err := readDescriptions(descriptions, d)
	if err != nil {
		return nil, err
	}
	images := map[string]int{}
	groups := 0
	err = readCSV(boxes, func(row []string, column map[string]int) error {
		get := func(name string) string {
			if i, ok := column[name]; ok && i < len(row) {
				return row[i]
			}
			return ""
		}
		category, ok := class[get("LabelName")]
		if !ok {
			return fmt.Errorf("LabelName %q is not in %s", get("LabelName"), descriptions)
		}
		id := strings.Clone(get("ImageID"))
		at, ok := images[id]
		if !ok {
			if id == "" {
				return errors.New("ImageID is missing")
			}
			im := Image{ID: ID(len(d.Images) + 1)}
			var err error
			if im.File, err = findPicture(imagesDir, id+".jpg"); err != nil {
				return fmt.Errorf("ImageID: %w", err)
			}
			if im.Height, im.Width, err = ReadSize(im.File); err != nil {
				return fmt.Errorf("ImageID: %w", err)
			}
			at = len(d.Images)
			images[id] = at
			d.Images = append(d.Images, im)
		}
		im := &d.Images[at]
		var box [4]float64
		for i, name := range []string{"XMin", "YMin", "XMax", "YMax"} {
			v, err := parseFinite(name, get(name))
			if err != nil {
				return err
			}
			if v < 0 || v > 1 {
				return fmt.Errorf("%s is %v, not a fraction between 0 and 1", name, v)
			}
			box[i] = v * float64([]int{im.Width, im.Height}[i%2])
		}
		if box[0] > box[2] || box[1] > box[3] {
			return fmt.Errorf("XMin, YMin, XMax, YMax = %s, %s, %s, %s is reversed", get("XMin"), get("YMin"), get("XMax"), get("YMax"))
		}
		group := get("IsGroupOf")
		switch group {
		case "1":
			groups++
		case "", "0", "-1": // -1: not known
		default:
			return fmt.Errorf("IsGroupOf is %q, none of 0, 1 and -1", group)
		}
		im.Instances = append(im.Instances, Instance{Box: box, Category: category, Crowd: group == "1", Area: boxArea(box)})
		return nil
	}, "ImageID", "LabelName", "XMin", "XMax", "YMin", "YMax")
	if err != nil {
		return nil, err
	}
	if len(d.Images) == 0 {
		return nil, fmt.Errorf("%s: no annotations: the table has no rows", boxes)
	}
	d.note(groups, "boxes of groups are crowd regions")
	return d, nil
}

// readDescriptions fills d.Categories and returns the index of each class code.
func readDescriptions(file string, d *Dataset) (map[string]int, error) {
	class := map[string]int{}
	names := map[string]bool{}
	err := readCSV(file, func(row []string, _ map[string]int) error {
		if len(row) < 2 || row[0] == "" || row[1] == "" {
			return errors.New("a class needs its code and its name, separated by a comma")
		}
		code, name := strings.Clone(row[0]), strings.Clone(row[1])
		if code == "LabelName" { // the header that the seventh edition has
			return nil
		}
		if _, twice := class[code]; twice || names[name] {
			return fmt.Errorf("the class %s (%s) occurs twice", code, name)
		}
		class[code], names[name] = len(d.Categories), true
		d.Categories = append(d.Categories, Category{ID: ID(len(d.Categories) + 1), Name: name})
		return nil
	})
	if err == nil && len(class) == 0 {
		err = fmt.Errorf("%s: no categories: list a class in each line, its code and its name", file)
	}
	return class, err
}

// readCSV calls each with the rows of a CSV file; a row is valid until it returns. If columns are needed, the first line is a header that must name
// them, and each is told the place of every column. An error of each gets the file and the line.
func readCSV(file string, each func(row []string, column map[string]int) error, needed ...string) error {
	f, _, err := openText(file, maxTable)
	if err != nil {
		return err
	}
	defer f.Close()
	r := csv.NewReader(io.LimitReader(bufio.NewReader(f), maxTable))
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
				column[strings.TrimPrefix(strings.TrimSpace(name), "\ufeff")] = i
			}
			for _, name := range needed {
				if _, ok := column[name]; !ok {
					return fmt.Errorf("%s: line %d: the header lacks the column %s", file, line, name)
				}
			}
			continue
		}
		if err := each(row, column); err != nil {
			return fmt.Errorf("%s: line %d: %w", file, line, err)
		}
	}
}
