package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"ffslab/data/box"
	"ffslab/data/lenient"
	"ffslab/ffs/eval"
	"ffslab/ffs/features"
	"ffslab/ffs/internal/testkit"
)

// scoredRun imports the reference's checkpoint into ./run and annotates its picture, for the inlier
// set in gt.json with what the reference finds, for an outlier set in ood.json.
func scoredRun(t *testing.T) (picture string) {
	t.Helper()
	golden := testkit.Golden(t, "../detector/testdata/detector.npz")
	weights, settings := absolute(t, "../detector/testdata/detector.pth"), absolute(t, "../detector/testdata/reference.yaml")
	picture = absolute(t, "../detector/testdata/detector.png")
	t.Chdir(t.TempDir())
	ffs(t, "import "+weights+" --config "+settings+" --run run")
	ffs(t, "detect --run run "+picture+" --out reference")
	raw, err := os.ReadFile("reference/detections.json")
	if err != nil {
		t.Fatal(err)
	}
	var found []struct {
		Category string   `json:"category"`
		Box      box.COCO `json:"bbox"`
	}
	if err := json.Unmarshal(raw, &found); err != nil || len(found) != golden["classes"].Size() {
		t.Fatalf("%d detections, error %v", len(found), err)
	}
	names := map[string]int{}
	var categories, annotations []string
	for i, d := range found {
		if names[d.Category] == 0 {
			names[d.Category] = len(names) + 1
		}
		annotations = append(annotations, fmt.Sprintf(`{"id": %d, "image_id": 1, "category_id": %d, "bbox": [%v, %v, %v, %v], "area": %v, "iscrowd": 0}`,
			i+1, names[d.Category], d.Box[0], d.Box[1], d.Box[2], d.Box[3], d.Box.Area()))
	}
	for _, name := range []string{"a", "b", "c", "d", "e"} { // the reference's classes
		if names[name] == 0 {
			names[name] = len(names) + 1
		}
	}
	for name, id := range names {
		categories = append(categories, fmt.Sprintf(`{"id": %d, "name": %q}`, id, name))
	}
	size := golden["original_size"].Ints()
	write := func(path, categories, annotations string) {
		text := fmt.Sprintf(`{"images": [{"id": 1, "file_name": %q, "width": %d, "height": %d}], "categories": [%s], "annotations": [%s]}`,
			filepath.Base(picture), size[1], size[0], categories, annotations)
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("gt.json", strings.Join(categories, ","), strings.Join(annotations, ","))
	write("ood.json", `{"id": 9, "name": "kraken"}`, `{"id": 1, "image_id": 1, "category_id": 9, "bbox": [1, 1, 20, 20], "area": 400, "iscrowd": 0}`)
	return picture
}

// From a run to features, scores of all kinds, unknown objects by one of them, and the same from
// the files alone.
func TestScoresByCommand(t *testing.T) {
	picture := scoredRun(t)
	images := filepath.Dir(picture)
	ffs(t, "features --run run --data coco:gt.json,"+images+" --out objects --projector logs")
	ffs(t, "features --run run --data coco:gt.json,"+images+" --detections --out detections")
	table := func(folder string) (string, *features.Table) {
		paths, err := filepath.Glob(filepath.Join(folder, "*.npz"))
		if err != nil || len(paths) != 1 {
			t.Fatalf("%s holds %v, error %v", folder, paths, err)
		}
		f, err := features.Read(paths[0])
		if err != nil {
			t.Fatal(err)
		}
		return paths[0], f
	}
	fit, objects := table("objects")
	path, found := table("detections")
	results, err := eval.ReadDetections(strings.TrimSuffix(path, ".npz")+".json", lenient.New(true))
	if err != nil || len(results) != found.Len() || objects.NumClasses != 5 || objects.ImageIDs[0] != 1 {
		t.Fatalf("%d detections, %d rows, error %v", len(results), found.Len(), err)
	}
	if pictures, err := filepath.Glob("logs/*/sprite.png"); err != nil || len(pictures) != 1 {
		t.Errorf("sprites %v, error %v", pictures, err)
	}

	ffs(t, "eval --run run --id coco:gt.json,"+images+" --ood coco:ood.json,"+images+" --train coco:gt.json,"+images+" --scores energy,knn,cosine,vim --bootstrap 0")
	report, err := eval.ReadReport("run/eval/metrics.json")
	if err != nil {
		t.Fatal(err)
	}
	for set, o := range report.Outliers {
		for _, name := range []string{"energy", "knn", "vim"} {
			if _, ok := o.Scores[name]; !ok {
				t.Errorf("%s: %s was not measured: %v", set, name, report.NotMeasured)
			}
		}
	}
	study := "study heads --run run --id coco:gt.json," + images + " --ood coco:ood.json," + images + " --train coco:gt.json," + images +
		" --methods none,flow --seeds 0,1 --scores knn --bootstrap 0 --set train.max_iter=3 --set model.outlier.start_iter=1 --out heads"
	ffs(t, study)
	first, err := os.ReadFile("heads/heads.md")
	if err != nil || !strings.Contains(string(first), "| flow ") || !strings.Contains(string(first), "knn AUROC") {
		t.Errorf("no table: %v\n%s", err, first)
	}
	if _, err := os.Stat("heads/eval"); err == nil {
		t.Error("the run has an evaluation, but another one was made")
	}
	detector, own := fmt.Sprintf("%.2f", 100*report.Outliers["coco:ood.json,"+images].Scores["knn"].AUROC), "| (detector) |"
	if line := string(first)[strings.Index(string(first), own):]; !strings.Contains(line[:strings.Index(line, "\n")], detector) {
		t.Errorf("AUROC of the detector's knn is %s, but the table has %s", detector, line)
	}
	ffs(t, study) // nothing is left to do
	if second, err := os.ReadFile("heads/heads.md"); err != nil || string(second) != string(first) {
		t.Errorf("again: %v\n%s\nfirst:\n%s", err, second, first)
	}
	ffs(t, "detect --run run --score knn "+picture+" --out unknown")
	raw, err := os.ReadFile("unknown/detections.json")
	if err != nil {
		t.Fatal(err)
	}
	var detected []struct {
		Scores  map[string]float64 `json:"scores"`
		Unknown *bool              `json:"unknown"`
	}
	if err := json.Unmarshal(raw, &detected); err != nil {
		t.Fatal(err)
	}
	threshold := report.UnknownThresholds["knn"]
	for i, d := range detected {
		if knn, ok := d.Scores["knn"]; !ok || d.Unknown == nil || *d.Unknown != (knn < threshold) {
			t.Errorf("detection %d: %+v, threshold %v", i, d, threshold)
		}
	}

	json := strings.TrimSuffix(path, ".npz") + ".json"
	if err := os.Rename(json, "dt.json"); err != nil {
		t.Fatal(err)
	}
	ffs(t, "ood-eval --id-gt gt.json --id dt.json --ood dt.json --features "+path+" --features "+path+" --fit "+fit+" --bootstrap 0 --out files")
	again, err := eval.ReadReport("files/metrics.json")
	if err != nil {
		t.Fatal(err)
	}
	if s := again.Outliers["dt.json"].Scores; s["knn"].AUROC != 0.5 || s["vim"].AUROC != 0.5 {
		t.Errorf("the same detections on both sides: %+v", s)
	}
}

func TestOwnScoresAreAlwaysThere(t *testing.T) {
	for _, c := range []struct{ asked, want []string }{
		{[]string{"own"}, nil}, {[]string{"own", "knn"}, []string{"knn"}}, {[]string{"all"}, []string{"all"}},
	} {
		if got := scoreNames(c.asked); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: %v, want %v", c.asked, got, c.want)
		}
	}
}

// Faults are one line and say what to do.
func TestScoresByCommandRefuse(t *testing.T) {
	picture := scoredRun(t)
	images := filepath.Dir(picture)
	for line, want := range map[string]string{
		"features --run run --data coco:gt.json," + images + " --out x --objects --detections": "choose one",
		"features --run run --data coco:gt.json," + images + " --out x --min-score 2":          "--min-score",
		"features --run run --data coco:ood.json," + images + " --out x":                       "ood.json",
		"eval --run run --id coco:gt.json," + images + " --scores kmm":                         `unknown score "kmm"`,
		"eval --run run --id coco:gt.json," + images + " --fit-objects 0":                      "--fit-objects",
		"detect --run run --score kmm " + picture + " --out x":                                 `unknown score "kmm"`,
		"detect --run run --score knn --unknown-threshold -1 " + picture + " --out x":          "evaluate the run with this score first",
	} {
		cmd := newRoot()
		cmd.SetArgs(strings.Fields(line))
		err := cmd.ExecuteContext(t.Context())
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("ffs %s: error %v, want one line with %q", line, err, want)
		}
	}
}
