package data

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"ffslab/data/lenient"
)

// vocLayout holds the paths of the parts of a VOC split.
type vocLayout struct {
	list                string   // list of the names, or a folder in its place
	annotations, images string   // folders
	names               []string // of the annotations, with slashes and without extension
}

var (
	repeatedName = &lenient.Kind{Told: "names that a list has more than once were read once", Fault: "the name stands in the list before"}
	listedPath   = &lenient.Kind{Told: "lines of a list with a path or an extension were read without", Fault: "the line holds a path or an extension, not a name"}
)

func findVOC(dir, split string, found *lenient.Findings) (vocLayout, error) {
	l := vocLayout{
		list:        filepath.Join(dir, "ImageSets", "Main", split+".txt"),
		annotations: filepath.Join(dir, "Annotations"), images: filepath.Join(dir, "JPEGImages"),
	}
	var missing error
	for _, list := range []string{l.list, filepath.Join(dir, "ImageSets", split+".txt")} {
		names, err := readVOCList(list, l.annotations, found)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			l.list, l.names = list, names
			return l, err
		}
		missing = cmp.Or(missing, err)
	}
	for _, flat := range []string{filepath.Join(dir, split), dir} {
		if flat == dir && split != "all" || !filepath.IsLocal(split) {
			continue
		}
		for _, folders := range [][2]string{{".", "."}, {"Annotations", "JPEGImages"}, {"annotations", "images"}, {"Annotations", "images"}, {"annotations", "JPEGImages"}} {
			l.list, l.annotations, l.images = flat, filepath.Join(flat, folders[0]), filepath.Join(flat, folders[1])
			if l.names = sheetNames(l.annotations); len(l.names) > 0 {
				return l, nil
			}
		}
	}
	return l, fmt.Errorf("%w: %s", missing, otherSplits(dir))
}

// sheetNames lists the XML files of a folder, without extension.
func sheetNames(dir string) (names []string) {
	entries, _ := os.ReadDir(dir) // an unreadable folder counts as empty
	for _, e := range entries {
		if ext := path.Ext(e.Name()); strings.EqualFold(ext, ".xml") && !e.IsDir() {
			names = append(names, strings.TrimSuffix(e.Name(), ext))
		}
	}
	return names
}

// otherSplits says which splits a folder has.
func otherSplits(dir string) string {
	entries, _ := os.ReadDir(filepath.Join(dir, "ImageSets", "Main"))
	var splits []string
	for _, e := range entries {
		if split, ok := strings.CutSuffix(e.Name(), ".txt"); ok && !strings.Contains(split, "_") { // aeroplane_train is the list of one class
			splits = append(splits, split)
		}
	}
	entries, _ = os.ReadDir(dir)
	for _, e := range entries {
		if e.IsDir() && len(sheetNames(filepath.Join(dir, e.Name()))) > 0 && !strings.EqualFold(e.Name(), "annotations") {
			splits = append(splits, e.Name())
		}
	}
	if len(splits) == 0 {
		return "give a folder of PASCAL VOC's layout (VOCdevkit/VOC2007), with lists in ImageSets/Main, or one with XML files beside their pictures and the split all"
	}
	return "the splits there are " + strings.Join(splits, ", ")
}

// readVOCList reads the names of a split. A line is a name; or a name and the flag of a class (-1,
// 0, 1), as in VOC's lists of single classes; or it begins with the name of an annotation. Lines
// that begin with
// # are comments.
func readVOCList(file, annotations string, found *lenient.Findings) ([]string, error) {
	raw, err := lenient.ReadText(file, lenient.MaxTable, found)
	if err != nil {
		return nil, err
	}
	found.File = file
	var names []string
	seen := map[string]bool{}
	for i, line := range strings.Split(string(raw), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		place := func() string { return fmt.Sprintf("line %d: %s", i+1, line) }
		name, plain := listedName(line, annotations)
		if !plain {
			found.Mend(listedPath, place)
		}
		if !filepath.IsLocal(filepath.FromSlash(name)) {
			found.Fail("%s: the name leads out of the data set's folder", place())
			continue
		}
		if seen[name] {
			found.Mend(repeatedName, place)
			continue
		}
		seen[name] = true
		names = append(names, name)
	}
	if len(names) == 0 {
		found.Fail("no images: list one name a line")
	}
	return names, nil
}

// listedName returns the name of the annotation that a line of a list means; plain reports whether
// the line is just that name and perhaps a flag.
func listedName(line, annotations string) (name string, plain bool) {
	exists := func(name string) bool {
		local := filepath.FromSlash(name)
		return filepath.IsLocal(local) && isFile(filepath.Join(annotations, local+".xml"))
	}
	first := strings.Fields(line)[0]
	flagless := line
	if words := strings.Fields(line); len(words) > 1 && slices.Contains([]string{"-1", "0", "1"}, words[len(words)-1]) {
		flagless = strings.TrimSpace(strings.TrimSuffix(line, words[len(words)-1]))
	}
	for _, name := range []string{line, flagless, first} {
		if exists(name) {
			return name, true
		}
	}
	for _, name := range []string{flagless, first} {
		base := path.Base(strings.ReplaceAll(name, `\`, "/"))
		for _, name := range []string{base, strings.TrimSuffix(base, path.Ext(base))} {
			if exists(name) {
				return name, false
			}
		}
	}
	return first, true
}
