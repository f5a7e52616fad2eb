package data_test

import (
	"path/filepath"
	"testing"

	"ffslab/data"
)

func TestStats(t *testing.T) {
	spec, dir := cocoDir(t, validCOCO)
	s := open(t, spec).Stats()
	if s.Images != 2 || s.Empty != 1 || s.Objects != 1 || s.Crowd != 1 || s.Small != 1 || s.Medium != 0 || s.Width != (data.Spread{Min: 20, Median: 40, Max: 40}) || s.ImagesDir != dir {
		t.Errorf("%+v", s)
	}
	if want := (data.ClassStats{ID: 2, Name: "fish", Images: 1, Crowd: 1}); s.Classes[0] != want {
		t.Errorf("class %+v, want %+v", s.Classes[0], want)
	}
}

func TestDuplicates(t *testing.T) {
	dir := tree(t, map[string]string{"a/1.jpg": "", "b/2.jpg": ""}) // the same picture
	plant(t, dir, map[string]string{"b/3": "another"})
	set := func(name string, files ...string) *data.Dataset {
		d := &data.Dataset{Name: name}
		for i, f := range files {
			d.Images = append(d.Images, data.Image{ID: data.ID(i), File: filepath.Join(dir, f)})
		}
		return d
	}
	found, err := data.Duplicates(set("train", "a/1.jpg"), set("val", "b/3", "b/2.jpg"))
	if err != nil {
		t.Fatal(err)
	}
	want := "[{[{train 0 " + filepath.Join(dir, "a/1.jpg") + "} {val 1 " + filepath.Join(dir, "b/2.jpg") + "}]}]"
	if sprint(found) != want {
		t.Errorf("found %v, want %s", found, want)
	}
	if _, err := data.Duplicates(set("train", "none")); err == nil {
		t.Error("a file that is not there gave no error")
	}
}
