package eval

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ffslab/data"
	"ffslab/data/lenient"
)

// The fuzz tests write what they are given as a file. Whatever stands there, reading must return:
// either what every measure can take, or an error that names the file. Run one with
//
//	go test ./ffs/eval -fuzz FuzzReadDetections -fuzztime 1m -fuzzminimizetime 10x
//
// (.ci/fuzz runs all). By default Go minimises each new input for a minute, in which it tries
// nothing else.

func fuzzed(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fuzzed.json")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func checkFault(t *testing.T, path string, err error) {
	t.Helper()
	if message := err.Error(); !strings.Contains(message, path) || strings.ContainsAny(message, "\r\x00\x1b") {
		t.Errorf("error %q is not printable or does not name the file", message)
	}
}

func addSeeds(f *testing.F, text string) {
	for _, seed := range []string{text, text[:len(text)/2], strings.ReplaceAll(text, "1", "-1e308"), strings.ReplaceAll(text, "1", "1e999"),
		strings.Repeat("[", 20_000), "\xff\xfe\x00", "null", "[{}]", "[null]", ""} {
		f.Add(seed)
	}
}

func FuzzReadDetections(f *testing.F) {
	addSeeds(f, `[{"image_id": 1, "category_id": 1, "bbox": [1, 1, 10, 11.5], "score": 0.5, "logits": [1, -1], "energy": 1.5, "nll": 10},
		{"image_id": 1, "category_id": 2, "bbox": [0, 0, 0, 0], "score": 1, "weighted_energy": 1, "logistic": 0.1}]`)
	// As detectron2 and MMDetection write them.
	f.Add(`[{"image_id": 139, "category_id": 1, "bbox": [413.1, 157.6, 52.9, 138.0], "score": 0.9993, "segmentation": {"size": [426, 640], "counts": "T\\e5"}}]`)
	f.Add(`[{"image_id":139,"bbox":[413.1,157.6,52.9,138.0],"score":9.99e-1,"category_id":1}]`)
	f.Fuzz(func(t *testing.T, text string) {
		path := fuzzed(t, text)
		detections, err := ReadDetections(path, lenient.New(false))
		if err != nil {
			checkFault(t, path, err)
			return
		}
		objects := &Annotations{
			Categories: []Category{{ID: 1, Name: "a"}, {ID: 2, Name: "b"}}, ImageIDs: []data.ID{1}, Sizes: [][2]float64{{100, 100}},
			Objects: []GroundTruth{{ImageID: 1, CategoryID: 1, Box: [4]float64{1, 1, 10, 10}, Area: 100}},
		}
		if coco, err := EvaluateCOCO(objects, detections); err == nil {
			if ap := coco.Stats().AP; !(ap >= -1 && ap <= 1) {
				t.Errorf("AP %v", ap)
			}
		}
		for _, d := range detections {
			if math.IsNaN(d.Score) || math.IsInf(d.Score, 0) {
				t.Errorf("score %v was read", d.Score)
			}
		}
	})
}

func FuzzReadAnnotations(f *testing.F) {
	addSeeds(f, `{"images": [{"id": 1, "width": 100, "height": 100}], "categories": [{"id": 1, "name": "a"}],
		"annotations": [{"id": 1, "image_id": 1, "category_id": 1, "bbox": [1, 1, 10, 10], "area": 100, "iscrowd": 0}]}`)
	// As COCO's own files are, with polygons and a crowd's runs, and as Roboflow exports them.
	f.Add(`{"info": {"description": "COCO 2017 Dataset", "year": 2017}, "licenses": [{"url": "http://a", "id": 1, "name": "a"}],
		"images": [{"license": 4, "file_name": "000000397133.jpg", "coco_url": "http://a", "height": 427, "width": 640, "date_captured": "2013-11-14 17:02:52", "id": 397133}],
		"annotations": [{"segmentation": [[224.24, 297.18, 228.29, 297.18, 228.29, 300]], "area": 702.1057, "iscrowd": 0, "image_id": 397133, "bbox": [217.62, 240.54, 38.99, 57.75], "category_id": 1, "id": 82445},
		{"segmentation": {"counts": [272, 2, 4, 4], "size": [427, 640]}, "area": 18419, "iscrowd": 1, "image_id": 397133, "bbox": [1, 0, 276, 122], "category_id": 1, "id": 900100448263}],
		"categories": [{"supercategory": "person", "id": 1, "name": "person"}]}`)
	f.Add(`{"info":{"year":"2024","version":"1"},"categories":[{"id":0,"name":"fish","supercategory":"none"},{"id":1,"name":"fish","supercategory":"fish"}],
		"images":[{"id":0,"license":1,"file_name":"a_jpg.rf.0.jpg","height":1024,"width":768,"extra":{"name":"a.jpg"}}],
		"annotations":[{"id":0,"image_id":0,"category_id":1,"bbox":[1,2,3.5,4],"area":14,"segmentation":[],"iscrowd":0}]}`)
	f.Fuzz(func(t *testing.T, text string) {
		path := fuzzed(t, text)
		a, err := ReadAnnotations(path, lenient.New(false))
		if err != nil {
			checkFault(t, path, err)
			return
		}
		for _, o := range a.Objects {
			for _, v := range append(o.Box[:], o.Area) {
				if math.IsNaN(v) || math.IsInf(v, 0) {
					t.Errorf("object %+v was read", o)
				}
			}
		}
	})
}

func FuzzReadScores(f *testing.F) {
	addSeeds(f, "1\n-2.5\n3e10\n")
	f.Fuzz(func(t *testing.T, text string) {
		path := fuzzed(t, text)
		scores, err := ReadScores(path)
		if err != nil {
			checkFault(t, path, err)
			return
		}
		if _, err := Separate(scores, scores); err != nil && len(scores) > 0 {
			t.Errorf("%d scores: %v", len(scores), err)
		}
	})
}
