package data_test

import (
	"bytes"
	"image"
	"image/jpeg"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"ffslab/data"
)

// The fuzz tests write what they are given as annotation files into a folder with a few pictures.
// Whatever stands there, opening the set must return: either a set whose objects lie in their
// pictures and whose pictures lie in the folder, or an error that names a file, in lines without
// control characters. Run one with
//
//	go test ./data -fuzz ^FuzzReadVOC$ -fuzztime 1m -fuzzminimizetime 10x

func fuzzOpen(t *testing.T, dir, spec string, files map[string]string) {
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	d, err := data.Open(spec, data.Options{})
	if err != nil {
		message := err.Error()
		if !strings.Contains(message, dir) || strings.ContainsFunc(message, func(r rune) bool { return r != '\n' && !unicode.IsPrint(r) }) {
			t.Errorf("error %q is not printable or names no file", message)
		}
		return
	}
	for _, im := range d.Images {
		if rel, err := filepath.Rel(dir, im.File); err != nil || !filepath.IsLocal(rel) {
			t.Errorf("picture %s does not lie in the folder", im.File)
		}
		if im.Width <= 0 || im.Height <= 0 {
			t.Errorf("a picture of %dx%d", im.Width, im.Height)
		}
		for _, o := range im.Instances {
			b := o.Box
			if o.Category < 0 || o.Category >= len(d.Categories) || !(0 <= b[0] && b[0] <= b[2] && b[2] <= float64(im.Width) && 0 <= b[1] && b[1] <= b[3] && b[3] <= float64(im.Height)) {
				t.Errorf("object %+v in a picture of %dx%d", o, im.Width, im.Height)
			}
		}
	}
}

// seeds adds a text, the text cut short, and the text with parts that readers stumble over.
func seeds(f *testing.F, text string) {
	f.Add(text)
	f.Add(text[:len(text)/2])
	f.Add(strings.ReplaceAll(text, "1", "-1e308"))
	f.Add(strings.ReplaceAll(text, "\"", "<!DOCTYPE a [<!ENTITY b '&b;&b;'>]>&b;"))
	f.Add(strings.Repeat("[", 20_000))
	f.Add("\xff\xfe\x00")
	f.Add("null")
	f.Add("[{}]")
	f.Add("")
}

func FuzzReadCOCO(f *testing.F) {
	dir := tree(f, map[string]string{"a.png": "", "sub/b.png": ""})
	seeds(f, validCOCO)
	f.Fuzz(func(t *testing.T, text string) {
		fuzzOpen(t, dir, "coco:"+filepath.Join(dir, "ann.json")+","+dir, map[string]string{"ann.json": text})
	})
}

func FuzzReadVOC(f *testing.F) {
	dir := tree(f, vocFiles)
	seeds(f, vocFiles["Annotations/a.xml"])
	f.Fuzz(func(t *testing.T, text string) {
		fuzzOpen(t, dir, "voc:"+dir+",val", map[string]string{"Annotations/a.xml": text})
	})
}

func FuzzReadVOCList(f *testing.F) {
	dir := tree(f, vocFiles)
	seeds(f, vocFiles["ImageSets/Main/val.txt"])
	f.Fuzz(func(t *testing.T, text string) {
		fuzzOpen(t, dir, "voc:"+dir+",val", map[string]string{"ImageSets/Main/val.txt": text})
	})
}

func FuzzReadBDD100K(f *testing.F) {
	dir := tree(f, bddFiles)
	seeds(f, bddFiles["labels/v.json"])
	seeds(f, bddFiles["labels/w.json"])
	f.Fuzz(func(t *testing.T, text string) {
		fuzzOpen(t, dir, bddSpec(dir), map[string]string{"labels/v.json": text})
	})
}

func FuzzReadYouTubeVIS(f *testing.F) {
	dir := tree(f, visFiles)
	seeds(f, visFiles["instances.json"])
	f.Fuzz(func(t *testing.T, text string) {
		fuzzOpen(t, dir, visSpec("all")(dir), map[string]string{"instances.json": text})
	})
}

func FuzzReadNuImages(f *testing.F) {
	dir := tree(f, nuFiles)
	const category, sample, object = "v1.0-val/category.json", "v1.0-val/sample_data.json", "v1.0-val/object_ann.json"
	f.Add(nuFiles[category], nuFiles[sample], nuFiles[object])
	f.Add(nuFiles[category], nuFiles[sample], "[{}]")
	f.Add(nuFiles[category], "[{}]", nuFiles[object])
	f.Add("null", nuFiles[sample], nuFiles[object])
	f.Add(nuFiles[category], nuFiles[sample], nuFiles[object][:len(nuFiles[object])/2])
	f.Fuzz(func(t *testing.T, categories, samples, objects string) {
		fuzzOpen(t, dir, nuSpec(dir), map[string]string{category: categories, sample: samples, object: objects})
	})
}

func FuzzReadOpenImages(f *testing.F) {
	dir := tree(f, oiFiles)
	f.Add(oiFiles["boxes.csv"], oiFiles["classes.csv"])
	f.Add(oiFiles["boxes.csv"][:150], oiFiles["classes.csv"])
	f.Add(strings.ReplaceAll(oiFiles["boxes.csv"], "xclick", "\"\n"), oiFiles["classes.csv"])
	f.Add(oiFiles["boxes.csv"], "\"\"\n,\n")
	f.Add("", "\n\n")
	f.Fuzz(func(t *testing.T, boxes, classes string) {
		fuzzOpen(t, dir, oiSpec(dir), map[string]string{"boxes.csv": boxes, "classes.csv": classes})
	})
}

// Pictures: a file decodes to the size that its header promises, or gives an error that names it.
func FuzzReadFile(f *testing.F) {
	path := filepath.Join(f.TempDir(), "picture")
	small := image.NewRGBA(image.Rect(0, 0, 9, 7))
	var photo bytes.Buffer
	if err := jpeg.Encode(&photo, small, nil); err != nil {
		f.Fatal(err)
	}
	turned := jpegSegment(photo.Bytes(), 0xe1, append([]byte("Exif\x00\x00"), exif(6)...))
	f.Add(turned)
	f.Add(turned[:len(turned)/2])
	f.Add(jpegSegment(photo.Bytes(), 0xe1, append([]byte("Exif\x00\x00"), exif(300)[:12]...)))
	f.Add(pngChunk(encodePNG(f, small), "eXIf", exif(8)))
	f.Add(pngChunk(encodePNG(f, small), "zTXt", []byte("Raw profile type exif\x00\x00x")))
	f.Add(pngChunk(encodePNG(f, small), "eXIf", nil))
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) > 1<<16 {
			t.Skip("large pictures only take time")
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
		height, width, err := data.ReadSize(path)
		if err == nil && height*width > 1<<22 {
			return
		}
		p, decodeErr := data.ReadFile(path)
		switch {
		case err != nil && decodeErr == nil:
			t.Errorf("the header gave the error %v, yet the picture was read", err)
		case decodeErr != nil && !strings.Contains(decodeErr.Error(), path):
			t.Errorf("error %v does not name the file", decodeErr)
		case decodeErr == nil && (p.Height != height || p.Width != width || len(p.Data) != 3*height*width):
			t.Errorf("%dx%d with %d bytes, but the header says %dx%d", p.Height, p.Width, len(p.Data), height, width)
		}
	})
}

func FuzzParseWords(f *testing.F) {
	seeds(f, "# words\nsame cat: kitten\nkind cat: lion\nkind lion: cat\ngroup animal: cat, dog\n")
	f.Fuzz(func(t *testing.T, text string) {
		words, err := data.ParseWords(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, name := range []string{"cat", "lion", ""} { // also where kinds go round in a circle
			words.Same(name, []string{"dog", "kitten"})
			words.Alike(name, []string{"dog", "kitten"})
		}
	})
}

func FuzzReadYOLO(f *testing.F) {
	dir := tree(f, yoloFiles)
	const config, labels = "data.yaml", "labels/train/a.txt"
	f.Add(yoloFiles[config], yoloFiles[labels])
	f.Add("train: [images/train, /etc]\nnames: {0: a, 9: b}\n", "0 1e999 nan 0 0")
	f.Add("path: ../..\ntrain: x.txt\nnames: []\n", "\xff\xfe0\x00")
	f.Add("&a [*a]", "0 .5 .5 .5 .5\n-1 0 0 0 0\n65536 0 0 0 0")
	f.Fuzz(func(t *testing.T, text, lines string) {
		if strings.Contains(text, "/") && !strings.Contains(text, "images/train") {
			t.Skip("any folder of the machine may be named: its pictures are read, but do not lie in the folder")
		}
		fuzzOpen(t, dir, yoloSpec(dir), map[string]string{config: text, labels: lines})
	})
}
