package cli

import (
	"image"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ffslab/data"
	"ffslab/ffs/config"
	"ffslab/ffs/run"
)

// plantSet writes a COCO file of three images, of which one is absent, with the classes cat and
// dog; dog has no object.
func plantSet(t *testing.T) (spec string) {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"a.png", "b.png"} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if err := png.Encode(f, image.NewGray(image.Rect(0, 0, 64, 64))); err != nil {
			t.Fatal(err)
		}
	}
	text := `{"images": [{"id": 1, "file_name": "a.png", "width": 64, "height": 64}, {"id": "b", "file_name": "b.png", "width": 64, "height": 64}, {"id": 3, "file_name": "c.png", "width": 64, "height": 64}],
		"categories": [{"id": 0, "name": "cat"}, {"id": 1, "name": "dog"}], "annotations": [{"image_id": 1, "category_id": 0, "bbox": [1, 1, 70, 9]}]}`
	if err := os.WriteFile(filepath.Join(dir, "ann.json"), []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return "coco:" + filepath.Join(dir, "ann.json") + "," + dir
}

// The flags that say how a set is read: what is bad is named with the flag that goes on, and left
// out by it; what is mended is an error to --strict.
func TestReadingFlags(t *testing.T) {
	t.Chdir(t.TempDir())
	spec := plantSet(t)
	if err := ffsData(t, "stats "+spec); err == nil || !strings.Contains(err.Error(), "1 of 3 images") || !strings.Contains(err.Error(), "--skip-bad") {
		t.Errorf("an absent picture gave the error %v", err)
	}
	if err := ffsData(t, "stats --skip-bad --check "+spec); err != nil {
		t.Error(err)
	}
	if err := ffsData(t, "stats --skip-bad --strict "+spec); err == nil || !strings.Contains(err.Error(), "lies partly outside its image") {
		t.Errorf("--strict gave the error %v", err)
	}
}

// The list of the images that were left out lies in the run's folder, under the ids of the
// annotation file.
func TestSkippedImagesAreKept(t *testing.T) {
	set, err := openSet(plantSet(t), data.Options{SkipBad: true})
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "run")
	if err := keepSkipped(dir, set); err != nil {
		t.Fatal(err)
	}
	kept, err := readSkipped(dir)
	if err != nil || len(kept[set.Name]) != 1 || kept[set.Name][0].ID != 3 {
		t.Errorf("kept %v (error %v)", kept, err)
	}
	clean := filepath.Join(t.TempDir(), "run")
	if err := keepSkipped(clean, &data.Dataset{Name: "clean"}); err != nil {
		t.Fatal(err)
	}
	if kept, err := readSkipped(clean); len(kept) != 0 || err != nil {
		t.Errorf("a set without skipped images leaves %v (error %v)", kept, err)
	}
}

// A run that is continued leaves out what it began without: neither more nor less.
func TestContinuedRunsSkipTheSame(t *testing.T) {
	spec := plantSet(t)
	c, err := config.Load("digits", "model.classes=[cat, dog]", "data.train="+spec)
	if err != nil {
		t.Fatal(err)
	}
	r := &run.Run{Dir: t.TempDir(), Config: c}
	if _, err := openTrainingSetAgain(r.Dir, r.Config, data.Options{}); err == nil {
		t.Error("a run that began with all images goes on without one")
	}
	set, err := openTrainingSet(c, data.Options{SkipBad: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := keepSkipped(r.Dir, set); err != nil {
		t.Fatal(err)
	}
	if _, err := openTrainingSetAgain(r.Dir, r.Config, data.Options{}); err != nil {
		t.Error(err)
	}
	_, file, _ := strings.Cut(spec, ",")
	if err := os.Remove(filepath.Join(file, "b.png")); err != nil {
		t.Fatal(err)
	}
	if _, err := openTrainingSetAgain(r.Dir, r.Config, data.Options{}); err == nil || !strings.Contains(err.Error(), "the run started without 1 images") {
		t.Errorf("another absent image gave the error %v", err)
	}
}

// A config.yaml that was cut off before its training set is named, not the flag that a new run
// lacks.
func TestContinuedRunWithoutTrainingSet(t *testing.T) {
	c, err := config.Load("digits", "data.train=''")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if _, err := openTrainingSetAgain(dir, c, data.Options{}); err == nil || !strings.Contains(err.Error(), filepath.Join(dir, "config.yaml")) {
		t.Errorf("error %v, want one that names config.yaml", err)
	}
}

// A class of the model without an object in the training set is told, and an error to --strict; a
// set without any object is always one.
func TestClassesWithoutObjects(t *testing.T) {
	set, err := openSet(plantSet(t), data.Options{SkipBad: true})
	if err != nil {
		t.Fatal(err)
	}
	if err := checkObjects(set, false); err != nil {
		t.Error(err)
	}
	if err := checkObjects(set, true); err == nil || !strings.Contains(err.Error(), `"dog"`) || strings.Contains(err.Error(), `"cat"`) {
		t.Errorf("--strict gave the error %v", err)
	}
	empty, err := set.WithClasses([]string{"cat"})
	if err != nil {
		t.Fatal(err)
	}
	for i := range empty.Images {
		empty.Images[i].Instances = nil
	}
	if err := checkObjects(empty, false); err == nil {
		t.Error("a training set without objects is accepted")
	}
}

// Long groups of equal pictures are shortened.
func TestLongGroupsOfDuplicates(t *testing.T) {
	var group data.Duplicate
	for i := range 20 {
		group.Places = append(group.Places, data.Place{Set: "s", ID: data.ID(i), File: "f"})
	}
	var out strings.Builder
	printDuplicates(&out, []data.Duplicate{group})
	if text := out.String(); strings.Count(text, "(id") != 3 || !strings.Contains(text, "= 17 more") {
		t.Errorf("printed %s", text)
	}
}

// One file that is no picture need not stop the detection in a folder.
func TestDetectSkipsBadFiles(t *testing.T) {
	_, dir, _ := strings.Cut(plantSet(t), ",")
	if err := os.WriteFile(filepath.Join(dir, "d.jpg"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	picture, err := os.ReadFile(filepath.Join(dir, "a.png"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "e.png"), picture[:len(picture)/2], 0o644); err != nil { // its header is whole
		t.Fatal(err)
	}
	files, err := data.ImageFiles([]string{dir})
	if err != nil || len(files) != 4 {
		t.Fatalf("files %v (error %v)", files, err)
	}
	if _, err := imageFiles(files, false); err == nil || !strings.Contains(err.Error(), "d.jpg") || !strings.Contains(err.Error(), "e.png") || !strings.Contains(err.Error(), "--skip-bad") {
		t.Errorf("an empty and a truncated file gave the error %v", err)
	}
	if set, err := imageFiles(files, true); err != nil || len(set.Images) != 2 {
		t.Errorf("%+v (error %v)", set, err)
	}
}
