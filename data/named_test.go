package data_test

import (
	"path/filepath"
	"strings"
	"testing"

	"ffslab/data"
)

// Every named set is found in the layout that its users have: prepared COCO files under one root.
func TestNamedSets(t *testing.T) {
	const prepared = `{"images": [{"id": 1, "file_name": "x/a.jpg", "width": 40, "height": 30}], "categories": [{"id": 1, "name": "thing"}],
 "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 2, 3, 4]}]}`
	layout := map[string][2]string{ // reference: annotations and images under the root
		"voc_custom_train":          {"voc0712_train_all.json", "JPEGImages"},
		"voc_custom_val":            {"val_coco_format.json", "JPEGImages"},
		"coco_ood_val":              {"annotations/instances_val2017_ood_rm_overlap.json", "val2017"},
		"coco_2017_train_custom":    {"annotations/instances_train2017.json", "train2017"},
		"coco_2017_val_custom":      {"annotations/instances_val2017.json", "val2017"},
		"coco_2017_val_ood_wrt_bdd": {"annotations/instances_val2017_ood_wrt_bdd.json", "val2017"},
		"openimages_ood_val":        {"ood_classes_rm_overlap/COCO-Format/val_coco_format.json", "ood_classes_rm_overlap/images"},
		"bdd_tracking_2k_train":     {"labels/track/bdd100k_det_train_coco.json", "images/track/train"},
		"bdd_tracking_2k_val":       {"labels/track/bdd100k_det_val_coco.json", "images/track/val"},
		"nu_bdd_ood":                {"nu_ood.json", "."},
		"vis21_train":               {"train/instances_train.json", "train/JPEGImages"},
		"vis21_val":                 {"train/instances_val.json", "train/JPEGImages"},
		"vis_coco_ood":              {"annotations/instances_val2017_ood_wrt_vis.json", "train2017"},
	}
	if len(data.Named()) != len(layout) {
		t.Errorf("%d named sets, want %d", len(data.Named()), len(layout))
	}
	for name, files := range layout {
		root := tree(t, map[string]string{files[0]: prepared, files[1] + "/x/a.jpg": ""})
		under, err := data.Open(name, data.Options{DatasetDir: root})
		if err != nil {
			t.Error(err)
			continue
		}
		at := open(t, name+"@"+root)
		if under.Name != name || at.Name != name+"@"+root || at.Images[0].File != filepath.Join(root, filepath.FromSlash(files[1]), "x", "a.jpg") {
			t.Errorf("%s: %+v, %+v", name, under, at)
		}
		_, err = data.Open(name+"@"+t.TempDir(), data.Options{})
		if err == nil || !strings.Contains(err.Error(), files[0]) || strings.Contains(err.Error(), "%") {
			t.Errorf("%s in an empty folder gave the error %v", name, err)
		}
		if _, err = data.Open(name, data.Options{}); err == nil || !strings.Contains(err.Error(), "--dataset-dir") {
			t.Errorf("%s without a root gave the error %v", name, err)
		}
	}
}

// Where the prepared file is absent, the published files are read.
func TestNamedSetsFromPublishedFiles(t *testing.T) {
	under := func(dir string, files map[string]string) map[string]string {
		out := map[string]string{}
		for name, content := range files {
			out[dir+"/"+name] = content
		}
		return out
	}
	voc := tree(t, under("VOCdevkit/VOC2007", vocFiles))
	plant(t, voc, under("VOCdevkit/VOC2012", vocFiles))
	for _, split := range []string{"VOC2007/ImageSets/Main/trainval.txt", "VOC2007/ImageSets/Main/test.txt", "VOC2012/ImageSets/Main/trainval.txt"} {
		plant(t, voc, map[string]string{"VOCdevkit/" + split: "a\nb\n"})
	}
	bdd := tree(t, under("labels/box_track_20/val", map[string]string{"v.json": bddFiles["labels/v.json"]}))
	plant(t, bdd, map[string]string{"images/track/val/v/v-1.jpg": "", "images/track/val/v/v-2.jpg": ""})
	det := tree(t, map[string]string{"labels/det_20/det_val.json": bddFiles["labels/w.json"]})
	plant(t, det, map[string]string{"labels/det_20/det_train.json": bddFiles["labels/v.json"], "images/100k/train/v-1.jpg": "", "images/100k/train/v-2.jpg": ""})
	vis := tree(t, map[string]string{"train/instances.json": visFiles["instances.json"]})
	for name := range visFiles {
		if frame, ok := strings.CutPrefix(name, "images/"); ok {
			plant(t, vis, map[string]string{"train/JPEGImages/" + frame: ""})
		}
	}
	for _, c := range []struct {
		spec    string
		images  int
		classes int
	}{
		{"voc_custom_train@" + voc, 4, 20}, {"voc_custom_train@" + filepath.Join(voc, "VOCdevkit"), 4, 20}, {"voc_custom_val@" + voc, 2, 20},
		{"bdd_tracking_2k_val@" + bdd, 2, 8}, {"bdd_tracking_2k_train@" + det, 2, 8}, {"vis21_train@" + vis, 1, 2}, {"vis21_val@" + vis, 2, 2},
	} {
		d := open(t, c.spec)
		ids := map[data.ID]bool{}
		for _, im := range d.Images {
			ids[im.ID] = true
		}
		if len(d.Images) != c.images || len(ids) != c.images || len(d.Categories) != c.classes {
			t.Errorf("%s: %d images with %d ids, %d classes; want %d images, %d classes", c.spec, len(d.Images), len(ids), len(d.Categories), c.images, c.classes)
		}
		// What was read can be written and read again.
		path := filepath.Join(t.TempDir(), "set.json")
		if err := data.WriteCOCO(path, d); err != nil {
			t.Error(err)
		} else if again := open(t, "coco:"+path+","+d.ImagesDir); sprint(again.Images) != sprint(d.Images) || sprint(again.Categories) != sprint(d.Categories) {
			t.Errorf("%s: written and read again it is %+v, want %+v", c.spec, again.Images, d.Images)
		}
	}
}
