package data_test

import (
	"path/filepath"
	"slices"
	"testing"
)

// Synthetic, since no genuine tables are at hand.
var oiFiles = map[string]string{
	"boxes.csv": "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n" +
		"aa,xclick,/m/011k07,1,0.25,0.5,0.1,1,0,0,0,0,0\n" +
		"bb,xclick,/m/0k4j,1,0,1,0,1,0,0,1,0,0\n" +
		"aa,activemil,/m/0k4j,1,0,0.5,0,0.5,-1,-1,-1,-1,-1\n",
	"classes.csv":   "/m/011k07,Tortoise\n/m/0k4j,Car\n/m/x,\"Kitchen, dining\"\n",
	"images/aa.jpg": "", "images/bb.jpg": "",
}

func oiSpec(dir string) string {
	return "openimages:" + filepath.Join(dir, "boxes.csv") + "," + filepath.Join(dir, "classes.csv") + "," + filepath.Join(dir, "images")
}

func TestReadOpenImages(t *testing.T) {
	for _, header := range []string{"", "LabelName,DisplayName\n"} {
		files := map[string]string{}
		for name, content := range oiFiles {
			files[name] = content
		}
		files["classes.csv"] = header + files["classes.csv"]
		d := open(t, oiSpec(tree(t, files)))
		if len(d.Images) != 2 || !slices.Equal(objects(d, 0), []string{"Tortoise 10 3 20 30", "Car 0 0 20 15"}) || !slices.Equal(objects(d, 1), []string{"Car 0 0 40 30 C"}) {
			t.Errorf("images %+v", d.Images)
		}
		if len(d.Categories) != 3 || d.Categories[2].Name != "Kitchen, dining" || d.Categories[2].ID != 3 || len(d.Notes) != 1 {
			t.Errorf("categories %v, notes %q", d.Categories, d.Notes)
		}
	}
}

func TestOpenImagesFaults(t *testing.T) {
	const boxes, classes = "boxes.csv", "classes.csv"
	checkFaults(t, oiFiles, oiSpec, []fault{
		{"no column", boxes, "YMax", "Top", "line 1: the header lacks the column YMax"},
		{"no rows", boxes, oiFiles[boxes][len("ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax,IsOccluded,IsTruncated,IsGroupOf,IsDepiction,IsInside\n"):], "", "no annotations"},
		{"no number", boxes, "0.25", "left", `line 2: XMin is "left"`},
		{"group", boxes, "0,0,1,0,0", "0,0,yes,0,0", `line 3: IsGroupOf is "yes"`},
		{"short row", boxes, ",0.1,1,0,0,0,0,0", "", `line 2: YMin is ""`},
		{"class twice", classes, "/m/0k4j", "/m/011k07", "line 2: /m/011k07 (Car): the class occurs twice"},
		{"no id", boxes, "bb,", ",", "line 3: ImageID is missing"},
		{"open quote", boxes, "xclick", "\"xclick", "not a CSV table"},
		{"no name", classes, ",Car", "", "line 2: a class needs its code and its name"},
		{"no classes", classes, oiFiles[classes], "", "no categories"},
	})
	checkMended(t, oiFiles, oiSpec, []fault{
		{"unknown class", boxes, "/m/011k07", "/m/none", "1 boxes of classes that the table of classes lacks were left out"},
		{"over the edge", boxes, "0.25", "-0.25", "1 boxes over the edge of their image were clipped"},
		{"reversed", boxes, "0.25", "0.75", "1 boxes of negative size were left out"},
		{"a part is downloaded", boxes, "bb,", "cc,", "1 images whose picture is absent were left out"},
		{"out of the folder", boxes, "bb,", "../bb,", "1 pictures were found without the leading folders"},
		{"byte order mark", classes, "/m", "\xef\xbb\xbf/m", "1 files begin with a byte order mark"},
		{"class repeated", classes, "\n", "\n/m/011k07,Tortoise\n", "1 classes that are listed more than once"},
	})
}
