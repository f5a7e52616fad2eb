package evalcmd

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ffslab/ffs/eval"
	"ffslab/ffs/features"
)

// results are hand-made: 20 images with a cat or a dog each, and 20 with a bird that is taken for a
// dog.
func results(t *testing.T, id func(i int) string, entry func(i, category int, known bool) string) (gt, inlier, outlier string) {
	t.Helper()
	var images, annotations, known, unknown []string
	for i := range 20 {
		category := 3 + i%2
		images = append(images, fmt.Sprintf(`{"id": %s, "width": 50, "height": 40, "file_name": "%d.jpg"}`, id(i), i))
		annotations = append(annotations, fmt.Sprintf(`{"id": %d, "image_id": %s, "category_id": %d, "bbox": [0, 0, 10, 10], "area": 100, "iscrowd": 0}`, i+1, id(i), category))
		known = append(known, entry(i, category, true))
		unknown = append(unknown, entry(i, 4, false))
	}
	gt = write(t, "gt.json", fmt.Sprintf(`{"images": [%s], "categories": [{"id": 3, "name": "cat"}, {"id": 4, "name": "dog"}], "annotations": [%s]}`,
		strings.Join(images, ","), strings.Join(annotations, ",")))
	return gt, write(t, "id_dt.json", "["+strings.Join(known, ",")+"]"), write(t, "ood_dt.json", "["+strings.Join(unknown, ",")+"]")
}

// sure is the probability of the i-th detection: high for known objects, and for some unknown ones.
func sure(i int, known bool) float64 {
	if known {
		return 0.75 + 0.01*float64(i)
	}
	return 0.6 + 0.013*float64(i)
}

func report(t *testing.T, arguments ...string) *eval.Report {
	t.Helper()
	out, err := run(OodEval(), append(arguments, "--json", "--bootstrap", "20")...)
	if err != nil {
		t.Fatal(err)
	}
	r := &eval.Report{}
	if err := json.Unmarshal([]byte(out), r); err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	return r
}

// coco_instances_results.json of detectron2, to which its user has added the class logits, with the
// background last, and a score of their own.
func TestOodEvalOfDetectron2(t *testing.T) {
	gt, inlier, outlier := results(t, func(i int) string { return fmt.Sprint(100 + i) }, func(i, category int, known bool) string {
		p := sure(i, known)
		logits := []float64{0, 0, 0}
		logits[category-3] = math.Log(2 * p / (1 - p))
		return fmt.Sprintf(`{"image_id": %d, "category_id": %d, "bbox": [0.0, 0.0, 10.0, 10.0], "score": %v, "logits": [%v, %v, %v], "scores": {"mine": %v}}`,
			100+i, category, p, logits[0], logits[1], logits[2], 2*p)
	})
	birds := birdsFor(t, gt, `"category_id": 3`, `"category_id": 4`)
	r := report(t, "--id-gt", gt, "--id", inlier, "--ood", outlier, "--ood-gt", birds)
	o := r.Outliers[outlier]
	if o == nil {
		t.Fatalf("no outcome for %s: %v", outlier, r.Outliers)
	}
	if o.Protocol != eval.ByImages || o.OpenSet == nil || r.Recommended == "" {
		t.Errorf("protocol %q, open set %v, recommended %q", o.Protocol, o.OpenSet, r.Recommended)
	}
	// Where the cats stay cats, they are known objects of the outlier set.
	mixed := report(t, "--id-gt", gt, "--id", inlier, "--ood", outlier, "--ood-gt", birdsFor(t, gt, `"category_id": 4`)).Outliers[outlier]
	if mixed.Protocol != eval.ByObjects || mixed.Objects.Known != 10 || mixed.Objects.Unknown != 10 {
		t.Errorf("mixed set: protocol %q, objects %+v", mixed.Protocol, mixed.Objects)
	}
	if _, ok := mixed.AgainstEnergy["mine"]; !ok || mixed.Scores["mine"].AUROC == o.Scores["mine"].AUROC {
		t.Errorf("mixed set: scores %+v against the energy %+v", mixed.Scores["mine"], mixed.AgainstEnergy)
	}
	mine := o.Scores["mine"]
	if mine.AUROC <= 0.5 || mine.CI95 == nil {
		t.Errorf("the detector's own score: %+v", mine)
	}
	// All of these are monotone functions of the same probability here.
	for _, name := range []string{"confidence", "energy", "msp", "max_logit", "gen"} {
		if s, ok := o.Scores[name]; !ok || math.Abs(s.AUROC-mine.AUROC) > 1e-9 {
			t.Errorf("%s: %+v (%s), want the AUROC %v", name, s, r.NotMeasured[name], mine.AUROC)
		}
	}
	for _, name := range []string{"knn", "nll", "react"} {
		if r.NotMeasured[name] == "" {
			t.Errorf("nothing says why %s is not measured", name)
		}
	}
	if r.MAP.AP50 < 0.99 || o.Inliers < 19 {
		t.Errorf("AP50 %v, %d detections count", r.MAP.AP50, o.Inliers)
	}
	text, err := run(OodEval(), "--id-gt", gt, "--id", inlier, "--ood", outlier, "--bootstrap", "0")
	if err != nil || !strings.Contains(text, "knn: not measured") || !strings.Contains(text, "| mine") {
		t.Errorf("error %v, text:\n%s", err, text)
	}
}

// birdsFor copies an annotation file with birds for objects of some categories.
func birdsFor(t *testing.T, gt string, categories ...string) string {
	t.Helper()
	text, err := os.ReadFile(gt)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.Replace(string(text), `"categories": [`, `"categories": [{"id": 7, "name": "bird"}, `, 1)
	for _, c := range categories {
		changed = strings.ReplaceAll(changed, c, `"category_id": 7`)
	}
	return write(t, fmt.Sprintf("birds%d.json", len(categories)), changed)
}

// predictions.json of Ultralytics: ids of images that are texts, a file's name, no logits.
func TestOodEvalOfUltralytics(t *testing.T) {
	gt, inlier, outlier := results(t, func(i int) string { return fmt.Sprintf(`"img_%03d"`, i) }, func(i, category int, known bool) string {
		return fmt.Sprintf(`{"image_id": "img_%03d", "file_name": "img_%03d.jpg", "category_id": %d, "bbox": [0.0, 0.0, 10.0, 10.0], "score": %.5f}`, i, i, category, sure(i, known))
	})
	r := report(t, "--id-gt", gt, "--id", inlier, "--ood", outlier)
	o := r.Outliers[outlier]
	if s, ok := o.Scores["confidence"]; !ok || s.AUROC <= 0.5 || s.CI95 == nil || len(o.Scores) != 1 {
		t.Errorf("scores %v, want the confidence alone", o.Scores)
	}
	if r.NotMeasured["energy"] == "" {
		t.Error("nothing says why the energy is not measured")
	}
}

// table has a feature for each detection, by which known and unknown objects differ, and logits
// without the background.
func table(t *testing.T, n int, known bool, change func(*features.Table)) string {
	t.Helper()
	f := &features.Table{NumClasses: 2, Features: &features.Matrix{}, Logits: &features.Matrix{},
		W: &features.Matrix{Rows: 2, Columns: 3, Data: []float32{1, 0, 0, 0, 1, 0}}, B: []float32{0, 0}}
	for i := range n {
		x := []float32{0.1, 0.1, 0.02 * float32(i%7)}
		x[i%2] = 2 + 0.1*float32(i%5)
		if !known {
			x[2] = 3
		}
		f.Features.Append(x)
		f.Logits.Append([]float32{x[0], x[1]})
		f.Classes = append(f.Classes, i%2)
	}
	if change != nil {
		change(f)
	}
	path := filepath.Join(t.TempDir(), "features.npz")
	if err := f.Write(path); err != nil {
		t.Fatal(err)
	}
	return path
}

// Features of any origin make the scores that need them.
func TestOodEvalWithFeatures(t *testing.T) {
	gt, inlier, outlier := results(t, func(i int) string { return fmt.Sprint(i) }, func(i, category int, known bool) string {
		return fmt.Sprintf(`{"image_id": %d, "category_id": %d, "bbox": [0, 0, 10, 10], "score": %.5f}`, i, category, sure(i, known))
	})
	known, unknown, fit := table(t, 20, true, nil), table(t, 20, false, nil), table(t, 60, true, nil)
	r := report(t, "--id-gt", gt, "--id", inlier, "--ood", outlier, "--features", known, "--features", unknown, "--fit", fit)
	o := r.Outliers[outlier]
	for _, name := range []string{"knn", "mahalanobis", "vim", "cosine"} {
		if s, ok := o.Scores[name]; !ok || s.AUROC < 0.99 {
			t.Errorf("%s: %+v (%s), want an AUROC of 1", name, s, r.NotMeasured[name])
		}
	}
	if _, ok := o.Scores["energy"]; !ok {
		t.Errorf("the energy is not measured: %s", r.NotMeasured["energy"])
	}
	if r.Recommended == "" || r.Recommended == "energy" {
		t.Errorf("recommended: %q", r.Recommended)
	}

	for name, c := range map[string]struct {
		arguments []string
		want      []string
	}{
		"rows too few":  {[]string{"--features", table(t, 19, true, nil), "--features", unknown}, []string{"19 rows", "20 detections", inlier}},
		"one file":      {[]string{"--features", known}, []string{"1 --features", "1 --ood"}},
		"other classes": {[]string{"--fit", table(t, 6, true, func(f *features.Table) { f.NumClasses, f.W, f.B, f.Logits = 3, nil, nil, nil })}, []string{"3 classes", "2"}},
		"other image": {[]string{"--features", table(t, 20, true, func(f *features.Table) { f.ImageIDs = make([]int64, 20) }), "--features", unknown},
			[]string{"row 1", "image 0", "image 1"}},
		"row beyond": {[]string{"--features", table(t, 1, true, func(f *features.Table) { f.Detections = []int{20} }), "--features", unknown}, []string{"row 0", "detection 20", "has 20"}},
		"row absent": {[]string{"--features", table(t, 1, true, func(f *features.Table) { f.Detections = []int{3} }), "--features", unknown}, []string{"no row for detection"}},
		"other columns": {[]string{"--features", table(t, 20, true, func(f *features.Table) {
			f.Features, f.W, f.B = &features.Matrix{Rows: 20, Columns: 1, Data: make([]float32, 20)}, nil, nil
		}), "--features", unknown, "--fit", fit}, []string{inlier, "1 columns", "3"}},
		"other weights": {[]string{"--features", known, "--features", unknown, "--fit", table(t, 9, true, func(f *features.Table) { f.B = []float32{0, 1} })}, []string{known, "different class layers"}},
		"unknown score": {[]string{"--scores", "energy,kmm"}, []string{`"kmm"`, "knn"}},
		"no such file":  {[]string{"--fit", "none.npz"}, []string{"none.npz"}},
		"truths":        {[]string{"--ood-gt", gt, "--ood-gt", gt}, []string{"2 --ood-gt", "1 --ood"}},
	} {
		_, err := run(OodEval(), append([]string{"--id-gt", gt, "--id", inlier, "--ood", outlier}, c.arguments...)...)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, part := range c.want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: error %q does not name %q", name, err, part)
			}
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%s: error %q has several lines", name, err)
		}
	}
}

func TestOodEvalRefusesLogitsOfOtherClasses(t *testing.T) {
	gt, inlier, outlier := results(t, func(i int) string { return fmt.Sprint(i) }, func(i, category int, known bool) string {
		logits := "1, 2, 3"
		if !known && i == 7 {
			logits = "1, 2, 3, 4, 5"
		}
		return fmt.Sprintf(`{"image_id": %d, "category_id": %d, "bbox": [0, 0, 10, 10], "score": 0.5, "logits": [%s]}`, i, category, logits)
	})
	if _, err := run(OodEval(), "--id-gt", gt, "--id", inlier, "--ood", outlier); err == nil || !strings.Contains(err.Error(), outlier+": detection 7 has 5 logits") {
		t.Errorf("error %v", err)
	}
	if _, err := run(OodEval(), "--id", inlier, "--ood", outlier, "--fit", "x.npz"); err == nil || !strings.Contains(err.Error(), "--id-gt") {
		t.Errorf("features without annotations: %v", err)
	}
}

// Logits with the background in one file and without in another are counted, not called missing.
func TestOodEvalNamesFilesOfOtherLogits(t *testing.T) {
	for _, c := range []struct{ known, unknown, want string }{
		{"1, 2", "1, 2, 3", "%[2]s: the detections have 3 logits, those of %[1]s have 2: there are 2 classes; "},
		{"1, 2, 3", "1, 2", "%[1]s: the detections have 3 logits, those of %[2]s have 2: there are 2 classes; "},
		{"", "1, 2, 3", "%[2]s: the detections have 3 logits, those of %[1]s have none: "},
	} {
		gt, inlier, outlier := results(t, func(i int) string { return fmt.Sprint(i) }, func(i, category int, known bool) string {
			logits := c.unknown
			if known {
				logits = c.known
			}
			return fmt.Sprintf(`{"image_id": %d, "category_id": %d, "bbox": [0, 0, 10, 10], "score": 0.5, "logits": [%s]}`, i, category, logits)
		})
		_, err := run(OodEval(), "--id-gt", gt, "--id", inlier, "--ood", outlier)
		if want := fmt.Sprintf(c.want, inlier, outlier); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

// A score that some entries lack, or hold as NaN, is said not to be measured, and why.
func TestOodEvalSaysWhichScoresAreIncomplete(t *testing.T) {
	gt, inlier, outlier := results(t, func(i int) string { return fmt.Sprint(i) }, func(i, category int, known bool) string {
		scores := fmt.Sprintf(`"whole": %d`, i)
		switch {
		case known && i == 7:
			scores += `, "mine": NaN`
		case known || i > 2:
			scores += fmt.Sprintf(`, "mine": %d`, i)
		}
		if !known {
			scores += `, "theirs": 1`
		}
		return fmt.Sprintf(`{"image_id": %d, "category_id": %d, "bbox": [0, 0, 10, 10], "score": 0.5, "scores": {%s}}`, i, category, scores)
	})
	r := report(t, "--id-gt", gt, "--id", inlier, "--ood", "birds="+outlier)
	const why = "missing from detections that reach the threshold: "
	for name, want := range map[string]string{
		"mine": why + "1 of 20 on the inlier set, 3 of 20 on birds", "theirs": why + "20 of 20 on the inlier set", "whole": "", "confidence": "",
	} {
		if got := r.NotMeasured[name]; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	text, err := run(OodEval(), "--id-gt", gt, "--id", inlier, "--ood", "birds="+outlier, "--bootstrap", "0")
	if err != nil || !strings.Contains(text, "Not measured: mine: "+why+"1 of 20 on the inlier set, 3 of 20 on birds.") {
		t.Errorf("error %v, text:\n%s", err, text)
	}
}

// Both commands say which of their files seems to have boxes in another form.
func TestCommandsTellFormsOfBoxes(t *testing.T) {
	gt, inlier, outlier := results(t, func(i int) string { return fmt.Sprint(i) }, func(i, category int, known bool) string {
		x, y := 25+i%10, 20+i%9 // corners of boxes in the lower right of images of 50x40
		b := fmt.Sprintf("[%d, %d, %d, %d]", x, y, x+14, y+11)
		if !known {
			b = "[0.1, 0.2, 0.3, 0.4]"
		}
		return fmt.Sprintf(`{"image_id": %d, "category_id": %d, "bbox": %s, "score": 0.5}`, i, category, b)
	})
	told := stderr(t, func() {
		if _, err := run(CocoEval(), "--gt", gt, "--dt", inlier); err != nil {
			t.Fatal(err)
		}
	})
	if want := "note: " + inlier + ": 20 of 20 boxes reach over the right or lower edge: they look like corners"; !strings.Contains(told, want) || strings.Contains(told, gt) {
		t.Errorf("coco-eval: %q, want %q and nothing of the annotations", told, want)
	}
	told = stderr(t, func() { _, _ = run(OodEval(), "--id-gt", gt, "--id", inlier, "--ood", outlier) })
	for _, want := range []string{"note: " + inlier + ": 20 of 20 boxes", "note: " + outlier + ": no box reaches a pixel: they look like fractions"} {
		if !strings.Contains(told, want) {
			t.Errorf("ood-eval: %q, want %q", told, want)
		}
	}
}

// stderr returns what do writes to os.Stderr.
func stderr(t *testing.T, do func()) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "stderr")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = file
	defer func() { os.Stderr = before }()
	do()
	text, err := os.ReadFile(path)
	if err = errors.Join(err, file.Close()); err != nil {
		t.Fatal(err)
	}
	return string(text)
}
