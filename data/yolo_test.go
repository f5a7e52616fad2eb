package data_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ffslab/data"
)

var yoloFiles = map[string]string{
	"data.yaml":            "path: .\ntrain: images/train\nval: images/val\nnames:\n  0: cat\n  1: dog\n",
	"images/train/a.jpg":   "",
	"images/train/b.jpg":   "",
	"labels/train/a.txt":   "1 0.5 0.5 0.5 0.2\n0 0.1 0.1 0.1 0.1 0.9 0.5\n",
	"images/val/sub/c.jpg": "",
	"labels/val/sub/c.txt": "0 0.5 0.5 1 1\n",
}

func yoloSpec(dir string) string { return "yolo:" + filepath.Join(dir, "data.yaml") + ",train" }

func TestReadYOLO(t *testing.T) {
	dir := tree(t, yoloFiles)
	d := open(t, yoloSpec(dir))
	if want := []string{"dog 10 12 30 18", "cat 4 3 36 15"}; !slices.Equal(objects(d, 0), want) { // the second is an outline
		t.Errorf("objects %q, want %q", objects(d, 0), want)
	}
	if want := []data.Category{{ID: 0, Name: "cat"}, {ID: 1, Name: "dog"}}; !slices.Equal(d.Categories, want) {
		t.Errorf("categories %v, want %v", d.Categories, want)
	}
	if len(d.Images) != 2 || d.Images[1].ID != 2 || len(d.Images[1].Instances) != 0 || d.Unlabelled {
		t.Errorf("images %+v", d.Images)
	}
	if val := open(t, "yolo:"+filepath.Join(dir, "data.yaml")+",val"); len(val.Images) != 1 || !slices.Equal(objects(val, 0), []string{"cat 0 0 40 30"}) {
		t.Errorf("val: %+v", val.Images)
	}
	if _, err := data.Open("yolo:"+filepath.Join(dir, "data.yaml")+",test", data.Options{}); err == nil || !strings.HasSuffix(err.Error(), "it has train, val") {
		t.Errorf("a split that is not there gave the error %v", err)
	}
}

// The ways in which exporters write DATA.yaml.
func TestYOLOLayouts(t *testing.T) {
	for name, files := range map[string]map[string]string{
		"Roboflow":            {"data.yaml": "train: ../train/images\nval: ../valid/images\nnc: 2\nnames: ['cat', 'dog']\n", "train/images/a.jpg": "", "train/labels/a.txt": "0 .5 .5 .5 .5"},
		"a list of files":     {"data.yaml": "train: train.txt\nnames: [cat, dog]\n", "train.txt": "./images/a.jpg\n", "images/a.jpg": "", "labels/a.txt": "0 .5 .5 .5 .5"},
		"several folders":     {"data.yaml": "train: [x/images, y/images]\nnames: [cat, dog]\n", "x/images/a.jpg": "", "x/labels/a.txt": "0 .5 .5 .5 .5", "y/images/b.jpg": ""},
		"another machine's":   {"data.yaml": "path: /home/someone/datasets/pets\ntrain: images\nnames: {0: cat, 1: dog}\n", "images/a.jpg": "", "labels/a.txt": "0 .5 .5 .5 .5"},
		"labels beside":       {"data.yaml": "train: photos\nnames: [cat, dog]\n", "photos/a.jpg": "", "photos/a.txt": "0 .5 .5 .5 .5", "photos/classes.txt": "cat\ndog"},
		"paths of Windows":    {"data.yaml": "\ufefftrain: images\\train\r\nnames: [cat, dog]\r\n", "images/train/a.jpg": "", "labels/train/a.txt": "0 .5 .5 .5 .5\r\n"},
		"with a confidence":   {"data.yaml": "train: images\nnames: [cat, dog]\n", "images/a.jpg": "", "labels/a.txt": "0 .5 .5 .5 .5 .99"},
		"classes by a number": {"data.yaml": "train: images\nnc: 2\n", "images/a.jpg": "", "labels/a.txt": "0 .5 .5 .5 .5"},
	} {
		t.Run(name, func(t *testing.T) {
			d := open(t, yoloSpec(tree(t, files)))
			if got := objects(d, 0); len(got) != 1 || !strings.HasSuffix(got[0], " 10 7.5 30 22.5") || len(d.Categories) != 2 {
				t.Errorf("objects %q, categories %v, notes %q", got, d.Categories, d.Notes)
			}
		})
	}
}

func TestYOLOFaults(t *testing.T) {
	const labels, config = "labels/train/a.txt", "data.yaml"
	checkFaults(t, yoloFiles, yoloSpec, []fault{
		{"not YAML", config, "path: .", "path: [", "not a YAML file"},
		{"no names", config, "names:\n  0: cat\n  1: dog\n", "", "no classes"},
		{"a gap in the names", config, "1: dog", "2: dog", "class 1 is missing"},
		{"no such folder", config, "images/train", "pictures/training", "check path"},
		{"unknown class", labels, "1 0.5", "7 0.5", `line 1: "7" is no class`},
		{"pixels", labels, "1 0.5 0.5 0.5 0.2", "1 20 15 10 5", "are these pixels?"},
		{"no number", labels, "1 0.5", "1 left", `number 2 is "left"`},
		{"too few numbers", labels, "1 0.5 0.5 0.5 0.2", "1 0.5 0.5", "3 numbers are neither"},
	})
	checkMended(t, yoloFiles, yoloSpec, []fault{
		{"over the edge", labels, "1 0.5 0.5 0.5 0.2", "1 0.5 0.5 1.5 0.2", "1 boxes over the edge"},
		{"a confidence", labels, "1 0.5 0.5 0.5 0.2", "1 0.5 0.5 0.5 0.2 0.9", "1 labels have a sixth number"},
		{"another number of classes", config, "names:", "nc: 7\nnames:", "1 values of nc differ"},
		{"a label twice", labels, "1 0.5 0.5 0.5 0.2", "1 0.5 0.5 0.5 0.2\n1 0.5 0.5 0.5 0.2", "1 labels that stand in a file twice"},
	})
	unlabelled := map[string]string{"data.yaml": yoloFiles["data.yaml"], "images/train/a.jpg": ""}
	if d := open(t, yoloSpec(tree(t, unlabelled))); !d.Unlabelled || len(d.Notes) != 1 || !strings.Contains(d.Notes[0], "labels") {
		t.Errorf("a set without labels: %+v", d)
	}
}
