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

func TestCOCOFaults(t *testing.T) {
	cases := []struct{ name, old, new, want string }{
		{"cut short", `"iscrowd": 1, "segmentation": {"counts": [0, 1200], "size": [30, 40]}}]}`, `"iscr`, "cut short: it ends at byte"},
		{"NaN", "[1.5,", "[NaN,", "NaN at byte"},
		{"infinite", "[1.5,", "[-Infinity,", "Infinity at byte"},
		{"overflow", "[1.5,", "[1e999,", "annotations.bbox"},
		{"not JSON", `"annotations": [`, `"annotations": <`, "not JSON at byte"},
		{"text for a number", "[1.5,", `["1.5",`, "a finite number belongs"},
		{"a results file", validCOCO, `[{"image_id": 1}]`, "the top level"},
		{"no annotations", validCOCO[strings.Index(validCOCO, `[{"id": 1, "image`):], `[]}`, "no annotations"},
		{"no categories", `[{"id": 5, "name": "shark"}, {"id": 2, "name": "fish"}]`, `[]`, "no categories"},
		{"unknown category", `"category_id": 5`, `"category_id": 6`, "annotations[0] (id 1): category_id 6"},
		{"unknown image", `"image_id": 7, "category_id": 2`, `"image_id": 8, "category_id": 2`, "annotations[1] (id 2): image_id 8"},
		{"no image id", `"image_id": 7, "category_id": 2`, `"category_id": 2`, "annotations[1] (id 2): image_id or category_id is missing"},
		{"negative size", "10, 20.5]", "10, -20.5]", "annotations[0] (id 1): bbox [1.5 2.25 10 -20.5] has a negative size"},
		{"outside", "10, 20.5]", "10, 29]", "annotations[0] (id 1): bbox [1.5 2.25 10 29] = [x, y, width, height] lies outside"},
		{"far outside", "[1.5, 2.25,", "[-100, 2.25,", "lies outside"},
		{"three numbers", "10, 20.5]", "10]", "not the 4"},
		{"missing picture", `"sub/b.png"`, `"sub/c.png"`, "images[1] (id 9, sub/c.png): there is no picture"},
		{"outside the folder", `"sub/b.png"`, `"../b.png"`, `images[1] (id 9, ../b.png): the picture name "../b.png" leads out of the image folder`},
		{"out by way of a folder", `"sub/b.png"`, `"sub/../../b.png"`, "leads out of the image folder"},
		{"with a zero byte", `"sub/b.png"`, `"sub/b.png\u0000"`, `there is no picture`},
		{"another system's separator", `"sub/b.png"`, `"..\\b.png"`, `there is no picture`}, // on Windows: leads out
		{"absolute", `"sub/b.png"`, `"/etc/hosts"`, "leads out of the image folder"},
		{"line break in a name", `"sub/b.png"`, `"sub/b\n.png"`, "there is no picture"},
		{"same image id", `"id": 9`, `"id": 7`, "images[1] (id 7, sub/b.png): images[0] has the same id"},
		{"same annotation id", `"id": 2, "image_id"`, `"id": 1, "image_id"`, "annotations[1] (id 1): annotations[0] has the same id"},
		{"same category id", `"id": 2, "name"`, `"id": 5, "name"`, "categories: id 5 occurs twice"},
		{"same category name", `"fish"`, `"shark"`, `categories[1] (id 2): the name "shark" occurs twice`},
		{"impossible size", `"width": 40`, `"width": -40`, "cannot be -40 wide"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			text := strings.Replace(validCOCO, c.old, c.new, 1)
			if text == validCOCO {
				t.Fatalf("%q is not in the file", c.old)
			}
			spec, dir := cocoDir(t, text)
			_, err := data.Open(spec, data.Options{})
			if err == nil {
				t.Fatal("no error")
			}
			message := err.Error()
			if !strings.Contains(message, c.want) || !strings.Contains(message, filepath.Join(dir, "ann.json")) || strings.Contains(message, "\n") {
				t.Errorf("error %q, want one line with the file and %q", message, c.want)
			}
		})
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
