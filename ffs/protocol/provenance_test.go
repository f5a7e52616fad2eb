package protocol

import (
	"fmt"
	"image"
	"image/png"
	"os"
	"path/filepath"
	"testing"
	"time"

	"ffslab/data"
	"ffslab/ffs/infer"
)

// fileSet is a set of five picture files with an object each, opened from an annotation file with
// the name of the first object's class and its box's width.
func fileSet(t *testing.T, dir, class string, width int) *data.Dataset {
	t.Helper()
	images, objects := "", ""
	for i := range 5 {
		name := fmt.Sprintf("%d.png", i)
		if path := filepath.Join(dir, name); !exists(dir, name) {
			file, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := png.Encode(file, image.NewGray(image.Rect(0, 0, 40, 30))); err != nil {
				t.Fatal(err)
			}
			if err := file.Close(); err != nil {
				t.Fatal(err)
			}
		}
		if i > 0 {
			images, objects = images+", ", objects+", "
		}
		images += fmt.Sprintf(`{"id": %d, "file_name": %q, "width": 40, "height": 30}`, i, name)
		objects += fmt.Sprintf(`{"id": %d, "image_id": %d, "category_id": 1, "bbox": [1, 2, %d, 10]}`, i+1, i, width)
	}
	text := fmt.Sprintf(`{"images": [%s], "categories": [{"id": 1, "name": %q}], "annotations": [%s]}`, images, class, objects)
	if err := os.WriteFile(filepath.Join(dir, "ann.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	set, err := data.Open("coco:"+filepath.Join(dir, "ann.json")+","+dir, data.Options{Keep: true}) // what is kept must not count: it is a pointer
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// What was computed before a correction of the annotations or pictures, of the same number, is not
// taken for what would be computed now.
func TestCorrectedSetsAreOthers(t *testing.T) {
	dir := t.TempDir()
	record := filepath.Join(t.TempDir(), "source.json")
	of := func(set *data.Dataset) (p Provenance) {
		p.add(set)
		return p
	}
	detected := func(set *data.Dataset) source {
		s, err := sourceOf(infer.Identity{}, set, nil)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := detected(fileSet(t, dir, "cat", 10))
	if err := of(fileSet(t, dir, "cat", 10)).save(record); err != nil {
		t.Fatal(err)
	}
	check := func(what string, set *data.Dataset, matches, sameDetections bool) {
		t.Helper()
		if got := of(set).Matches(record); got != matches {
			t.Errorf("%s: the record matches: %t, want %t", what, got, matches)
		}
		if differs := first.differs(detected(set)); (differs == "") != sameDetections {
			t.Errorf("%s: detections differ in %q", what, differs)
		}
	}
	check("the same set", fileSet(t, dir, "cat", 10), true, true)
	check("another box", fileSet(t, dir, "cat", 11), false, true)
	check("another class", fileSet(t, dir, "dog", 10), false, true)

	// Of five pictures the first, second and fourth are looked into: the third is known by its
	// file.
	path := filepath.Join(dir, "2.png")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, append(content, 0), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	check("a longer file", fileSet(t, dir, "cat", 10), false, false)
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(path, time.Time{}, info.ModTime()); err != nil {
		t.Fatal(err)
	}
	check("the same set again", fileSet(t, dir, "cat", 10), true, true)
	if err := os.Chtimes(path, time.Time{}, info.ModTime().Add(-time.Hour)); err != nil {
		t.Fatal(err)
	}
	check("an older file", fileSet(t, dir, "cat", 10), false, false)
}
