package eval

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/data"
	"ffslab/data/lenient"
)

const (
	plainTruth = `{"images": [{"id": 3}, {"id": 4}], "categories": [{"id": 0, "name": "thing"}, {"id": 2, "name": "other"}],
 "annotations": [{"id": 1, "image_id": 3, "category_id": 0, "bbox": [1, 2, 10, 20], "area": 200, "iscrowd": 0, "segmentation": [[1, 2, 11, 2, 11, 22]]}]}`
	plainResults = `[{"image_id": 3, "category_id": 0, "bbox": [1, 2, 10, 20], "score": 0.5}]`
)

// What pycocotools reads, too, is read to the same objects and told; a strict reader refuses it.
func TestFilesAreMended(t *testing.T) {
	truth, results := readMended(t, plainTruth, plainResults)
	for name, c := range map[string]struct{ of, old, new, want string }{
		"true for iscrowd":       {"truth", `"iscrowd": 0`, `"iscrowd": false`, "1 values true and false"},
		"real id":                {"truth", `"image_id": 3`, `"image_id": 3.0`, "1 whole numbers"},
		"id as text":             {"truth", `"image_id": 3`, `"image_id": "3"`, "1 ids that are written as a number"},
		"image twice":            {"truth", `"images": [`, `"images": [{"id": 3}, `, "1 images and categories"},
		"category twice":         {"truth", `"categories": [`, `"categories": [{"id": 2, "name": "other"}, `, "1 images and categories"},
		"annotation of no image": {"truth", `"annotations": [`, `"annotations": [{"image_id": 77, "category_id": 0, "bbox": [1, 2, 3, 4]}, `, "1 annotations of images"},
		"annotation of no class": {"truth", `"annotations": [`, `"annotations": [{"image_id": 3, "category_id": 9, "bbox": [1, 2, 3, 4]}, `, "1 annotations of images"},
		"no bbox":                {"truth", `"bbox": [1, 2, 10, 20], `, "", "1 annotations without a bbox"},
		"byte order mark":        {"results", `[{`, "\ufeff[{", "1 files begin with a byte order mark"},
		"score as text":          {"results", `0.5`, `"0.5"`, "1 numbers written as text"},
		"results: id as text":    {"results", `"image_id": 3`, `"image_id": "3"`, "1 ids that are written as a number"},
		"results: false as id":   {"results", `"category_id": 0`, `"category_id": false`, "1 values true and false"},
		"detection of no image":  {"results", `[{`, `[{"image_id": 77, "category_id": 0, "bbox": [1, 2, 3, 4], "score": 1}, {`, "1 detections of images"},
		"detection of no class":  {"results", `[{`, `[{"image_id": 3, "category_id": 9, "bbox": [1, 2, 3, 4], "score": 1}, {`, "1 detections of images"},
	} {
		t.Run(name, func(t *testing.T) {
			texts := map[string]string{"truth": plainTruth, "results": plainResults}
			texts[c.of] = strings.Replace(texts[c.of], c.old, c.new, 1)
			truthPath, resultsPath := write(t, texts["truth"]), write(t, texts["results"])
			found := lenient.New(false)
			gotTruth, gotResults, err := readTwo(truthPath, resultsPath, found)
			if err != nil {
				t.Fatal(err)
			}
			if notes := found.Notes(); len(notes) != 1 || !strings.HasPrefix(notes[0], c.want) {
				t.Errorf("notes %q, want one that begins with %q", notes, c.want)
			}
			if diff := cmp.Diff(truth.Objects, gotTruth.Objects); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(results, gotResults); diff != "" {
				t.Error(diff)
			}
			if _, _, err := readTwo(truthPath, resultsPath, lenient.New(true)); err == nil {
				t.Error("a strict reader accepts it")
			}
		})
	}
}

func readTwo(truth, results string, found *lenient.Findings) (*Annotations, []Detection, error) {
	annotations, err := ReadAnnotations(truth, found)
	if err != nil {
		return nil, nil, err
	}
	detections, err := ReadDetections(results, found)
	if err != nil {
		return nil, nil, err
	}
	detections, err = annotations.Listed(detections, found)
	return annotations, detections, err
}

func readMended(t *testing.T, truth, results string) (*Annotations, []Detection) {
	t.Helper()
	found := lenient.New(true)
	annotations, detections, err := readTwo(write(t, truth), write(t, results), found)
	if err != nil {
		t.Fatal(err)
	}
	return annotations, detections
}

// Results of which none belongs to the annotations are results of another set.
func TestKnownRefusesOtherSets(t *testing.T) {
	annotations := &Annotations{ImageIDs: []data.ID{1}, Categories: []Category{{1, "thing"}}}
	if _, err := annotations.Listed([]Detection{{ImageID: 2, CategoryID: 1}}, lenient.New(false)); err == nil {
		t.Error("no error")
	}
}

// Ids that are texts, or 0, leave as they have come.
func TestDetectionsKeepIDs(t *testing.T) {
	path := write(t, `[{"image_id": "img-1", "category_id": 0, "bbox": [1, 2, 10, 20], "score": 0.5}]`)
	detections, err := ReadDetections(path, lenient.New(true))
	if err != nil {
		t.Fatal(err)
	}
	text, err := detections[0].MarshalJSON()
	if err != nil || !strings.HasPrefix(string(text), `{"image_id":"img-1","category_id":0,`) {
		t.Errorf("written as %s (error %v)", text, err)
	}
}

// Category ids from 0 of a truth that counts from 1 would give all detections but the first class's
// to the class before theirs.
func TestListedRefusesShiftedCategories(t *testing.T) {
	annotations := &Annotations{ImageIDs: []data.ID{1}, Categories: []Category{{1, "cat"}, {2, "dog"}, {3, "horse"}}}
	gaps := &Annotations{ImageIDs: []data.ID{1}, Categories: []Category{{1, "cat"}, {2, "dog"}, {7, "horse"}, {9, "cow"}}}
	zero, one, two := data.ID(0), data.ID(1), data.ID(2)
	for name, c := range map[string]struct {
		categories []data.ID
		gaps       bool // of a truth with the ids 1, 2, 7 and 9
		shifted    bool
	}{
		"from 0":                     {[]data.ID{zero, one, two, two}, false, true},
		"from 0, as text":            {[]data.ID{data.TextID("0"), data.TextID("1"), data.TextID("2")}, false, true},
		"from 2":                     {[]data.ID{two, 3, 4}, false, true},
		"as listed":                  {[]data.ID{one, two, 3}, false, false},
		"a class besides the listed": {[]data.ID{zero, one, two, 3}, false, false},
		"from 0, of ids with gaps":   {[]data.ID{zero, one, 3, 3}, true, true},
		"gaps, and as listed":        {[]data.ID{zero, 3, 7}, true, false},
		"gaps, and others":           {[]data.ID{one, 3, 4}, true, false},
		"two others":                 {[]data.ID{zero, 7, one}, false, false},
	} {
		var detections []Detection
		for _, id := range c.categories {
			detections = append(detections, Detection{ImageID: 1, CategoryID: id})
		}
		of := annotations
		if c.gaps {
			of = gaps
		}
		_, err := of.Listed(detections, lenient.New(false))
		if c.shifted != (err != nil) || err != nil && !strings.Contains(err.Error(), "number both alike") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
