package data

import (
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"
)

// ReadImages reads a folder of pictures, including subfolders, as a set without labels, for an
// outlier set whose objects are not annotated. The images are the files with the extension of a
// picture (jpg, jpeg, png, bmp, gif, tif, tiff, webp), sorted by path, with ids from 1. Files and
// folders whose name begins with a dot are ignored; other files are counted in Notes.
func ReadImages(dir string, opt Options) (*Dataset, error) {
	o := begin(opt, dir, dir)
	others := 0
	var files []string
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case path != dir && strings.HasPrefix(e.Name(), "."):
			if e.IsDir() {
				return filepath.SkipDir
			}
		case e.IsDir():
		case isPictureName(e.Name()):
			files = append(files, path)
		default:
			others++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: no pictures: none of its %d files is called .jpg, .png or the like", dir, others)
	}
	o.dataset.note(others, "files that are no pictures were left out")
	return o.pictures(files)
}

// PictureSet returns picture files as a set without labels, in the given order, with ids from 1.
// Messages use the name.
func PictureSet(name string, files []string, opt Options) (*Dataset, error) {
	o := begin(opt, name, "")
	o.dataset.Name = name
	return o.pictures(files)
}

// pictures finishes reading a set that consists of picture files.
func (o *opening) pictures(files []string) (*Dataset, error) {
	o.dataset.Unlabelled = true
	for i, file := range files {
		o.dataset.Images = append(o.dataset.Images, Image{ID: ID(i + 1), File: file})
	}
	o.look()
	for i := range o.dataset.Images {
		o.measure(&o.dataset.Images[i])
	}
	return o.finish()
}

// ImageFiles returns the paths with every folder replaced by the pictures in it and its subfolders,
// sorted by path.
func ImageFiles(paths []string) ([]string, error) {
	var files []string
	for _, path := range paths {
		begin := len(files)
		err := filepath.WalkDir(path, func(file string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() && (file == path || isPictureName(file)) {
				files = append(files, file)
			}
			return err
		})
		if err != nil {
			return nil, err
		}
		if len(files) == begin {
			return nil, fmt.Errorf("%s: no pictures: none of its files is called .jpg, .png or the like", path)
		}
	}
	return files, nil
}
