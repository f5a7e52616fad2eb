package eval

import (
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/data"
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
		{"empty", "", "truncated"},
		{"not a list", `{"annotations": []}`, "want a list"},
		{"truncated", "[" + good + `, {"image_id"`, "detection 1: the JSON ends too early"},
		{"list not closed", "[" + good, "truncated"},
		{"NaN", "[" + good + `, {"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, NaN], "score": 1}]`, "detection 1: byte 123: NaN and Infinity"},
		{"short box", "[" + good + `, {"image_id": 1, "category_id": 2, "bbox": [0, 0, 1], "score": 1}]`, "detection 1: bbox has 3 numbers"},
		{"no box", `[{"image_id": 1, "category_id": 2, "score": 1}]`, "detection 0: bbox has 0 numbers"},
		{"negative size", `[{"image_id": 1, "category_id": 2, "bbox": [5, 5, -1, 1], "score": 1}]`, "detection 0: bbox [5 5 -1 1] has a negative size"},
		{"huge box", `[{"image_id": 1, "category_id": 2, "bbox": [5, 5, 1e200, 1e200], "score": 1}]`, "detection 0: bbox [5 5 1e+200 1e+200] is larger than any picture"},
		{"no score", `[{"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1]}]`, "detection 0: no score"},
		{"no image", `[{"category_id": 2, "bbox": [0, 0, 1, 1], "score": 1}]`, "detection 0: no image_id"},
		{"wrong type", `[{"image_id": true, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 1}]`, "detection 0: true is no id"},
		{"one logit", `[{"image_id": 1, "category_id": 2, "bbox": [0, 0, 1, 1], "score": 1, "logits": [3]}]`, "detection 0: 1 logit"},
		{"two lists", "[" + good + "][" + good + "]", "more after the list of 1 detections"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, test.content)
			_, err := ReadDetections(path)
			wantError(t, err, path, test.want)
		})
	}
}

func TestReadAnnotations(t *testing.T) {
	const head = `{"images": [{"id": 3}], "categories": [{"id": 1, "name": "thing"}], "annotations": [`
	tests := []struct{ name, content, want string }{
		{"truncated", head, "unexpected end"},
		{"no images", `{"categories": [{"id": 1}]}`, "no images"},
		{"no categories", `{"images": [{"id": 3}]}`, "no categories"},
		{"image without id", `{"images": [{"file_name": "a"}]}`, "images[0]: no id"},
		{"image twice", `{"images": [{"id": 3}, {"id": 3}], "categories": [{"id": 1}]}`, "image id 3 occurs twice"},
		{"unknown image", head + `{"image_id": 4, "category_id": 1, "bbox": [0, 0, 1, 1]}]}`, "annotations[0]: unknown image id 4"},
		{"unknown category", head + `{"image_id": 3, "category_id": 9, "bbox": [0, 0, 1, 1]}]}`, "annotations[0]: unknown category id 9"},
		{"no category", head + `{"image_id": 3, "bbox": [0, 0, 1, 1]}]}`, "annotations[0]: image_id and category_id are needed"},
		{"negative size", head + `{"image_id": 3, "category_id": 1, "bbox": [0, 0, 1, -1]}]}`, "annotations[0]: bbox [0 0 1 -1] has a negative size"},
		{"NaN", head + `{"image_id": 3, "category_id": 1, "bbox": [0, 0, 1, NaN]}]}`, "NaN and Infinity are not JSON"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, test.content)
			_, err := ReadAnnotations(path)
			wantError(t, err, path, test.want)
		})
	}
	got, err := ReadAnnotations(write(t, head+`{"image_id": 3, "category_id": 1, "bbox": [0.5, 0, 2, 3]}]}`))
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
		got, err := ReadDetections(path)
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
	} {
		path := write(t, content)
		_, err := ReadScores(path)
		wantError(t, err, path, want)
	}
}
