package data

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"ffslab/data/lenient"
)

// finder finds the files that annotation files name, within one folder. Whatever an annotation file
// says, no other file is opened.
type finder struct {
	dir     string
	found   *lenient.Findings
	folders map[string]map[string][]string // file names of each listed folder under dir, by spelling
}

var (
	backslashes  = &lenient.Kind{Told: "file names with backslashes were read with slashes", Fault: "the file name has backslashes"}
	leading      = &lenient.Kind{Told: "pictures were found without the leading folders of their file names", Fault: "the file name has leading folders that the image folder does not have"}
	escapedName  = &lenient.Kind{Told: "file names with escapes (%20) were read without", Fault: "the file name has escapes (%20)"}
	queriedName  = &lenient.Kind{Told: "file names with the query of an address (?x=1) were read without", Fault: "the file name has the query of an address"}
	blankName    = &lenient.Kind{Told: "file names with blanks around them were read without", Fault: "the file name begins or ends with a blank"}
	otherSpell   = &lenient.Kind{Told: "pictures were found under another case or extension than their file names have", Fault: "the file name has another case or extension than the picture"}
	pictureTypes = []string{".jpg", ".jpeg", ".png", ".bmp", ".gif", ".tif", ".tiff", ".webp"}
)

// find returns the path of the picture that an annotation file calls by one of names; empty names
// are ignored. The path must be in the folder, perhaps after removing leading folders, escapes,
// blanks or the query of an address, replacing backslashes, or in another case or with another
// extension. ok is false if there is no such file.
func (f *finder) find(record func() string, names ...string) (file string, ok bool) {
	for _, name := range names {
		if name == "" {
			continue
		}
		if file, ok := f.exact(name); ok {
			return file, true
		}
	}
	for _, name := range names {
		if name == "" {
			continue
		}
		if file, kinds, ok := f.similar(name); ok {
			for _, kind := range kinds {
				f.found.Mend(kind, record)
			}
			return file, true
		}
	}
	return "", false
}

// exact returns the file with that name in the folder.
func (f *finder) exact(name string) (string, bool) {
	local := filepath.FromSlash(name)
	if !filepath.IsLocal(local) {
		return "", false
	}
	file := filepath.Join(f.dir, local)
	return file, isFile(file)
}

// similar returns a file that the name may mean, and how the name differs.
func (f *finder) similar(name string) (file string, kinds []*lenient.Kind, ok bool) {
	if strings.Contains(name, `\`) {
		name, kinds = strings.ReplaceAll(name, `\`, "/"), append(kinds, backslashes)
	}
	if address, err := url.Parse(name); err == nil && address.Scheme != "" && len(address.Scheme) > 1 {
		name = address.Path
	}
	for _, v := range variants(name, kinds) {
		parts := slices.DeleteFunc(strings.Split(path.Clean("/"+v.name), "/"), func(s string) bool { return s == "" })
		for skip := range parts {
			kinds := slices.Clone(v.kinds)
			if skip > 0 || !filepath.IsLocal(filepath.FromSlash(v.name)) {
				kinds = append(kinds, leading)
			}
			rest := strings.Join(parts[skip:], "/")
			if file, ok := f.exact(rest); ok {
				return file, kinds, true
			}
			if file, ok := f.spelled(rest); ok {
				return file, append(kinds, otherSpell), true
			}
		}
	}
	return "", nil, false
}

// variant is a possible meaning of a file name, and how the name differs.
type variant struct {
	name  string
	kinds []*lenient.Kind
}

// variants returns the name itself and then without possible additions.
func variants(name string, kinds []*lenient.Kind) []variant {
	all := []variant{{name, kinds}}
	for _, reading := range []struct {
		kind *lenient.Kind
		of   func(name string) string
	}{
		{blankName, strings.TrimSpace},
		{queriedName, func(name string) string { before, _, _ := strings.Cut(name, "?"); return before }},
		{escapedName, func(name string) string {
			if unescaped, err := url.PathUnescape(name); err == nil {
				return unescaped
			}
			return name
		}},
	} {
		for _, v := range all {
			if read := reading.of(v.name); read != v.name {
				all = append(all, variant{read, append(slices.Clone(v.kinds), reading.kind)})
			}
		}
	}
	return all
}

// spelled returns the picture that differs from a name only by case, extension or composition of
// letters, if there is exactly one.
func (f *finder) spelled(name string) (string, bool) {
	if strings.ContainsRune(name, 0) {
		return "", false
	}
	folder := path.Dir(name)
	listed, known := f.folders[folder]
	if !known {
		listed = map[string][]string{}
		entries, _ := os.ReadDir(filepath.Join(f.dir, filepath.FromSlash(folder))) // an unreadable folder counts as empty
		for _, e := range entries {
			if isPictureName(e.Name()) && !e.IsDir() {
				key := spelling(e.Name())
				listed[key] = append(listed[key], e.Name())
			}
		}
		if f.folders == nil {
			f.folders = map[string]map[string][]string{}
		}
		f.folders[folder] = listed
	}
	base := path.Base(name)
	candidates := listed[spelling(base)]
	if len(candidates) > 1 { // a.jpg and a.png: the extension decides
		candidates = slices.DeleteFunc(slices.Clone(candidates), func(c string) bool { return !strings.EqualFold(path.Ext(c), path.Ext(base)) })
	}
	if len(candidates) != 1 {
		return "", false
	}
	file := filepath.Join(f.dir, filepath.FromSlash(folder), candidates[0])
	return file, isFile(file)
}

// spelling returns the key under which names are equal that differ in case, composition of letters
// or the extension of a picture.
func spelling(name string) string {
	if isPictureName(name) {
		name = strings.TrimSuffix(name, path.Ext(name))
	}
	return strings.ToLower(norm.NFC.String(name))
}

// isPictureName reports whether a file name has the extension of a picture.
func isPictureName(name string) bool {
	ext := strings.ToLower(path.Ext(name))
	return slices.Contains(pictureTypes, ext)
}

// isFile reports whether path is a regular file or a link to one.
func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
