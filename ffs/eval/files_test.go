package eval

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/data"
	"ffslab/data/lenient"
	"ffslab/ffs/npz"
)

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file.json")
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Every fault is one line that names the file and the record.
func wantError(t *testing.T, err error, path, want string) {
	t.Helper()
	switch {
	case err == nil:
		t.Errorf("no error, want %s", want)
	case !strings.HasPrefix(err.Error(), path) || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n"):
		t.Errorf("error %q, want one line with the file and %q", err, want)
	}
}

func TestReadDetectionsRefuses(t *testing.T) {
	const good = `{"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 0.5}`
	tests := []struct{ name, content, want string }{
		{"empty", "", "the file is empty"},
		{"not a list", `{"annotations": []}`, "want a list"},
		{"truncated", "[" + good + `, {"image_id"`, "cut short"},
		{"list not closed", "[" + good, "cut short"},
		{"NaN", "[" + good + `, {"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, NaN], "score": 1}]`, "[1].bbox: bbox lacks a number"},
		{"short box", "[" + good + `, {"image_id": 1, "category_id": 2, "bbox": [0, 0, 1], "score": 1}]`, "[1].bbox: bbox has 3 numbers"},
		{"no box", `[{"image_id": 1, "category_id": 2, "score": 1}]`, "detection 0: no bbox"},
		{"negative size", `[{"image_id": 1, "category_id": 2, "bbox": [5, 5, -1, 1], "score": 1}]`, "detection 0: bbox [5 5 -1 1] has a negative size"},
		{"huge box", `[{"image_id": 1, "category_id": 2, "bbox": [5, 5, 1e200, 1e200], "score": 1}]`, "detection 0: bbox [5 5 1e+200 1e+200] is larger than any picture"},
		{"no score", `[{"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1]}]`, "detection 0: no score"},
		{"no image", `[{"category_id": 2, "bbox": [0, 0, 1, 1], "score": 1}]`, "detection 0: no image_id"},
		{"wrong type", `[{"image_id": [1], "category_id": 2, "bbox": [0, 0, 1, 1], "score": 1}]`, "[0].image_id: [1] is not an id"},
		{"one logit", `[{"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 1, "logits": [3]}]`, "detection 0: 1 logit"},
		{"text logit", `[{"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 1, "logits": [2, "x"]}]`, "[0].logits[1]: \"x\" stands where a finite number belongs"},
		{"null logit", `[{"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 1, "logits": [2, null]}]`, "[0].logits[1]: null or NaN stands where a finite number belongs"},
		{"NaN logit", "[" + good + `, {"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 1, "logits": [NaN, 2, 3]}]`, "[1].logits[0]: null or NaN stands"},
		{"null score", `[{"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1], "score": null}]`, "detection 0: no score"},
		{"an object", `{"boxes": [[0, 0, 1, 1]], "labels": [1], "scores": [0.5]}`, "not a COCO results file: " + resultsLayout},
		{"torchvision", `[{"boxes": [[0, 0, 1, 1]], "labels": [1], "scores": [0.5]}, {"boxes": [], "labels": [], "scores": []}]`,
			"not a COCO results file: entry 0 holds lists for a whole image; " + resultsLayout},
		{"torchvision by image", `[{"image_id": 1, "boxes": [[0, 0, 1, 1]], "labels": [1], "scores": [0.5]}]`, "entry 0 holds lists for a whole image; " + resultsLayout},
		{"mmdetection", `[[[[0, 0, 1, 1, 0.5]], []], [[], []]]`, "not a COCO results file: entry 0 is not an object; " + resultsLayout},
		{"Ultralytics", `[{"name": "cat", "class": 0, "confidence": 0.5, "box": {"x1": 0, "y1": 0, "x2": 1, "y2": 1}}]`,
			"not a COCO results file: entry 0 has neither image_id nor category_id; " + resultsLayout},
		{"null", "[null, null]", "entry 0 is not an object; " + resultsLayout},
		{"list of scores", `[{"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 1, "scores": [1]}]`, "detection 0: scores is a list: want {name: value}"},
		{"two lists", "[" + good + "][" + good + "]", "there is more after the end"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, test.content)
			_, err := ReadDetections(path, lenient.New(false))
			wantError(t, err, path, test.want)
		})
	}
}

// encoding/json alone reads null in a list as 0.
func TestUnmarshalRefusesNull(t *testing.T) {
	for text, want := range map[string]string{
		`{"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 1, "logits": [2, null]}`: "element 1 is null",
		`{"image_id": 1, "category_id": 2, "bbox": [0, null, 1, 1], "score": 1}`:                   "element 1 is null",
		`{"image_id": 1, "category_id": 2, "bbox": null, "score": 1}`:                              "bbox of four numbers",
	} {
		var d Detection
		if err := json.Unmarshal([]byte(text), &d); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", text, err, want)
		}
	}
}

func TestReadAnnotations(t *testing.T) {
	const head = `{"images": [{"id": 3}], "categories": [{"id": 1, "name": "thing"}], "annotations": [`
	tests := []struct{ name, content, want string }{
		{"truncated", head, "cut short"},
		{"no images", `{"categories": [{"id": 1}]}`, "no images"},
		{"no categories", `{"images": [{"id": 3}]}`, "no categories"},
		{"image without id", `{"images": [{"file_name": "a"}]}`, "images[0]: no id"},
		{"two categories of an id", `{"images": [{"id": 3}], "categories": [{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]}`, "categories[1] (b): the id 1 is that of"},
		{"no category", head + `{"image_id": 3, "bbox": [0, 0, 1, 1]}]}`, "annotations[0]: image_id and category_id are needed"},
		{"negative size", head + `{"image_id": 3, "category_id": 1, "bbox": [0, 0, 1, -1]}]}`, "annotations[0]: bbox [0 0 1 -1] has a negative size"},
		{"NaN", head + `{"image_id": 3, "category_id": 1, "bbox": [0, 0, 1, NaN]}]}`, "annotations[0].bbox: bbox lacks a number"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, test.content)
			_, err := ReadAnnotations(path, lenient.New(false))
			wantError(t, err, path, test.want)
		})
	}
	got, err := ReadAnnotations(write(t, head+`{"image_id": 3, "category_id": 1, "bbox": [0.5, 0, 2, 3]}]}`), lenient.New(false))
	if err != nil {
		t.Fatal(err)
	}
	want := &Annotations{
		ImageIDs:   []data.ID{3},
		Categories: []Category{{1, "thing"}},
		Objects:    []GroundTruth{{ImageID: 3, CategoryID: 1, Box: [4]float64{0.5, 0, 2, 3}, Area: 6}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
}

func TestDetectionsRoundTrip(t *testing.T) {
	detections := []Detection{
		{ImageID: 1, CategoryID: 2, Box: [4]float64{0, 1.5, 2, 3}, Score: 0.25},
		{ImageID: 1, CategoryID: 3, Score: 1, Logits: []float64{1, -2, 0},
			Scores: map[string]float64{"energy": 0, "nll": 7.5, "weighted_energy": 1e-9, "logistic": 0.5, "knn": -3}},
	}
	path := filepath.Join(t.TempDir(), "detections.json")
	for _, want := range [][]Detection{detections, nil} {
		if err := WriteDetections(path, want); err != nil {
			t.Fatal(err)
		}
		got, err := ReadDetections(path, lenient.New(false))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("detections (-want +got):\n%s", diff)
		}
	}
}

// A failed write leaves the old file and nothing beside it.
func TestWriteDetectionsIsAtomic(t *testing.T) {
	path := filepath.Join(t.TempDir(), "detections.json")
	good := Detection{ImageID: 1, CategoryID: 1, Score: 1}
	if err := WriteDetections(path, []Detection{good}); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	bad := good
	bad.Scores = map[string]float64{"energy": math.NaN()}
	err = WriteDetections(path, []Detection{good, bad})
	if err == nil || !strings.HasSuffix(err.Error(), "detections.json: detection 1: energy is NaN") {
		t.Errorf("error %v, want one naming detection 1", err)
	}
	after, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	if string(before) != string(after) || len(files) != 1 {
		t.Errorf("the file changed, or %d files lie in its folder instead of 1", len(files))
	}
}

func TestReadScores(t *testing.T) {
	got, err := ReadScores(write(t, "1.5\n\n -2e3 \r\n"))
	if diff := cmp.Diff([]float64{1.5, -2000}, got); diff != "" || err != nil {
		t.Errorf("error %v, scores (-want +got):\n%s", err, diff)
	}
	for content, want := range map[string]string{
		"1\n2 3\n": `:2: "2 3" is not a finite number`,
		"nan\n":    `:1: "nan" is not a finite number`,
		"1\n+Inf":  `:2: "+Inf" is not a finite number`,
		"\n":       ": no scores",
		"energy\n": ": no scores",
		"2 3\n1\n": `:1: "2 3" is not a finite number`,
	} {
		path := write(t, content)
		_, err := ReadScores(path)
		wantError(t, err, path, want)
	}
}

// Scores come in the files that NumPy, pandas and spreadsheets write.
func TestReadScoresOfOtherForms(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
		return path
	}
	npzFile := filepath.Join(dir, "a.npz")
	if err := npz.Write(npzFile, npz.Arrays{"energy": npz.New([]float32{1, 2, 3}, 3), "other": npz.New([]int64{7}, 1)}); err != nil {
		t.Fatal(err)
	}
	header := "{'descr': '<f8', 'fortran_order': False, 'shape': (3,), }"
	npy := "\x93NUMPY\x01\x00" + string([]byte{byte(len(header)), 0}) + header + string([]byte{
		0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0, 0, 0, 0, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0x08, 0x40})
	for path, why := range map[string]string{
		file("hash.txt", "# energy of inliers\n1\n2\n3\n"):                           "a comment",
		file("header.txt", "energy\n1.000e+00\n2\n3\n"):                              "a header",
		file("mark.txt", "\ufeff1\r\n2\r\n3\r\n"):                                    "a byte order mark",
		file("one.csv", "energy\n1\n2\n3\n"):                                         "a table of one column",
		file("bare.csv", "1\n2\n3\n"):                                                "a table without a header",
		file("index.csv", ",energy\n0,1\n1,2\n2,3\n"):                                "pandas' index",
		file("many.csv", "\ufeffname,energy,nll\na,1,9\nb,2,9\nc,3,9\n") + ":energy": "a column by its name",
		file("tab.tsv", "energy\tnll\n1\t9\n2\t9\n3\t9\n") + ":energy":               "a table with tabs",
		file("a.npy", npy):  "an array",
		npzFile + ":energy": "an array of an archive",
	} {
		got, err := ReadScores(path)
		if diff := cmp.Diff([]float64{1, 2, 3}, got); diff != "" || err != nil {
			t.Errorf("%s: error %v, scores (-want +got):\n%s", why, err, diff)
		}
	}
	for path, want := range map[string]string{
		file("which.csv", "a,b\n1,2\n"):        "which column",
		file("wrong.csv", "a,b\n1,2\n") + ":c": `no column "c"`,
		file("text.csv", "a\n1\nx\n"):          ":3: \"x\" is not a number",
		npzFile:                                "one of energy, other",
	} {
		if _, err := ReadScores(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s gave the error %v, want %q", path, err, want)
		}
	}
}
