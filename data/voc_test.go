package data_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ffslab/data"
)

// Synthetic, with what genuine files have: parts, actions, owner, a difficult object, coordinates
// with fractions.
var vocFiles = map[string]string{
	"ImageSets/Main/val.txt": "a  1\n\nb -1\n",
	"Annotations/a.xml": `<?xml version="1.0"?>
<annotation><folder>VOC2012</folder><filename>a.jpg</filename><owner><name>A &amp; B</name></owner>
 <size><width>40</width><height>30</height><depth>3</depth></size><segmented>0</segmented>
 <object><name>person</name><difficult>0</difficult><actions><running>1</running></actions>
  <bndbox><xmin>1</xmin><ymin>2</ymin><xmax>40</xmax><ymax>30</ymax></bndbox>
  <part><name>head</name><bndbox><xmin>500</xmin><ymin>5</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></part></object>
 <object><name>tvmonitor</name><difficult>1</difficult><bndbox><xmin>3.5</xmin><ymin>0</ymin><xmax>10</xmax><ymax>10</ymax></bndbox></object>
</annotation>`,
	"Annotations/b.xml": `<annotation><filename>renamed.jpg</filename></annotation>`,
	"JPEGImages/a.jpg":  "", "JPEGImages/b.jpg": "",
}

func TestReadVOC(t *testing.T) {
	dir := tree(t, vocFiles)
	d := open(t, "voc:"+dir+",val")
	if want := []string{"person 0 1 40 30", "tv 2.5 0 10 10 C"}; !slices.Equal(objects(d, 0), want) {
		t.Errorf("objects %q, want %q", objects(d, 0), want)
	}
	b := d.Images[1]
	if b.File != filepath.Join(dir, "JPEGImages", "b.jpg") || b.Width != 40 || b.Height != 30 || len(b.Instances) != 0 {
		t.Errorf("the picture without size and objects was read as %+v", b)
	}
	classes, _ := data.Classes("voc")
	if len(d.Categories) != 20 || d.Categories[19] != (data.Category{ID: 20, Name: "tv"}) || d.Categories[7].Name != classes[7] {
		t.Errorf("categories %v", d.Categories)
	}
	if len(d.Notes) != 2 || !strings.Contains(d.Notes[1], "1 difficult") {
		t.Errorf("notes %q do not tell of the difficult object", d.Notes)
	}
	if kept := open(t, "voc:"+dir+",val?difficult=keep"); objects(kept, 0)[1] != "tv 2.5 0 10 10" {
		t.Errorf("difficult=keep gave %q", objects(kept, 0))
	}
	if dropped := open(t, "voc:"+dir+",val,"+filepath.Join(dir, "JPEGImages")+"?difficult=drop"); len(objects(dropped, 0)) != 1 {
		t.Errorf("difficult=drop gave %q", objects(dropped, 0))
	}
	if _, err := data.Open("voc:"+dir+",train", data.Options{}); err == nil || !strings.HasSuffix(err.Error(), "the splits there are val") {
		t.Errorf("a split that is not there gave the error %v", err)
	}
	if _, err := data.Open("voc:"+dir+",val?difficult=maybe", data.Options{}); err == nil || !strings.Contains(err.Error(), "maybe") {
		t.Errorf("difficult=maybe gave the error %v", err)
	}
}

func TestVOCWithOtherClasses(t *testing.T) {
	files := map[string]string{}
	for name, content := range vocFiles {
		files[name] = strings.ReplaceAll(content, "tvmonitor", "buoy")
	}
	d := open(t, "voc:"+tree(t, files)+",val")
	if want := []data.Category{{ID: 1, Name: "buoy"}, {ID: 2, Name: "person"}}; !slices.Equal(d.Categories, want) {
		t.Errorf("categories %v, want %v", d.Categories, want)
	}
}

func TestVOCFaults(t *testing.T) {
	const a, list = "Annotations/a.xml", "ImageSets/Main/val.txt"
	checkFaults(t, vocFiles, func(dir string) string { return "voc:" + dir + ",val" }, []fault{
		{"cut short", a, "</annotation>", "", "XML syntax error"},
		{"empty", a, vocFiles[a], "", "the file is empty"},
		{"not an annotation", a, vocFiles[a], "<html></html>", "expected element type <annotation>"},
		// An entity that would unfold to other text, or to a file, is not expanded.
		{"own entity", a, "<annotation>", `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/hosts">]><annotation><x>&e;</x>`, "invalid character entity &e;"},
		{"no name", a, "<name>tvmonitor</name>", "", "object[1]: name is missing"},
		{"no number", a, "3.5", "left", `object[1] (tv): bndbox.xmin is "left"`},
		{"NaN", a, "3.5", "NaN", `object[1] (tv): bndbox.xmin is "NaN", not a finite number`},
		{"encoding that nobody knows", a, `<?xml version="1.0"?>`, `<?xml version="1.0" encoding="klingon"?>`, "klingon"},
		{"impossible size", a, "<width>40", "<width>-40", `size.width is "-40"`},
		{"name outside", list, "b -1", "../c", "line 3: ../c: the name leads out"},
		{"no names", list, vocFiles[list], "\n", "no images"},
	})
	checkMended(t, vocFiles, func(dir string) string { return "voc:" + dir + ",val" }, []fault{
		{"no box", a, "<bndbox><xmin>3.5</xmin><ymin>0</ymin><xmax>10</xmax><ymax>10</ymax></bndbox>", "<polygon><x1>1</x1></polygon>", "1 objects without a bndbox"},
		{"reversed", a, "3.5", "33.5", "1 boxes of negative size were left out"},
		{"over the edge", a, "<xmax>40", "<xmax>42", "1 boxes over the edge of their image were clipped"},
		{"difficult", a, "<difficult>1", "<difficult>Unspecified", "1 objects whose difficult is none of 0 and 1"},
		{"half a size", a, "<height>30</height>", "", "1 images with an impossible width or height"},
	})
	checkMended(t, vocFiles, func(dir string) string { return "voc:" + dir + ",val" }, []fault{
		{"name twice", list, "b -1", "b -1\na", "1 names that a list has more than once"},
		{"path in a list", list, "b -1", "JPEGImages/b.jpg", "1 lines of a list with a path or an extension"},
	})
	for _, c := range []struct{ name, want string }{{"Annotations/b.xml", "no such file"}, {"JPEGImages/b.jpg", "b.xml: there is no such picture"}, {"ImageSets/Main/val.txt", "give a folder of PASCAL VOC's layout"}} {
		files := map[string]string{}
		for name, content := range vocFiles {
			if name != c.name {
				files[name] = content
			}
		}
		if _, err := data.Open("voc:"+tree(t, files)+",val", data.Options{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("without %s the error is %v, want %q", c.name, err, c.want)
		}
	}
}

// Genuine files of VOC 2012 and 2007.
func TestGenuineVOC(t *testing.T) {
	root := shared(t, "datasets", "genuine", "voc")
	s := open(t, "voc:"+filepath.Join(root, "VOCdevkit", "VOC2012")+",val").Stats()
	if s.Images != 100 || s.Objects+s.Crowd != 273 || s.Crowd != 38 || len(s.Classes) != 20 {
		t.Errorf("VOC 2012: %d images, %d objects, %d crowd regions, %d classes; its README counts 100, 273 in all, 38, 20", s.Images, s.Objects, s.Crowd, len(s.Classes))
	}
	one := open(t, "voc:"+filepath.Join(root, "VOC2007_one", "pascal")+",train")
	if want := []string{"dog 47 239 195 371", "person 7 11 352 498"}; !slices.Equal(objects(one, 0), want) {
		t.Errorf("VOC 2007: %q, want %q", objects(one, 0), want)
	}
	if _, err := one.Images[0].Decode(); err != nil {
		t.Error(err)
	}
	coco := filepath.Join(root, "VOC2007_one", "coco")
	if d := open(t, "coco:"+filepath.Join(coco, "annotations", "instances_val2017.json")+","+filepath.Join(coco, "images", "val2017")); len(d.Images) != 1 || len(d.Images[0].Instances) < 10 || len(d.Categories) != 80 {
		t.Errorf("COCO's genuine image: %+v of %d categories", d.Images, len(d.Categories))
	}
}

// Folders without VOC's lists: XML files beside their pictures, as Roboflow writes them, or in
// folders of their own.
func TestVOCLayouts(t *testing.T) {
	sheet, picture := vocFiles["Annotations/a.xml"], ""
	for name, c := range map[string]struct {
		files map[string]string
		spec  string
	}{
		"the folder of a split":     {map[string]string{"train/a.jpg": picture, "train/a.xml": sheet}, ",train"},
		"a folder by itself":        {map[string]string{"a.jpg": picture, "a.xml": sheet}, ",all"},
		"a list without Main":       {map[string]string{"ImageSets/val.txt": "a", "Annotations/a.xml": sheet, "JPEGImages/a.jpg": picture}, ",val"},
		"two folders":               {map[string]string{"Annotations/a.xml": sheet, "JPEGImages/a.jpg": picture}, ",all"},
		"two folders in lower case": {map[string]string{"annotations/a.xml": sheet, "images/a.png": picture}, ",all"},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, "voc:"+tree(t, c.files)+c.spec)
			if want := []string{"person 0 1 40 30", "tv 2.5 0 10 10 C"}; len(d.Images) != 1 || !slices.Equal(objects(d, 0), want) {
				t.Errorf("objects %q, want %q", objects(d, 0), want)
			}
		})
	}
	_, err := data.Open("voc:"+tree(t, map[string]string{"train/a.jpg": picture, "train/a.xml": sheet})+",val", data.Options{})
	if err == nil || !strings.HasSuffix(err.Error(), "the splits there are train") {
		t.Errorf("a split that is not there gave the error %v", err)
	}
}

// Names in lists and files in the forms that people's tools write.
func TestVOCNames(t *testing.T) {
	sheet := func(filename string) string {
		return `<annotation><filename>` + filename + `</filename><size><width>0</width><height>0</height></size></annotation>`
	}
	d := open(t, "voc:"+tree(t, map[string]string{
		"ImageSets/Main/val.txt":     "# the validation part\nmy photo 1\nmy photo 2 -1\n/data/JPEGImages/c.jpg\nd.xml\r\n",
		"Annotations/my photo 1.xml": sheet("my photo 1.jpg"), "JPEGImages/my photo 1.jpg": "",
		"Annotations/my photo 2.xml": sheet(`C:\pictures\my photo 2.jpg`), "JPEGImages/my photo 2.jpg": "",
		"Annotations/c.xml": sheet("/home/me/c.png"), "JPEGImages/c.png": "",
		"Annotations/d.xml": "<?xml version=\"1.0\" encoding=\"gb18030\"?><annotation><filename>d.jpg</filename><object><name>\xc3\xa8</name><bndbox><xmin>1</xmin><ymin>1</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>",
		"JPEGImages/d.jpg":  "",
	})+",val")
	if len(d.Images) != 4 || filepath.Base(d.Images[1].File) != "my photo 2.jpg" || filepath.Base(d.Images[2].File) != "c.png" || d.Images[0].Width != 40 {
		t.Errorf("images %+v, notes %q", d.Images, d.Notes)
	}
	if len(d.Categories) != 1 || d.Categories[0].Name != "猫" {
		t.Errorf("categories %v: gb18030 was not read", d.Categories)
	}
}
