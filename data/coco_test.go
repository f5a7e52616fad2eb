package data_test

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ffslab/data"
)

const validCOCO = `{"images": [{"id": 7, "file_name": "a.png", "width": 40, "height": 30}, {"id": 9, "file_name": "sub/b.png"}],
 "categories": [{"id": 5, "name": "shark"}, {"id": 2, "name": "fish"}],
 "annotations": [{"id": 1, "image_id": 7, "category_id": 5, "bbox": [1.5, 2.25, 10, 20.5], "iscrowd": 0, "area": 150.5,
   "segmentation": [[1.5, 2.25, 11.5, 2.25, 11.5, 22.75]]},
  {"id": 2, "image_id": 7, "category_id": 2, "bbox": [-0.4, 0, 40.9, 30], "iscrowd": 1, "segmentation": {"counts": [0, 1200], "size": [30, 40]}}]}`

// cocoDir writes an annotation file and its two pictures.
func cocoDir(t *testing.T, annotations string) (spec, dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "ann.json"), []byte(annotations))
	write(t, filepath.Join(dir, "a.png"), encodePNG(t, image.NewRGBA(image.Rect(0, 0, 40, 30))))
	write(t, filepath.Join(dir, "sub", "b.png"), encodePNG(t, image.NewGray(image.Rect(0, 0, 20, 25))))
	return "coco:" + filepath.Join(dir, "ann.json") + "," + dir, dir
}

func write(t testing.TB, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o644); err != nil {
		t.Fatal(err)
	}
}

func encodePNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestReadCOCO(t *testing.T) {
	spec, dir := cocoDir(t, validCOCO)
	d, err := data.Open(spec, data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if d.Name != spec || len(d.Categories) != 2 || d.Categories[0] != (data.Category{ID: 2, Name: "fish"}) {
		t.Errorf("name %q, categories %v; want them in the order of their ids", d.Name, d.Categories)
	}
	a, b := d.Images[0], d.Images[1]
	if b.Width != 20 || b.Height != 25 || b.File != filepath.Join(dir, "sub", "b.png") || len(b.Instances) != 0 {
		t.Errorf("the image without size and objects was read as %+v", b)
	}
	want := []data.Instance{
		{Box: [4]float64{1.5, 2.25, 11.5, 22.75}, Category: 1, Area: 150.5},
		{Box: [4]float64{0, 0, 40, 30}, Category: 0, Crowd: true, Area: 1200}, // clipped: it stuck out by a rounding
	}
	if len(a.Instances) != 2 || a.Instances[0] != want[0] || a.Instances[1] != want[1] {
		t.Errorf("objects %+v, want %+v", a.Instances, want)
	}

	ordered, err := d.WithClasses([]string{"whale", "shark", "fish"})
	if err != nil {
		t.Fatal(err)
	}
	if got := ordered.Images[0].Instances; got[0].Category != 1 || got[1].Category != 2 || ordered.Categories[1].ID != 5 {
		t.Errorf("classes after WithClasses: %+v, categories %v", got, ordered.Categories)
	}
	if d.Images[0].Instances[0].Category != 1 || d.Images[0].Instances[1].Category != 0 {
		t.Error("WithClasses changed its receiver")
	}
	if _, err := d.WithClasses([]string{"shark"}); err == nil || !strings.Contains(err.Error(), `"fish"`) {
		t.Errorf("a class unknown to the model gave the error %v", err)
	}
}

func TestOpenNamesWhatItUnderstands(t *testing.T) {
	for _, spec := range []string{"", "voc_custom", "unknown:DEVKIT,val", "coco:ann.json", "coco:,x"} {
		if _, err := data.Open(spec, data.Options{}); err == nil || !strings.Contains(err.Error(), "coco:ANN.json,IMAGES_DIR") {
			t.Errorf("spec %q gave the error %v, which does not show the form", spec, err)
		}
	}
}

func TestDecode(t *testing.T) {
	dir := t.TempDir()
	red := color.NRGBA{R: 200, G: 100, B: 50, A: 128} // half transparent: the stored colour counts
	box := image.Rect(3, 2, 35, 26)                   // an image need not begin at 0, 0
	nrgba, paletted, gray16 := image.NewNRGBA(box), image.NewPaletted(box, color.Palette{color.Black, red}), image.NewGray16(box)
	for y := box.Min.Y; y < box.Max.Y; y++ {
		for x := box.Min.X; x < box.Max.X; x++ {
			nrgba.Set(x, y, red)
			paletted.SetColorIndex(x, y, 1)
			gray16.SetGray16(x, y, color.Gray16{Y: 0x6464})
		}
	}
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, gray16, nil); err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		file    string
		content []byte
		want    [3]uint8 // BGR
	}{
		{"nrgba.png", encodePNG(t, nrgba), [3]uint8{50, 100, 200}},
		{"paletted.png", encodePNG(t, paletted), [3]uint8{50, 100, 200}},
		{"gray16.png", encodePNG(t, gray16), [3]uint8{100, 100, 100}},
		{"photo.jpg", photo.Bytes(), [3]uint8{100, 100, 100}},
	}
	for _, c := range cases {
		path := filepath.Join(dir, c.file)
		write(t, path, c.content)
		im := data.Image{File: path, Width: 32, Height: 24}
		p, err := im.Decode()
		if err != nil {
			t.Errorf("%s: %v", c.file, err)
			continue
		}
		if got := [3]uint8(p.Data[len(p.Data)-3:]); len(p.Data) != 32*24*3 || got != c.want {
			t.Errorf("%s: %d bytes, last pixel %v (BGR), want %v", c.file, len(p.Data), got, c.want)
		}
	}

	cut := filepath.Join(dir, "cut.jpg")
	write(t, cut, photo.Bytes()[:photo.Len()/2])
	for _, im := range []data.Image{
		{File: cut, Width: 32, Height: 24},
		{File: filepath.Join(dir, "photo.jpg"), Width: 24, Height: 32},
		{File: filepath.Join(dir, "absent.jpg"), Width: 32, Height: 24},
	} {
		if _, err := im.Decode(); err == nil || !strings.Contains(err.Error(), im.File) {
			t.Errorf("decoding %s gave the error %v, which does not name it", im.File, err)
		}
	}
}

// A set of real photographs, where it is at hand: beside the repository, not in it.
func TestAquarium(t *testing.T) {
	root := shared(t, "datasets", "aquarium")
	d, err := data.Open("coco:"+root+"/annotations/instances_val.json,"+root+"/images", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	boxes := 0
	for i := range d.Images {
		boxes += len(d.Images[i].Instances)
	}
	if len(d.Images) != 128 || boxes != 899 || len(d.Categories) != 5 {
		t.Errorf("%d images, %d boxes, %d categories; the set's README counts 128, 899 and 5", len(d.Images), boxes, len(d.Categories))
	}
	if _, err := d.Images[0].Decode(); err != nil {
		t.Error(err)
	}
}
