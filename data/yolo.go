package data

import (
	"fmt"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml"

	"ffslab/data/lenient"
)

var (
	strayRoot     = &lenient.Kind{Told: "splits were found without the leading ../ of their path", Fault: "the path of the split leads to no folder"}
	otherCount    = &lenient.Kind{Told: "values of nc differ from the number of the names, which was taken", Fault: "nc is not the number of the names"}
	repeatedLines = &lenient.Kind{Told: "labels that stand in a file twice were read once", Fault: "the same label stands in the file before"}
	confidences   = &lenient.Kind{Told: "labels have a sixth number, as detections have, which was ignored", Fault: "the label has a sixth number, as detections have"}
	outlineBoxes  = &lenient.Kind{Told: "labels with an outline got its box", Fault: "the label has an outline instead of a box"}
)

// yoloConfig is the DATA.yaml of ultralytics.
type yoloConfig struct {
	Path  string `yaml:"path"`
	Train any    `yaml:"train"`
	Val   any    `yaml:"val"`
	Test  any    `yaml:"test"`
	Names any    `yaml:"names"`
	Count int    `yaml:"nc"`
}

// ReadYOLO reads one split (train, val or test) of a data set in ultralytics' layout. config is its
// DATA.yaml, which names the classes and the folders or lists of pictures. The labels of
// .../images/a.jpg are in .../labels/a.txt, or beside the picture if no folder of its path is
// called "images". Each line is an object: its class and the centre, width and height of its box as
// fractions of the picture, or the corners of its outline. A picture without such a file has no
// objects.
//
// Categories have the ids 0, 1, ... of the labels, images the ids 1, 2, ... sorted by path. It
// mends what [Open] mends. The error lists all faults with the file and the line.
func ReadYOLO(config, split string, opt Options) (*Dataset, error) {
	found := lenient.New(opt.Strict)
	raw, err := lenient.ReadText(config, lenient.MaxSheet, found)
	if err != nil {
		return nil, err
	}
	var c yoloConfig
	if err := yaml.Unmarshal(raw, &c); err != nil {
		return nil, fmt.Errorf("%s: not a YAML file of ultralytics' form: %s", config, strings.Join(strings.Fields(yaml.FormatError(err, false, false)), " "))
	}
	found.File = config
	names, err := c.names()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", config, err)
	}
	if c.Count != 0 && c.Count != len(names) {
		found.Mend(otherCount, func() string { return fmt.Sprintf("nc: %d, %d names", c.Count, len(names)) })
	}
	files, root, err := c.pictures(config, split, found)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", config, err)
	}
	o := begin(opt, config, root)
	o.found, o.finder.found = found, found
	for i, name := range names {
		o.dataset.Categories = append(o.dataset.Categories, Category{ID: ID(i), Name: name})
	}
	for i, file := range files {
		o.dataset.Images = append(o.dataset.Images, Image{ID: ID(i + 1), File: file})
		if !isFile(file) {
			o.absent[i], o.dataset.Images[i].File = file, ""
		}
	}
	o.look()
	labelled := 0
	for i := range o.dataset.Images {
		im := &o.dataset.Images[i]
		o.measure(im)
		if im.File != "" && o.readYOLOLabels(labelFile(im.File), im) {
			labelled++
		}
	}
	if labelled == 0 && len(files) > 0 {
		o.dataset.Unlabelled = true
		o.dataset.Notes = append(o.dataset.Notes, fmt.Sprintf("no picture has a file of labels: for %s that is %s", files[0], labelFile(files[0])))
	} else {
		o.dataset.note(len(files)-labelled, "pictures without a file of labels have no objects")
	}
	found.File = ""
	return o.finish()
}

// names returns the classes in the order of their numbers.
func (c *yoloConfig) names() ([]string, error) {
	var names []string
	switch list := c.Names.(type) {
	case []any:
		for _, name := range list {
			names = append(names, fmt.Sprint(name))
		}
	case map[string]any: // 0: cat
		for key, name := range list {
			at, err := strconv.Atoi(key)
			if err != nil || at < 0 || at > 1<<16 {
				return nil, fmt.Errorf("names: %q is no number of a class", key)
			}
			names = append(names, make([]string, max(0, at+1-len(names)))...)
			names[at] = fmt.Sprint(name)
		}
	case nil:
		for i := range c.Count {
			names = append(names, fmt.Sprintf("class%d", i))
		}
	}
	if len(names) == 0 {
		return nil, fmt.Errorf("no classes: list them under names")
	}
	for i, name := range names {
		if name == "" || slices.Contains(names[:i], name) {
			return nil, fmt.Errorf("names: class %d is missing or has the name of another (%q)", i, name)
		}
	}
	return names, nil
}

// pictures returns the files of a split and the folder that holds them.
func (c *yoloConfig) pictures(config, split string, found *lenient.Findings) (files []string, root string, err error) {
	entry := map[string]any{"train": c.Train, "val": c.Val, "valid": c.Val, "test": c.Test}[split]
	if entry == nil {
		var there []string
		for name, e := range map[string]any{"train": c.Train, "val": c.Val, "test": c.Test} {
			if e != nil {
				there = append(there, name)
			}
		}
		slices.Sort(there)
		return nil, "", fmt.Errorf("there is no split %q: it has %s", split, strings.Join(there, ", "))
	}
	var sources []string
	switch e := entry.(type) {
	case []any:
		for _, one := range e {
			sources = append(sources, fmt.Sprint(one))
		}
	default:
		sources = []string{fmt.Sprint(e)}
	}
	for _, source := range sources {
		place, err := c.locate(config, source, found)
		if err != nil {
			return nil, "", fmt.Errorf("%s: %w", split, err)
		}
		listed, dir, err := picturesAt(place, found)
		if err != nil {
			return nil, "", err
		}
		files = append(files, listed...)
		if root == "" {
			root = dir
		} else {
			root = commonFolder(root, dir)
		}
	}
	slices.Sort(files)
	files = slices.Compact(files)
	if len(files) == 0 {
		return nil, "", fmt.Errorf("%s: no pictures in %s", split, strings.Join(sources, ", "))
	}
	return files, root, nil
}

// locate returns the folder or list of a split: under path, which is relative to the file, or
// without a leading "../", as ultralytics does for files that were moved.
func (c *yoloConfig) locate(config, source string, found *lenient.Findings) (string, error) {
	source = strings.ReplaceAll(source, `\`, "/")
	beside := filepath.Dir(config)
	roots := []string{beside}
	if c.Path != "" {
		root := filepath.FromSlash(strings.ReplaceAll(c.Path, `\`, "/"))
		if !filepath.IsAbs(root) {
			roots = []string{filepath.Join(beside, root), beside}
		} else {
			roots = []string{root, beside}
		}
	}
	candidates := []string{source, strings.TrimPrefix(source, "../"), path.Join(path.Base(path.Dir(source)), path.Base(source))}
	for i, name := range candidates {
		for _, root := range roots {
			place := filepath.Join(root, filepath.FromSlash(name))
			if i == 0 && filepath.IsAbs(filepath.FromSlash(name)) {
				place = filepath.FromSlash(name)
			}
			if _, err := os.Stat(place); err == nil {
				if i > 0 {
					found.Mend(strayRoot, func() string { return source })
				}
				return place, nil
			}
		}
	}
	return "", fmt.Errorf("there is no %s: check path (%q) and the splits", filepath.Join(roots[0], filepath.FromSlash(source)), c.Path)
}

// picturesAt lists the pictures of a folder, or of a text file that names them.
func picturesAt(place string, found *lenient.Findings) (files []string, dir string, err error) {
	info, err := os.Stat(place)
	if err != nil {
		return nil, "", err
	}
	if info.IsDir() {
		files, err = ImageFiles([]string{place})
		return files, place, err
	}
	raw, err := lenient.ReadText(place, lenient.MaxTable, found)
	if err != nil {
		return nil, "", err
	}
	dir = filepath.Dir(place)
	for line := range strings.SplitSeq(string(raw), "\n") {
		line = filepath.FromSlash(strings.ReplaceAll(strings.TrimSpace(line), `\`, "/"))
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case filepath.IsAbs(line):
			files = append(files, filepath.Clean(line))
		default:
			files = append(files, filepath.Join(dir, line))
		}
	}
	return files, dir, nil
}

// commonFolder returns the deepest folder that holds both.
func commonFolder(a, b string) string {
	for {
		if rel, err := filepath.Rel(a, b); err == nil && filepath.IsLocal(rel) || filepath.Dir(a) == a {
			return a
		}
		a = filepath.Dir(a)
	}
}

// labelFile returns the file of a picture's labels.
func labelFile(picture string) string {
	text := strings.TrimSuffix(picture, filepath.Ext(picture)) + ".txt"
	separator := string(filepath.Separator)
	images := separator + "images" + separator
	if i := strings.LastIndex(text, images); i >= 0 {
		return text[:i] + separator + "labels" + separator + text[i+len(images):]
	}
	return text
}

// readYOLOLabels adds the objects of a file to its image. It returns false if there is no file.
func (o *opening) readYOLOLabels(file string, im *Image) bool {
	o.found.File = file
	raw, err := lenient.ReadText(file, lenient.MaxSheet, o.found)
	if os.IsNotExist(err) {
		return false
	}
	if err != nil {
		o.found.Fail("%s", bare(file, err))
		return true
	}
	seen := map[string]bool{}
	for i, line := range strings.Split(string(raw), "\n") {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		place := func() string { return fmt.Sprintf("line %d", i+1) }
		key := strings.Join(fields, " ")
		if seen[key] {
			o.found.Mend(repeatedLines, place)
			continue
		}
		seen[key] = true
		class, box, ok := o.readYOLOLine(fields, place)
		if !ok {
			continue
		}
		w, h := float64(im.Width), float64(im.Height)
		if box, _, ok := o.placeBox([4]float64{box[0] * w, box[1] * h, box[2] * w, box[3] * h}, im, place); ok {
			im.Instances = append(im.Instances, Instance{Box: box, Category: class, Area: box.Area()})
		}
	}
	return true
}

// readYOLOLine parses a label: its class, and its box as fractions x0, y0, x1, y1.
func (o *opening) readYOLOLine(fields []string, place func() string) (class int, box [4]float64, ok bool) {
	number, err := parseFinite("the class", fields[0])
	class = int(number)
	if err != nil || number != float64(class) || class < 0 || class >= len(o.dataset.Categories) {
		o.found.Fail("%s: %q is no class: there are the classes 0 to %d", place(), fields[0], len(o.dataset.Categories)-1)
		return 0, box, false
	}
	if len(fields) < 5 || len(fields) > 6 && len(fields)%2 == 0 {
		o.found.Fail("%s: %d numbers are neither a class and a box (5) nor a class and the corners of an outline", place(), len(fields))
		return 0, box, false
	}
	values := make([]float64, len(fields)-1)
	for i, text := range fields[1:] {
		if values[i], err = parseFinite(fmt.Sprintf("number %d", i+2), text); err != nil {
			o.found.Fail("%s: %v", place(), err)
			return 0, box, false
		}
		if values[i] > 2 || values[i] < -1 {
			o.found.Fail("%s: number %d is %s, where a fraction of the picture's side belongs: are these pixels?", place(), i+2, text)
			return 0, box, false
		}
	}
	if len(fields) == 6 {
		o.found.Mend(confidences, place)
	}
	if len(fields) <= 6 {
		return class, [4]float64{values[0] - values[2]/2, values[1] - values[3]/2, values[0] + values[2]/2, values[1] + values[3]/2}, true
	}
	o.found.Tell(outlineBoxes, place)
	box = [4]float64{values[0], values[1], values[0], values[1]}
	for i, v := range values {
		box[i%2], box[2+i%2] = min(box[i%2], v), max(box[2+i%2], v)
	}
	return class, box, true
}
