package data

import (
	"cmp"
	"path"
	"regexp"
	"strings"
)

var givenName = regexp.MustCompile(`^([A-Za-z0-9][A-Za-z0-9._-]*)=`)

// CutName divides NAME=SPEC. The name is empty if there is none.
func CutName(text string) (name, spec string) {
	if m := givenName.FindStringSubmatch(text); m != nil {
		return m[1], text[len(m[0]):]
	}
	return "", text
}

// Label returns a short name of the set for figures, tables and folders: its given name, or else
// the spec without the parts that only a machine needs. Of a path that is the last element and its
// folder ("fish/ood"; a folder "annotations" is skipped), of a named set the name.
func (d *Dataset) Label() string {
	if spec := cmp.Or(d.Spec, d.Name); d.Name == spec {
		return shortSpec(spec)
	}
	return d.Name
}

// shortSpec keeps the parts of a spec by which readers distinguish sets.
func shortSpec(spec string) string {
	scheme, arg, hasScheme := strings.Cut(spec, ":")
	if !hasScheme {
		name, _, _ := strings.Cut(spec, "@")
		return name
	}
	arg, options, _ := strings.Cut(arg, "?")
	parts := strings.Split(strings.ReplaceAll(arg, `\`, "/"), ",")
	short := lastElements(parts[0])
	switch scheme {
	case "coco", "bdd100k", "openimages", "images":
	case "voc", "yolo", "ytvis", "nuimages":
		if len(parts) > 1 { // the split, which is the last part of YouTube-VIS's, the second of the others'
			split := parts[1]
			if scheme == "ytvis" {
				split = parts[len(parts)-1]
			}
			short += "/" + split
		}
	default:
		return spec
	}
	if options != "" {
		short += "?" + options
	}
	return short
}

// lastElements returns the last two elements of a path, without the extension.
func lastElements(file string) string {
	file = strings.TrimRight(file, "/")
	name := strings.TrimSuffix(path.Base(file), path.Ext(file))
	folder := path.Dir(file)
	if path.Base(folder) == "annotations" {
		folder = path.Dir(folder)
	}
	if folder = path.Base(folder); folder == "." || folder == "/" || folder == ".." {
		return name
	}
	return folder + "/" + name
}
