package data_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ffslab/data"
	_ "ffslab/data/digits"
)

func TestWriteCOCO(t *testing.T) {
	spec, dir := cocoDir(t, validCOCO)
	d := open(t, spec)
	path := filepath.Join(dir, "out.json")
	if err := data.WriteCOCO(path, d); err != nil {
		t.Fatal(err)
	}
	again := open(t, "coco:"+path+","+dir)
	if sprint(again.Images) != sprint(d.Images) || sprint(again.Categories) != sprint(d.Categories) {
		t.Errorf("read again: %+v, want %+v", again.Images, d.Images)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if text := string(raw); !strings.Contains(text, `"bbox":[1.5,2.25,10,20.5],"area":150.5`) || !strings.Contains(text, `"file_name":"sub/b.png"`) {
		t.Errorf("the file says %s", text)
	}

	d.Images[1].ID = d.Images[0].ID
	if err := data.WriteCOCO(path, d); err == nil || !strings.Contains(err.Error(), "image id 7 ") {
		t.Errorf("an id that occurs twice gave the error %v", err)
	}
	d.Images[1].ID++
	d.ImagesDir = filepath.Join(dir, "sub")
	if err := data.WriteCOCO(path, d); err == nil || !strings.Contains(err.Error(), "does not lie under") {
		t.Errorf("a picture outside the folder gave the error %v", err)
	}
	after, err := os.ReadFile(path)
	if err != nil || string(after) != string(raw) {
		t.Error("a write that failed has touched the file")
	}
	if left, err := filepath.Glob(filepath.Join(dir, ".out.json*")); err != nil || len(left) > 0 {
		t.Errorf("a write that failed has left %v", left)
	}
}

func TestSavePictures(t *testing.T) {
	d := open(t, "digits:val?n=2&size=128")
	dir := t.TempDir()
	path := filepath.Join(dir, "digits.json")
	if err := data.WriteCOCO(path, d); err == nil || !strings.Contains(err.Error(), "generated") {
		t.Errorf("generated pictures gave the error %v", err)
	}
	done := 0
	saved, err := data.SavePictures(d, filepath.Join(dir, "pictures"), func(n, total int) { done += n*10 + total })
	if err != nil || done != 12+22 {
		t.Fatalf("error %v, progress %d", err, done)
	}
	if err := data.WriteCOCO(path, saved); err != nil {
		t.Fatal(err)
	}
	again := open(t, "coco:"+path+","+saved.ImagesDir)
	for i := range d.Images {
		want, err := d.Images[i].Decode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := again.Images[i].Decode()
		if err != nil {
			t.Fatal(err)
		}
		if string(got.Data) != string(want.Data) || len(again.Images[i].Instances) != len(d.Images[i].Instances) {
			t.Errorf("image %d is not the same after it was written", i)
		}
	}
}

// What a COCO file says beside boxes and classes is there after it was read and written, in each of
// its records, and a part of the set has its own.
func TestWriteCOCOKeepsTheFile(t *testing.T) {
	const source = `{"info": {"year": 2024, "description": "a \"set\""}, "licenses": [{"id": 3, "name": "CC0"}], "extra": [1,
 2],
 "images": [{"id": 7, "file_name": "a.png", "width": 40, "height": 30, "license": 3, "coco_url": "http://x/a.png"}, {"id": 9, "file_name": "sub/b.png", "license": null}],
 "categories": [{"id": 5, "name": "shark", "supercategory": "animal"}, {"id": 2, "name": "fish"}],
 "annotations": [{"id": 31, "image_id": 7, "category_id": 5, "segmentation": [[1.5, 2.25, 11.5, 2.25, 11.5, 22.75]], "area": 100, "iscrowd": 0, "tags": {"far": true}},
  {"id": 12, "image_id": 9, "category_id": 2, "bbox": [0, 0, 5, 6], "area": 30, "iscrowd": 0}]}`
	spec, dir := cocoDir(t, source)
	d, err := data.Open(spec, data.Options{Keep: true})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "out.json")
	text := func(d *data.Dataset) string {
		t.Helper()
		if err := data.WriteCOCO(path, d); err != nil {
			t.Fatal(err)
		}
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		return string(raw)
	}
	want := `{"info":{"year":2024,"description":"a \"set\""},"licenses":[{"id":3,"name":"CC0"}],"extra":[1,2],
"images": [
{"id":7,"file_name":"a.png","width":40,"height":30,"license":3,"coco_url":"http://x/a.png"},
{"id":9,"file_name":"sub/b.png","width":20,"height":25}
],
"categories": [
{"id":2,"name":"fish"},
{"id":5,"name":"shark","supercategory":"animal"}
],
"annotations": [
{"id":31,"image_id":7,"category_id":5,"bbox":[1.5,2.25,10,20.5],"area":100,"iscrowd":0,"segmentation":[[1.5,2.25,11.5,2.25,11.5,22.75]],"tags":{"far":true}},
{"id":12,"image_id":9,"category_id":2,"bbox":[0,0,5,6],"area":30,"iscrowd":0}
]}
`
	if got := text(d); got != want {
		t.Errorf("written:\n%s\nwant:\n%s", got, want)
	}
	split, err := data.MakeSplit(d, data.SplitOptions{Inliers: []string{"shark"}, Far: []string{"fish"}})
	if err != nil {
		t.Fatal(err)
	}
	if got := text(split.OOD); !strings.Contains(got, `"id":12,`) || !strings.Contains(got, `"licenses"`) || strings.Contains(got, "tags") {
		t.Errorf("a part of the set is written as\n%s", got)
	}
	// An id that two annotations have makes all of them be numbered.
	d.Images[1].Instances = append(d.Images[1].Instances, d.Images[0].Instances[0])
	if got := text(d); !strings.Contains(got, `{"id":1,"image_id":7`) || !strings.Contains(got, `{"id":3,"image_id":9`) || !strings.Contains(got, `"tags":{"far":true}`) {
		t.Errorf("with an id twice the file is\n%s", got)
	}
	if got := text(open(t, spec)); strings.Contains(got, "segmentation") || strings.Contains(got, "info") || !strings.Contains(got, `{"id":1,`) {
		t.Errorf("without Keep the file is\n%s", got)
	}
}
