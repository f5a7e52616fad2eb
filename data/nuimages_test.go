package data_test

import (
	"slices"
	"strings"
	"testing"

	"ffslab/data"
)

// Synthetic, since no genuine tables are at hand.
var nuFiles = map[string]string{
	"v1.0-val/category.json": `[{"token": "c1", "name": "animal", "description": ""}, {"token": "c2", "name": "vehicle.emergency.police"},
 {"token": "c3", "name": "static_object.bicycle_rack"}, {"token": "c4", "name": "movable_object.trafficcone"}, {"token": "c5", "name": "flat.driveable_surface"}]`,
	"v1.0-val/sample_data.json": `[{"token": "s1", "filename": "samples/CAM_FRONT/1.jpg", "fileformat": "jpg", "width": 40, "height": 30, "is_key_frame": true},
 {"token": "s2", "filename": "sweeps/CAM_FRONT/2.jpg", "width": 40, "height": 30, "is_key_frame": false},
 {"token": "s3", "filename": "samples/CAM_FRONT/3.jpg", "width": 40, "height": 30, "is_key_frame": true},
 {"token": "s4", "filename": "samples/CAM_FRONT/4.jpg", "width": 40, "height": 30, "is_key_frame": true}]`,
	"v1.0-val/object_ann.json": `[{"token": "o1", "category_token": "c1", "bbox": [1, 2, 30, 20], "mask": null, "sample_data_token": "s1", "attribute_tokens": []},
 {"token": "o2", "category_token": "c4", "bbox": [0, 0, 40, 30], "mask": {"size": [40, 30], "counts": "x"}, "sample_data_token": "s1"},
 {"token": "o3", "category_token": "c2", "bbox": [3, 3, 4, 4], "sample_data_token": "s3"},
 {"token": "o4", "category_token": "c3", "bbox": [3, 3, 4, 4], "sample_data_token": "s3"},
 {"token": "o5", "category_token": "c5", "bbox": [3, 3, 4, 4], "sample_data_token": "s3"}]`,
	"samples/CAM_FRONT/1.jpg": "", "samples/CAM_FRONT/3.jpg": "", "samples/CAM_FRONT/4.jpg": "",
}

func nuSpec(dir string) string { return "nuimages:" + dir + ",v1.0-val" }

func TestReadNuImages(t *testing.T) {
	dir := tree(t, nuFiles)
	d := open(t, nuSpec(dir))
	if len(d.Images) != 3 || len(d.Categories) != 16 || len(d.Notes) != 1 ||
		!slices.Equal(objects(d, 0), []string{"animal 1 2 30 20", "traffic_cone 0 0 40 30"}) || !slices.Equal(objects(d, 1), []string{"car 3 3 4 4", "bicycle 3 3 4 4 C"}) {
		t.Errorf("images %+v, %d categories, notes %q", d.Images, len(d.Categories), d.Notes)
	}
	outliers := open(t, "nu_bdd_ood@"+dir)
	names := ""
	for _, c := range outliers.Categories {
		names += c.Name + " "
	}
	if names != "traffic_cone barrier animal debris pushable_pullable mobility stroller wheelchair " {
		t.Errorf("the outlier set has the classes %s", names)
	}
	if len(outliers.Images) != 2 || outliers.Images[0].ID != 1 || outliers.Images[1].ID != 3 || objects(outliers, 0)[0] != "animal 1 2 30 20" {
		t.Errorf("the outlier set holds %+v; want the images without an inlier class, 1 and 3", outliers.Images)
	}
}

func TestNuImagesFaults(t *testing.T) {
	const category, sample, object = "v1.0-val/category.json", "v1.0-val/sample_data.json", "v1.0-val/object_ann.json"
	checkFaults(t, nuFiles, nuSpec, []fault{
		{"cut short", object, `"s3"}]`, `"s3`, "cut short"},
		{"not a table", category, nuFiles[category], `{}`, "the top level"},
		{"no categories", category, nuFiles[category], `[]`, "no categories"},
		{"no key frame", sample, nuFiles[sample], strings.ReplaceAll(nuFiles[sample], "true", "false"), "no images"},
		{"unknown category", category, `"animal"`, `"dragon"`, `row 0 (token c1): name "dragon" is none of nuImages' categories`},
		{"same category token", category, `"c2"`, `"c1"`, "occurs twice"},
		{"same token", sample, `"s3"`, `"s1"`, "row 2 (token s1): the token is missing or occurs twice"},
		{"half a box", object, "[1, 2, 30, 20]", "[1, 2]", "[0].bbox: bbox has 2 numbers"},
		{"no box", object, "[1, 2, 30, 20]", "null", "row 0 (token o1): bbox is missing"},
		{"unknown token of a category", object, `"c4"`, `"c9"`, `row 1 (token o2): category_token "c9"`},
		{"box in a sweep", object, `"sample_data_token": "s3"`, `"sample_data_token": "s2"`, `row 2 (token o3): sample_data_token "s2" is no key frame`},
	})
	checkMended(t, nuFiles, nuSpec, []fault{
		{"impossible size", sample, `"height": 30`, `"height": 0`, "1 images with an impossible width or height"},
		{"reversed", object, "[1, 2, 30, 20]", "[31, 2, 30, 20]", "1 boxes of negative size were left out"},
		{"over the edge", object, "[1, 2, 30, 20]", "[1, 2, 50, 20]", "1 boxes over the edge of their image were clipped"},
	})
}

// nuScenes' tables are named, not called faulty.
func TestNuScenesIsNamed(t *testing.T) {
	dir := tree(t, map[string]string{"v1.0-val/category.json": "[]", "v1.0-val/sample_data.json": "[]", "v1.0-val/sample_annotation.json": "[]"})
	if _, err := data.Open(nuSpec(dir), data.Options{}); err == nil || !strings.Contains(err.Error(), "nuScenes' tables") {
		t.Errorf("nuScenes gave the error %v", err)
	}
}
