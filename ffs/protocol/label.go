package protocol

import (
	"path"
	"path/filepath"
	"strings"

	"ffslab/data"
)

// Label is a set's name for figures and tables: its spec without what only a machine needs. Of an annotation file that is its name with the
// folder's ("fish/ood"; a folder "annotations" tells nothing), of a named set the name.
func Label(set *data.Dataset) string {
	scheme, arg, _ := strings.Cut(set.Name, ":")
	if scheme == "coco" {
		file, _, _ := strings.Cut(arg, ",")
		file = filepath.ToSlash(file)
		name := strings.TrimSuffix(path.Base(file), path.Ext(file))
		folder := path.Base(path.Dir(file))
		if folder == "annotations" {
			folder = path.Base(path.Dir(path.Dir(file)))
		}
		if folder != "." && folder != "/" {
			return folder + "/" + name
		}
		return name
	}
	name, _, _ := strings.Cut(set.Name, "@")
	return name
}
