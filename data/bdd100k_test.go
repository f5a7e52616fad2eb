package data_test

import (
	"encoding/json"
	"fmt"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ffslab/data"
)

// Synthetic: the older and the newer names, every kind of crowd, labels that are none for a
// detector.
var bddFiles = map[string]string{
	"labels/v.json": `[{"name": "v-1.jpg", "videoName": "v", "frameIndex": 0, "labels": [
  {"id": "1", "category": "person", "attributes": {"occluded": true, "crowd": false}, "box2d": {"x1": 1.5, "y1": 2, "x2": 10, "y2": 20}},
  {"id": 2, "category": "motor", "attributes": {"crowd": true, "trafficLightColor": "none"}, "box2d": {"x1": 0, "x2": 40.5, "y1": 0, "y2": 30}},
  {"id": "3", "category": "bike", "box2d": {"x1": 1, "y1": 1, "x2": 2, "y2": 2}},
  {"id": "4", "category": "other person", "box2d": {"x1": 1, "y1": 1, "x2": 2, "y2": 2}},
  {"id": "5", "category": "other vehicle", "box2d": {"x1": 1, "y1": 1, "x2": 2, "y2": 2}},
  {"id": "6", "category": "trailer", "box2d": {"x1": 1, "y1": 1, "x2": 2, "y2": 2}},
  {"id": "7", "category": "rider", "attributes": {"ignored": true}, "box2d": {"x1": 1, "y1": 1, "x2": 2, "y2": 2}},
  {"id": "8", "category": "traffic light", "box2d": {"x1": 1, "y1": 1, "x2": 2, "y2": 2}},
  {"id": "9", "category": "lane", "poly2d": [{"vertices": [[0, 0]]}]}]}, {"name": "v-2.jpg", "videoName": "v", "labels": null}]`,
	"labels/w.json":    `{"frames": [{"name": "w-1.jpg"}], "config": {"imageSize": {"width": 40, "height": 30}}}`,
	"images/v/v-1.jpg": "", "images/v/v-2.jpg": "", "images/w-1.jpg": "",
}

func bddSpec(dir string) string {
	return "bdd100k:" + filepath.Join(dir, "labels") + "," + filepath.Join(dir, "images")
}

func TestReadBDD100K(t *testing.T) {
	dir := tree(t, bddFiles)
	d := open(t, bddSpec(dir))
	want := []string{"pedestrian 1.5 2 10 20", "motorcycle 0 0 40 30 C", "bicycle 1 1 2 2", "pedestrian 1 1 2 2 C", "car 1 1 2 2 C", "truck 1 1 2 2 C", "rider 1 1 2 2 C"}
	if !slices.Equal(objects(d, 0), want) {
		t.Errorf("objects %q, want %q", objects(d, 0), want)
	}
	if len(d.Images) != 3 || d.Images[1].Width != 40 || d.Images[2].File != filepath.Join(dir, "images", "w-1.jpg") || d.Images[2].ID != 3 {
		t.Errorf("images %+v", d.Images)
	}
	if len(d.Notes) != 2 || len(d.Categories) != 8 {
		t.Errorf("notes %q, categories %v", d.Notes, d.Categories)
	}
}

func TestBDD100KFaults(t *testing.T) {
	const v = "labels/v.json"
	checkFaults(t, bddFiles, bddSpec, []fault{
		{"cut short", v, `"labels": null}]`, `"labels": nu`, "cut short"},
		{"no corner", v, `"x1": 1.5, `, "", "frames[0] (v-1.jpg): labels[0] (person): box2d lacks"},
		{"unknown category", v, `"trailer"`, `"tank"`, `labels[5] (tank): category "tank" is none of BDD100K's`},
		{"NaN", v, "1.5", "NaN", "labels[0] (person): box2d lacks"},
		{"no name", v, `"name": "v-1.jpg"`, `"title": "v-1.jpg"`, "frames[0]: name is missing"},
		{"not finite", v, "1.5", "1e999", "a finite number belongs"},
		{"same picture", v, "v-2.jpg", "v-1.jpg", "frames[1] (v-1.jpg): the same picture as that of"},
	})
	checkMended(t, bddFiles, bddSpec, []fault{
		{"text for a number", v, "1.5", `"1.5"`, "1 numbers written as text"},
		{"reversed", v, "1.5", "15", "1 boxes of negative size were left out"},
		{"over the edge", v, "40.5", "49", "1 boxes over the edge of their image were clipped"},
		{"outside", v, `"x1": 1.5, "y1": 2, "x2": 10`, `"x1": 41.5, "y1": 2, "x2": 60`, "1 boxes wholly outside"},
		{"impossible size", "labels/w.json", `"width": 40`, `"width": -1`, "1 images with an impossible width or height"},
		{"byte order mark", v, "[", "\xef\xbb\xbf[", "1 files begin with a byte order mark"},
	})
	empty := tree(t, map[string]string{"labels/readme.txt": ""})
	if _, err := data.Open(bddSpec(empty), data.Options{}); err == nil || !strings.Contains(err.Error(), "no .json file") {
		t.Errorf("an empty folder gave the error %v", err)
	}
}

// Genuine labels of BDD100K; their pictures are not at hand, so blank ones of the right size stand
// in.
func TestGenuineBDD100K(t *testing.T) {
	labels := shared(t, "datasets", "genuine", "bdd100k", "scalabel")
	tracks := filepath.Join(labels, "box_track", "track_sample_anns.json")
	images := t.TempDir()
	var frames []struct{ Name, VideoName string }
	raw, err := os.ReadFile(tracks)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &frames); err != nil {
		t.Fatal(err)
	}
	blank := filepath.Join(images, "blank.png")
	write(t, blank, encodePNG(t, image.NewGray(image.Rect(0, 0, 1280, 720))))
	for _, f := range frames {
		if err := os.MkdirAll(filepath.Join(images, f.VideoName), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(blank, filepath.Join(images, f.VideoName, f.Name)); err != nil {
			t.Fatal(err)
		}
	}
	d := open(t, "bdd100k:"+tracks+","+images)
	s := d.Stats()
	if s.Images != 202 || s.Objects != 3241-132 || s.Crowd != 132 || s.Width.Min != 1280 {
		t.Errorf("%d images, %d objects, %d crowd regions, width %d; want 202, 3109, 132, 1280", s.Images, s.Objects, s.Crowd, s.Width.Min)
	}
	counts := ""
	for _, c := range s.Classes {
		counts += fmt.Sprintf("%s %d ", c.Name, c.Objects+c.Crowd)
	}
	if counts != "pedestrian 191 rider 119 car 2726 truck 65 bus 21 train 0 motorcycle 119 bicycle 0 " {
		t.Errorf("classes: %s", counts)
	}
	// The detections have no videos: all pictures in one folder.
	for _, f := range frames {
		if err := os.Link(blank, filepath.Join(images, f.Name)); err != nil {
			t.Fatal(err)
		}
	}
	detections := open(t, "bdd100k:"+filepath.Join(labels, "det", "bbox_predictions.json")+","+images)
	if s := detections.Stats(); s.Objects != 5372 || len(s.Notes) != 1 || !strings.Contains(s.Notes[0], "score") {
		t.Errorf("detections: %d objects, notes %q; want 5372, and a note about the scores", s.Objects, s.Notes)
	}
	_, err = data.Open("bdd100k:"+filepath.Join(labels, "det", "bbox_predictions_empty.json")+","+images, data.Options{})
	if err == nil || !strings.Contains(err.Error(), "no annotations") {
		t.Errorf("a file whose only label has no box gave the error %v", err)
	}
}
