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
