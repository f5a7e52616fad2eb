package data_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Synthetic, since no genuine file is at hand: five videos, so that four are for training.
var visFiles = map[string]string{
	"instances.json": `{"videos": [
 {"id": 1, "width": 40, "height": 30, "length": 2, "file_names": ["a/0.jpg", "a/1.jpg"]},
 {"id": 2, "width": 40, "height": 30, "file_names": ["b/0.jpg"]}, {"id": 3, "width": 40, "height": 30, "file_names": ["c/0.jpg"]},
 {"id": 4, "width": 40, "height": 30, "file_names": ["d/0.jpg"]}, {"id": 5, "width": 40, "height": 30, "file_names": ["e/0.jpg", "e/1.jpg"]}],
 "categories": [{"id": 2, "name": "zebra"}, {"id": 1, "name": "flying_disc", "supercategory": "object"}],
 "annotations": [
 {"id": 1, "video_id": 1, "category_id": 1, "iscrowd": 0, "bboxes": [[1, 2, 3.5, 4], null], "areas": [9, null],
  "segmentations": [{"counts": "abc", "size": [30, 40]}, null]},
 {"id": 2, "video_id": 5, "category_id": 2, "iscrowd": 1, "bboxes": [[0, 0, 40, 30], null], "areas": [null, null]},
 {"id": 3, "video_id": 5, "category_id": 1, "bboxes": [null, [5, 5, 5, 5]]}]}`,
	"images/a/0.jpg": "", "images/b/0.jpg": "", "images/c/0.jpg": "", "images/d/0.jpg": "", "images/e/0.jpg": "", "images/e/1.jpg": "",
}

func visSpec(part string) func(string) string {
	return func(dir string) string {
		return "ytvis:" + filepath.Join(dir, "instances.json") + "," + filepath.Join(dir, "images") + "," + part
	}
}

func TestReadYouTubeVIS(t *testing.T) {
	dir := tree(t, visFiles)
	training := open(t, visSpec("train")(dir))
	if len(training.Images) != 1 || training.Images[0].ID != 1 || !slices.Equal(objects(training, 0), []string{"flying_disc 1 2 4.5 6"}) || training.Images[0].Instances[0].Area != 9 {
		t.Errorf("training part: %+v", training.Images)
	}
	// a/1.jpg is not even on the disk: a frame without a box is left out before its picture is
	// looked for.
	if len(training.Notes) != 1 || !strings.HasPrefix(training.Notes[0], "4 frames") {
		t.Errorf("notes %q, want one of 4 frames", training.Notes)
	}
	validation := open(t, visSpec("val")(dir))
	if len(validation.Images) != 2 || validation.Images[0].ID != 6 || validation.Images[1].ID != 7 ||
		!slices.Equal(objects(validation, 0), []string{"zebra 0 0 40 30 C"}) || !slices.Equal(objects(validation, 1), []string{"flying_disc 5 5 10 10"}) {
		t.Errorf("validation part: %+v", validation.Images)
	}
	if all := open(t, visSpec("all")(dir)); len(all.Images) != 3 || all.Categories[0].Name != "flying_disc" {
		t.Errorf("all: %+v", all)
	}
}

func TestYouTubeVISFaults(t *testing.T) {
	const file = "instances.json"
	checkFaults(t, visFiles, visSpec("all"), []fault{
		{"cut short", file, `5, 5]]}]}`, "5", "cut short"},
		{"official validation file", file, visFiles[file][strings.Index(visFiles[file], `"annotations"`):], `"annotations": null}`, "no annotations"},
		{"COCO file", file, `"videos"`, `"images"`, "no videos"},
		{"too few boxes", file, "3.5, 4], null]", "3.5, 4]]", "annotations[0] (id 1): 1 bboxes for the 2 frames"},
		{"half a box", file, "3.5, 4]", "3.5]", "annotations[0].bboxes[0]: bbox has 3 numbers"},
		{"same video id", file, `"id": 2, "width"`, `"id": 1, "width"`, "videos[1] (id 1): videos[0] has the same id"},
	})
	checkMended(t, visFiles, visSpec("all"), []fault{
		{"unknown video", file, `"video_id": 1`, `"video_id": 9`, "1 annotations of images that are not listed were left out"},
		{"unknown category", file, `"category_id": 1`, `"category_id": 9`, "1 annotations of categories that are not listed were left out"},
		{"over the edge", file, "3.5, 4]", "39.5, 40]", "1 boxes over the edge of their image were clipped"},
		{"impossible size", file, `"width": 40`, `"width": 0`, "1 images with an impossible width or height"},
		{"backslash", file, "a/0.jpg", `a\\\\0.jpg`, "1 file names with backslashes"},
	})
}
