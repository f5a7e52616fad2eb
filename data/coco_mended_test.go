package data_test

import (
	"bytes"
	"compress/gzip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf16"

	"ffslab/data"
)

var cocoFiles = map[string]string{"ann.json": validCOCO, "a.png": "", "sub/b.png": ""}

func cocoSpec(dir string) string { return "coco:" + filepath.Join(dir, "ann.json") + "," + dir }

func TestCOCOFaults(t *testing.T) {
	const file = "ann.json"
	checkFaults(t, cocoFiles, cocoSpec, []fault{
		{"cut short", file, `"iscrowd": 1, "segmentation": {"counts": [0, 1200], "size": [30, 40]}}]}`, `"iscr`, "cut short: it ends at byte"},
		{"empty", file, validCOCO, "", "the file is empty"},
		{"a web page", file, validCOCO, "<!DOCTYPE html><html></html>", "not JSON but a web page"},
		{"a Git LFS pointer", file, validCOCO, "version https://git-lfs.github.com/spec/v1\noid sha256:00\n", "git lfs pull"},
		{"printed by Python", file, validCOCO, "{'images': []}", "json.dump"},
		{"names in place of category ids", file, validCOCO, strings.NewReplacer(`"category_id": 5`, `"category_id": "shark"`, `"category_id": 2`, `"category_id": "fish"`).Replace(validCOCO), "annotations is of the listed categories"},
		{"other image ids", file, validCOCO, strings.ReplaceAll(validCOCO, `"image_id": `, `"image_id": 10`), "annotations is of the listed images"},
		{"two values", file, validCOCO, validCOCO + "{}", "more after the end"},
		{"not JSON", file, `"annotations": [`, `"annotations": <`, "not JSON at byte"},
		{"a results file", file, validCOCO, `[{"image_id": 1}]`, "the top level"},
		{"no images", file, `[{"id": 7, "file_name": "a.png", "width": 40, "height": 30}, {"id": 9, "file_name": "sub/b.png"}]`, `[]`, "no images"},
		{"no categories", file, `[{"id": 5, "name": "shark"}, {"id": 2, "name": "fish"}]`, `[]`, "no categories"},
		{"no image id", file, `"image_id": 7, "category_id": 2`, `"category_id": 2`, "annotations[1] (id 2): image_id or category_id is missing"},
		{"same image id", file, `"id": 9`, `"id": 7`, "images[1] (id 7, sub/b.png): images[0] has the same id"},
		{"same category id", file, `"id": 2, "name"`, `"id": 5, "name"`, `categories[1] (id 5, fish): the id is that of "shark"`},
		{"NaN in a box", file, "[1.5,", "[NaN,", "annotations[0].bbox: bbox lacks a number"},
		{"overflow", file, "[1.5,", "[1e999,", "annotations[0].bbox[0]: \"1e999\""},
		{"no number", file, "[1.5,", `["left",`, "annotations[0].bbox[0]: \"left\""},
		{"three numbers", file, "10, 20.5]", "10]", "annotations[0].bbox: bbox has 3 numbers"},
		{"half an id", file, `"image_id": 7, "category_id": 5`, `"image_id": 7.5, "category_id": 5`, "annotations[0].image_id: 7.5 is not an id"},
		{"half a width", file, `"width": 40`, `"width": 40.5`, "images[0].width: 40.5"},
		{"categories counted from another number", file, `"category_id": 2`, `"category_id": 6`, "their category_ids begin with another number"},
		{"missing picture", file, `"sub/b.png"`, `"sub/c.png"`, "1 of 2 images cannot be used: images[1] (id 9, sub/c.png): there is no such picture"},
		{"outside the folder", file, `"sub/b.png"`, `"../c.png"`, `there is no such picture`},
		{"out by way of a folder", file, `"sub/b.png"`, `"sub/../../c.png"`, "there is no such picture"},
		{"with a zero byte", file, `"sub/b.png"`, `"sub/b.png\u0000"`, `there is no such picture`},
		{"absolute", file, `"sub/b.png"`, `"/etc/hosts"`, "there is no such picture"},
		{"line break in a name", file, `"sub/b.png"`, `"sub/b\n.png"`, "there is no such picture"},
		{"another size", file, `"width": 40, "height": 30`, `"width": 30, "height": 40`, "the picture is 40x30 (width x height), its annotation says 30x40"},
		{"fractions", file, validCOCO, strings.NewReplacer("[1.5, 2.25, 10, 20.5]", "[0.1, 0.2, 0.3, 0.4]", "[-0.4, 0, 40.9, 30]", "[0, 0, 1, 1]").Replace(validCOCO), "fractions"},
		{"corners", file, validCOCO, strings.NewReplacer("[1.5, 2.25, 10, 20.5]", "[20, 2, 40, 30]", "[-0.4, 0, 40.9, 30]", "[10, 10, 35, 28]").Replace(validCOCO), "corners"},
	})
}

func TestCOCOMended(t *testing.T) {
	const file = "ann.json"
	checkMended(t, cocoFiles, cocoSpec, []fault{
		{"byte order mark", file, validCOCO, "\xef\xbb\xbf" + validCOCO, "1 files begin with a byte order mark"},
		{"UTF-16", file, validCOCO, inUTF16("\ufeff" + validCOCO), "1 files in UTF-16"},
		{"UTF-16 without a mark", file, validCOCO, inUTF16(validCOCO), "1 files in UTF-16"},
		{"NaN for an area", file, "150.5", "NaN", "1 files hold NaN or Infinity"},
		{"true for iscrowd", file, `"iscrowd": 1`, `"iscrowd": true`, "1 values true and false"},
		{"true for an id", file, `"id": 1, "image_id"`, `"id": true, "image_id"`, "1 values true and false"},
		{"real ids", file, `"image_id": 7`, `"image_id": 7.0`, "1 whole numbers written with a fraction"},
		{"real width", file, `"width": 40`, `"width": 40.0`, "1 whole numbers written with a fraction"},
		{"text for a number", file, "[1.5,", `["1.5",`, "1 numbers written as text"},
		{"number for a name", file, `"shark"`, `7`, "1 numbers that stand for a text"},
		{"id of another kind", file, `"image_id": 7`, `"image_id": "7"`, "1 ids that are written as a number in one list"},
		{"same annotation id", file, `"id": 2, "image_id"`, `"id": 1, "image_id"`, "1 annotations with the id of another"},
		{"image twice", file, `"images": [`, `"images": [{"id": 7, "file_name": "a.png"}, `, "1 images that are listed more than once"},
		{"category twice", file, `"categories": [`, `"categories": [{"id": 5, "name": "shark"}, `, "1 categories that are listed more than once"},
		{"root category of the same name", file, `"categories": [`, `"categories": [{"id": 0, "name": "shark"}, `, "1 categories without objects were left out"},
		{"two categories of a name", file, `"fish"`, `"shark"`, "1 categories of the same name were made one"},
		{"unlisted image", file, `"image_id": 7, "category_id": 2`, `"image_id": 8, "category_id": 2`, "1 annotations of images that are not listed"},
		{"unlisted category", file, `"category_id": 2`, `"category_id": 99`, "1 annotations of categories that are not listed"},
		{"impossible size", file, `"width": 40`, `"width": -40`, "1 images with an impossible width or height"},
		{"negative size", file, "10, 20.5]", "10, -20.5]", "1 boxes of negative size"},
		{"over the edge", file, "10, 20.5]", "10, 29]", "1 boxes over the edge of their image"},
		{"outside", file, "[1.5, 2.25,", "[-100, 2.25,", "1 boxes wholly outside"},
		{"no box", file, `"bbox": [1.5, 2.25, 10, 20.5], `, "", "1 annotations without a bbox got that of their segmentation"},
		{"backslash", file, `"sub/b.png"`, `"sub\\b.png"`, "1 file names with backslashes"},
		{"leading folder", file, `"sub/b.png"`, `"images/sub/b.png"`, "1 pictures were found without the leading folders"},
		{"out of the folder", file, `"sub/b.png"`, `"../sub/b.png"`, "1 pictures were found without the leading folders"},
		{"absolute path", file, `"a.png"`, `"/home/me/data/a.png"`, "1 pictures were found without the leading folders"},
		{"path of Windows", file, `"a.png"`, `"C:\\data\\a.png"`, "1 file names with backslashes"},
		{"other case", file, `"sub/b.png"`, `"sub/B.PNG"`, "1 pictures were found under another case"},
		{"other extension", file, `"sub/b.png"`, `"sub/b.jpg"`, "1 pictures were found under another case"},
		{"escapes", file, `"sub/b.png"`, `"sub/%62.png"`, "1 file names with escapes"},
		{"query", file, `"sub/b.png"`, `"sub/b.png?x=1&y=a/c"`, "1 file names with the query of an address"},
		{"query and escapes", file, `"sub/b.png"`, `"sub/%62.png?x=1"`, "1 file names with escapes"},
		{"trailing blank", file, `"sub/b.png"`, `"sub/b.png "`, "1 file names with blanks around them"},
		{"blanks and another case", file, `"sub/b.png"`, `" sub/B.png\t"`, "1 file names with blanks around them"},
		{"address", file, `"file_name": "a.png"`, `"coco_url": "http://images.cocodataset.org/val2017/a.png"`, "1 pictures were found without the leading folders"},
	})
}

func inUTF16(text string) string {
	var b bytes.Buffer
	for _, u := range utf16.Encode([]rune(text)) {
		b.Write([]byte{byte(u), byte(u >> 8)})
	}
	return b.String()
}

// What is mended must come out as it was meant.
func TestCOCOMendedObjects(t *testing.T) {
	valid := []string{"shark 1.5 2.25 11.5 22.75", "fish 0 0 40 30 C"}
	for name, c := range map[string]struct {
		old, new string
		want     []string
	}{
		"polygon bounds":       {`"bbox": [1.5, 2.25, 10, 20.5], `, `"bbox": [], `, valid},
		"run lengths":          {`"bbox": [-0.4, 0, 40.9, 30]`, `"bbox": null`, []string{valid[0], "fish 0 0 40 30 C"}},
		"packed run lengths":   {`[-0.4, 0, 40.9, 30], "iscrowd": 1, "segmentation": {"counts": [0, 1200]`, `[], "iscrowd": 1, "segmentation": {"counts": "o2=]1LXO000mm0"`, []string{valid[0], "fish 3 3 8 18 C"}},
		"clipped":              {"10, 20.5]", "100, 200]", []string{"shark 1.5 2.25 40 30", valid[1]}},
		"roots without a use":  {`"categories": [`, `"categories": [{"id": 0, "name": "shark"}, `, valid},
		"annotation of no one": {`"annotations": [`, `"annotations": [{"id": 77, "image_id": 1234, "category_id": 5, "bbox": [1, 1, 2, 2]}, `, valid},
	} {
		t.Run(name, func(t *testing.T) {
			f := fault{file: "ann.json", old: c.old, new: c.new}
			d := open(t, cocoSpec(tree(t, f.altered(t, cocoFiles))))
			if got := objects(d, 0); !slices.Equal(got, c.want) {
				t.Errorf("objects %q, want %q (notes %q)", got, c.want, d.Notes)
			}
		})
	}
}

// Ids of images and categories that are texts, or 0, stay what they are.
func TestCOCOKeepsIDs(t *testing.T) {
	text := strings.NewReplacer(`"id": 7, "file`, `"id": "img-7", "file`, `"image_id": 7`, `"image_id": "img-7"`, `"id": 5, "name"`, `"id": 0, "name"`, `"category_id": 5`, `"category_id": 0`,
		`"id": 2, "name"`, `"id": "f", "name"`, `"category_id": 2`, `"category_id": "f"`).Replace(validCOCO)
	dir := tree(t, map[string]string{"ann.json": text, "a.png": "", "sub/b.png": ""})
	d := open(t, cocoSpec(dir))
	if d.Images[0].ID != data.TextID("img-7") || d.Images[1].ID != 9 || len(d.Images[0].Instances) != 2 || len(d.Notes) != 0 {
		t.Errorf("images %+v, notes %q", d.Images, d.Notes)
	}
	if want := []data.Category{{ID: 0, Name: "shark"}, {ID: data.TextID("f"), Name: "fish"}}; !slices.Equal(d.Categories, want) {
		t.Errorf("categories %v, want %v", d.Categories, want)
	}
	out := filepath.Join(dir, "out.json")
	if err := data.WriteCOCO(out, d); err != nil {
		t.Fatal(err)
	}
	again := open(t, "coco:"+out+","+dir)
	if again.Images[0].ID != d.Images[0].ID || !slices.Equal(again.Categories, d.Categories) {
		t.Errorf("read again: %+v, %v", again.Images, again.Categories)
	}
}

// All faults of a file are told at once, the first 20 and their number.
func TestAllFaultsAreTold(t *testing.T) {
	var text strings.Builder
	for range 30 {
		text.WriteString(`{"image_id": 7, "bbox": [1, 1, 2, 2]}, `)
	}
	f := fault{file: "ann.json", old: `"annotations": [`, new: `"annotations": [` + text.String()}
	_, err := data.Open(cocoSpec(tree(t, f.altered(t, cocoFiles))), data.Options{})
	if err == nil || !strings.Contains(err.Error(), "30 faults") || strings.Count(err.Error(), "category_id is missing") != 20 || !strings.HasSuffix(err.Error(), "and 10 more") {
		t.Errorf("error %v", err)
	}
}

func TestCOCOCompressed(t *testing.T) {
	dir := tree(t, cocoFiles)
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	if _, err := w.Write([]byte(validCOCO)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "ann.json.gz"), packed.Bytes())
	if d := open(t, "coco:"+filepath.Join(dir, "ann.json.gz")+","+dir); len(d.Images) != 2 || len(d.Notes) != 0 {
		t.Errorf("%+v, notes %q", d.Images, d.Notes)
	}
	write(t, filepath.Join(dir, "ann.json.gz"), packed.Bytes()[:packed.Len()/2])
	if _, err := data.Open("coco:"+filepath.Join(dir, "ann.json.gz")+","+dir, data.Options{}); err == nil || !strings.Contains(err.Error(), "the compressed file is cut short") {
		t.Errorf("half of it gave the error %v", err)
	}
}

func TestCOCOWithCommas(t *testing.T) {
	dir := filepath.Join(tree(t, map[string]string{"a,b/ann.json": validCOCO, "a,b/a.png": "", "a,b/sub/b.png": ""}), "a,b")
	if d := open(t, cocoSpec(dir)); len(d.Images) != 2 {
		t.Errorf("%+v", d.Images)
	}
}

// A file without annotations is a set without labels: of outliers, say.
func TestCOCOWithoutAnnotations(t *testing.T) {
	begin := validCOCO[:strings.Index(validCOCO, `"categories"`)]
	for _, end := range []string{`"annotations": []}`, `"annotations": null}`, `"info": {}}`, `"categories": [{"id": 1, "name": "cat"}], "annotations": []}`} {
		dir := tree(t, map[string]string{"ann.json": begin + end, "a.png": "", "sub/b.png": ""})
		if d := open(t, cocoSpec(dir)); !d.Unlabelled || len(d.Images) != 2 {
			t.Errorf("%s: %+v", end, d)
		}
	}
	if open(t, cocoSpec(tree(t, cocoFiles))).Unlabelled {
		t.Error("a set with annotations counts as one without")
	}
}
