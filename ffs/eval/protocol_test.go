package eval

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"ffslab/ffs/internal/testkit"

	"ffslab/data"
)

// detection makes a detection of two classes and background; its logits are
// the logarithms of the probabilities of its proposal.
func detection(image, category data.ID, x, score, energy float64, probabilities ...float64) Detection {
	d := Detection{ImageID: image, CategoryID: category, Box: [4]float64{x, 0, 10, 10}, Score: score, Scores: map[string]float64{"energy": energy}}
	for _, p := range probabilities {
		d.Logits = append(d.Logits, math.Log(p))
	}
	return d
}

func object(image, category data.ID, x float64) GroundTruth {
	return GroundTruth{ImageID: image, CategoryID: category, Box: [4]float64{x, 0, 10, 10}, Area: 100}
}

// protocolSets is small enough to follow: the two correct detections set the
// score threshold to (0.80004 + 0.15004) / 2 = 0.47504, which rounds to 0.475.
func protocolSets() (inlier, outlier Results) {
	inlier = Results{
		Annotations: &Annotations{
			ImageIDs:   []data.ID{1},
			Categories: []Category{{1, "cat"}, {2, "dog"}},
			Objects:    []GroundTruth{object(1, 1, 0), object(1, 2, 0)},
		},
		Detections: []Detection{
			detection(1, 1, 0, 0.80004, 10, 0.80004, 0.15004, 0.04992),
			detection(1, 2, 0, 0.15004, 10, 0.80004, 0.15004, 0.04992), // the proposal's second class
			detection(1, 1, 50, 0.4, 10, 0.4, 0.3, 0.3),                // under the threshold
		},
	}
	outlier = Results{
		Annotations: &Annotations{
			ImageIDs:   []data.ID{9},
			Categories: []Category{{5, "zebra"}},
			Objects:    []GroundTruth{object(9, 5, 0), object(9, 5, 500)},
		},
		Detections: []Detection{
			detection(9, 1, 0, 0.81, 5, 0.81, 0.12, 0.07),
			detection(9, 2, 0, 0.12, 5, 0.81, 0.12, 0.07),
			detection(9, 1, 300, 0.47501, 11, 0.47501, 0.1, 0.42499), // kept because the threshold is rounded
			detection(9, 1, 300, 0.45, 11, 0.45, 0.05, 0.5),
		},
	}
	return inlier, outlier
}

func TestEvaluate(t *testing.T) {
	inlier, outlier := protocolSets()
	inlier.Detections[0].Scores["nll"] = -1 // the others lack it: no score
	report, err := Evaluate(inlier, map[string]Results{"zoo": outlier}, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if report.ScoreThreshold == nil {
		t.Fatal("no score threshold")
	}
	testkit.Close(t, "score threshold", *report.ScoreThreshold, 0.47504, 1e-12)
	testkit.Close(t, "AP", report.MAP.AP, 1, 1e-12)
	if diff := cmp.Diff(map[string]float64{"energy": 10, "msp": 0.80004 / 0.95008}, report.UnknownThresholds, cmp.Comparer(near)); diff != "" {
		t.Errorf("thresholds of unknown objects (-want +got):\n%s", diff)
	}

	original, own := report.Outliers["zoo"], report.ByOwnScore["zoo"]
	counts := []int{original.Inliers, original.Outliers, own.Inliers, own.Outliers}
	if diff := cmp.Diff([]int{2, 3, 1, 2}, counts); diff != "" {
		t.Errorf("kept by proposal and by own score (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"energy", "msp"}, slices.Sorted(maps.Keys(original.Scores))); diff != "" {
		t.Errorf("scores (-want +got):\n%s", diff)
	}
	testkit.Close(t, "AUROC by proposal and by own score", []float64{original.Scores["energy"].AUROC, own.Scores["energy"].AUROC}, []float64{2. / 3, 0.5}, 1e-12)

	// Both of energy 5 lie on the first zebra, the other zebra is missed.
	want := &OpenSet{APUnknown: 0.5, RecallUnknown: 0.5, WI: new(0.)}
	if diff := cmp.Diff(want, original.OpenSet); diff != "" {
		t.Errorf("open set (-want +got):\n%s", diff)
	}
}

// A class that the annotation file does not list changes neither AP nor the threshold; its
// detections count where detections are compared. One that it lists without objects changes the
// threshold, by the original's convention alone, and a note says so.
func TestAbsentClasses(t *testing.T) {
	inlier, outlier := protocolSets()
	want, err := Evaluate(inlier, map[string]Results{"zoo": outlier}, Settings{Bootstrap: Bootstrap{Resamples: 10}})
	if err != nil {
		t.Fatal(err)
	}
	with := func(absent map[data.ID]bool, of Convention) *Report {
		in := inlier
		annotations := *in.Annotations
		annotations.Categories = append(slices.Clip(annotations.Categories), Category{0, "absent"})
		annotations.Absent = absent
		in.Annotations = &annotations
		in.Detections = append(slices.Clip(in.Detections), detection(1, 0, 300, 0.9, 12, 0.9, 0.05, 0.05))
		report, err := Evaluate(in, map[string]Results{"zoo": outlier}, Settings{Bootstrap: Bootstrap{Resamples: 10}, Threshold: of})
		if err != nil {
			t.Fatal(err)
		}
		return report
	}
	got := with(map[data.ID]bool{0: true}, Original)
	for name, pair := range map[string][2]any{
		"AP": {want.MAP, got.MAP}, "intervals": {want.MAPIntervals, got.MAPIntervals}, "classes": {want.PerClass, got.PerClass},
		"threshold": {want.ScoreThreshold, got.ScoreThreshold}, "calibration": {want.Calibration, got.Calibration},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s (-without +with the class):\n%s", name, diff)
		}
	}
	if got.Outliers["zoo"].Inliers != want.Outliers["zoo"].Inliers+1 {
		t.Errorf("%d detections count on the inlier set, want one more than %d", got.Outliers["zoo"].Inliers, want.Outliers["zoo"].Inliers)
	}
	if listed := with(nil, Original); *listed.ScoreThreshold == *want.ScoreThreshold {
		t.Error("a listed class without objects leaves the threshold, by the original's convention it must not")
	}
	listed := with(nil, Annotated)
	if *listed.ScoreThreshold != *want.ScoreThreshold || listed.Outliers["zoo"].Scores["energy"].AUROC != got.Outliers["zoo"].Scores["energy"].AUROC {
		t.Errorf("a listed class without objects moves the threshold from %g to %g", *want.ScoreThreshold, *listed.ScoreThreshold)
	}
	for name, write := range map[string]func(*Report, io.Writer) error{"summary": (*Report).WriteSummary, "report": (*Report).WriteMarkdown} {
		var with, without strings.Builder
		if err := errors.Join(write(listed, &with), write(want, &without)); err != nil {
			t.Fatal(err)
		}
		const note = "Note: no objects of: absent: they do not count in the score threshold.\n"
		if !strings.Contains(with.String(), note) || strings.Contains(without.String(), "no objects of") {
			t.Errorf("%s: want %q where a class has no objects, and only there:\n%s", name, note, with.String())
		}
	}
}

// Separation needs no boxes; the report says what does.
func TestOutliersWithoutAnnotations(t *testing.T) {
	inlier, outlier := protocolSets()
	want, err := Evaluate(inlier, map[string]Results{"zoo": outlier}, Settings{Bootstrap: Bootstrap{Resamples: 10}})
	if err != nil {
		t.Fatal(err)
	}
	for name, annotations := range map[string]*Annotations{
		"images alone": {ImageIDs: outlier.Annotations.ImageIDs}, "no objects": {ImageIDs: outlier.Annotations.ImageIDs, Categories: outlier.Annotations.Categories},
	} {
		outlier.Annotations = annotations
		got, err := Evaluate(inlier, map[string]Results{"zoo": outlier}, Settings{Bootstrap: Bootstrap{Resamples: 10}})
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(want.Outliers["zoo"].Scores, got.Outliers["zoo"].Scores); diff != "" || got.Outliers["zoo"].OpenSet != nil || got.Confusion["zoo"] != nil {
			t.Errorf("%s: open set %v, confusion %v, scores (-with +without objects):\n%s", name, got.Outliers["zoo"].OpenSet, got.Confusion["zoo"], diff)
		}
		var text strings.Builder
		if err := got.WriteMarkdown(&text); err != nil || !strings.Contains(text.String(), "need annotated objects, which are absent in zoo.") {
			t.Errorf("%s: %v, the report does not say what is missing:\n%s", name, err, text.String())
		}
	}
}

// The groups are measured as if each were a set of its own.
func TestEvaluateGroups(t *testing.T) {
	inlier, outlier := protocolSets()
	more := detection(8, 1, 500, 0.9, 12, 0.9, 0.05, 0.05)
	both := Results{
		Annotations: &Annotations{
			ImageIDs: []data.ID{8, 9}, Categories: outlier.Annotations.Categories,
			Objects: append([]GroundTruth{object(8, 5, 500)}, outlier.Annotations.Objects...),
		},
		Detections: append([]Detection{more}, outlier.Detections...),
		Groups:     map[string][]data.ID{"near": {9}, "far": {8}},
	}
	far := Results{Annotations: &Annotations{ImageIDs: []data.ID{8}, Categories: outlier.Annotations.Categories, Objects: []GroundTruth{object(8, 5, 500)}}, Detections: []Detection{more}}
	settings := Settings{Bootstrap: Bootstrap{Resamples: 50}}
	report, err := Evaluate(inlier, map[string]Results{"zoo": both}, settings)
	if err != nil {
		t.Fatal(err)
	}
	apart, err := Evaluate(inlier, map[string]Results{"near": outlier, "far": far}, settings)
	if err != nil {
		t.Fatal(err)
	}
	for _, group := range []string{"near", "far"} {
		if diff := cmp.Diff(apart.Outliers[group], report.Outliers["zoo"].Groups[group]); diff != "" {
			t.Errorf("group %s by proposal (-set +group):\n%s", group, diff)
		}
		if diff := cmp.Diff(apart.ByOwnScore[group], report.ByOwnScore["zoo"].Groups[group]); diff != "" {
			t.Errorf("group %s by own score (-set +group):\n%s", group, diff)
		}
	}
	// The far object is called a cat: it is not found, and an open-set error.
	if m := report.Outliers["zoo"].OpenSet; m.AOSE != 1 || math.Abs(m.RecallUnknown-1./3) > 1e-12 {
		t.Errorf("open set of both groups: %+v", m)
	}
	if m := report.Outliers["zoo"].Groups["far"].OpenSet; m.AOSE != 1 || m.NOSE != 1 || m.RecallUnknown != 0 {
		t.Errorf("open set of the far group: %+v", m)
	}
	var text strings.Builder
	if err := report.WriteSummary(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| zoo (near) ", "| zoo (far) ", "95 % intervals of 50 resamples of the images (seed 0)"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no %q in\n%s", want, text.String())
		}
	}
	if strings.Contains(text.String(), "own score") || strings.Contains(text.String(), "Calibration") {
		t.Errorf("the summary is not brief:\n%s", text.String())
	}
}

// At a temperature the filters stay, and all that is measured with an energy changes.
func TestEvaluateAtATemperature(t *testing.T) {
	inlier, outlier := protocolSets()
	report, err := Evaluate(inlier, map[string]Results{"zoo": outlier}, Settings{Temperature: 2})
	if err != nil {
		t.Fatal(err)
	}
	if o := report.Outliers["zoo"]; o.Inliers != 2 || o.Outliers != 3 || report.Temperature != 2 {
		t.Errorf("kept %d and %d at temperature %g, want 2 and 3 at 2", o.Inliers, o.Outliers, report.Temperature)
	}
	want := 2 * math.Log(math.Sqrt(0.80004)+math.Sqrt(0.15004))
	testkit.Close(t, "thresholds", []float64{report.UnknownThresholds["energy"], report.Outliers["zoo"].Scores["energy"].ThresholdTPR95}, []float64{want, want}, 1e-12)
	if _, err := Evaluate(inlier, nil, Settings{Temperature: -2}); err == nil || !strings.Contains(err.Error(), "temperature -2") {
		t.Errorf("error %v, want one on the temperature", err)
	}
}

// What cannot be measured is left out; it is no error.
func TestEvaluateLeavesOut(t *testing.T) {
	t.Run("nothing detected", func(t *testing.T) {
		inlier, outlier := protocolSets()
		inlier.Detections = nil
		report, err := Evaluate(inlier, map[string]Results{"zoo": outlier}, Settings{})
		if err != nil || report.ScoreThreshold != nil || len(report.Outliers) != 0 {
			t.Errorf("error %v, report %+v, want no threshold", err, report)
		}
	})
	t.Run("no outlier detection", func(t *testing.T) {
		inlier, outlier := protocolSets()
		outlier.Detections = nil
		report, err := Evaluate(inlier, map[string]Results{"zoo": outlier}, Settings{})
		if err != nil {
			t.Fatal(err)
		}
		zoo := report.Outliers["zoo"]
		if len(zoo.Scores) != 0 || zoo.OpenSet == nil || zoo.OpenSet.RecallUnknown != 0 {
			t.Errorf("outcome %+v, want no scores but missed objects", zoo)
		}
	})
	t.Run("no unknown objects", func(t *testing.T) {
		inlier, outlier := protocolSets()
		outlier.Annotations.Objects = nil
		report, err := Evaluate(inlier, map[string]Results{"zoo": outlier}, Settings{})
		if err != nil {
			t.Fatal(err)
		}
		if zoo := report.Outliers["zoo"]; len(zoo.Scores) == 0 || zoo.OpenSet != nil {
			t.Errorf("outcome %+v, want scores but no open-set numbers", zoo)
		}
	})
}

func TestEvaluateRefuses(t *testing.T) {
	tests := map[string]func(inlier, outlier *Results){
		"inlier set: detection 1: unknown category id 7":                            func(in, _ *Results) { in.Detections[1].CategoryID = 7 },
		"inlier set: detection 2 has no logits, which the filter by proposal needs": func(in, _ *Results) { in.Detections[2].Logits = nil },
		"zoo: outlier set: detection 0: unknown image id 1":                         func(_, out *Results) { out.Detections[0].ImageID = 1 },
		"zoo: outlier set: detection 0: category id 5 is not one of the inlier set": func(_, out *Results) { out.Detections[0].CategoryID = 5 },
	}
	for want, spoil := range tests {
		inlier, outlier := protocolSets()
		spoil(&inlier, &outlier)
		if _, err := Evaluate(inlier, map[string]Results{"zoo": outlier}, Settings{}); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestOutlierScores(t *testing.T) {
	d := Detection{Logits: []float64{math.Log(1), math.Log(3), math.Log(96)}, Scores: map[string]float64{"nll": -2.5}}
	want := map[string]float64{"energy": math.Log(4), "msp": 0.75, "nll": -2.5}
	for _, name := range ScoreNames {
		got, ok := d.OutlierScore(name)
		expected, carried := want[name]
		if ok != carried || math.Abs(got-expected) > 1e-12 {
			t.Errorf("%s: %g, %t, want %g, %t", name, got, ok, expected, carried)
		}
	}
	if got := d.ProposalProbability(); math.Abs(got-0.03) > 1e-12 {
		t.Errorf("inlier probability %g, want 0.03", got)
	}
	large := Detection{Logits: []float64{-2000, 2000, 0}}
	if got, _ := large.OutlierScore("energy"); got != 2000 {
		t.Errorf("energy of large logits %g, want 2000", got)
	}
}

func TestReportFiles(t *testing.T) {
	inlier, outlier := protocolSets()
	report, err := Evaluate(inlier, map[string]Results{"zoo": outlier}, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "metrics.json")
	if err := report.Save(path); err != nil {
		t.Fatal(err)
	}
	back, err := ReadReport(path)
	if err != nil {
		t.Fatal(err)
	}
	ignoreUnsaved := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".ThresholdFPR95" }, cmp.Ignore())
	if diff := cmp.Diff(report, back, ignoreUnsaved); diff != "" {
		t.Errorf("report (-saved +read):\n%s", diff)
	}

	var file struct {
		MAP     map[string]float64 `json:"map"`
		OOD     map[string]map[string]any
		OwnKeys map[string]any `json:"by_own_score"`
	}
	readGolden(t, path, &file)
	for what, keys := range map[string][2][]string{
		"map":      {sortedKeys(file.MAP), strings.Fields("AP AP50 AP75 AP_large AP_medium AP_small AR1 AR10 AR100 AR_large AR_medium AR_small")},
		"outcome":  {sortedKeys(file.OOD["zoo"]), strings.Fields("n_id n_ood open_set protocol scores")},
		"energy":   {sortedKeys(file.OOD["zoo"]["scores"].(map[string]any)["energy"].(map[string]any)), strings.Fields("aupr aupr_out auroc detection_error fpr95 fpr95_strict threshold_tpr95")},
		"open set": {sortedKeys(file.OOD["zoo"]["open_set"].(map[string]any)), strings.Fields("a_ose ap_u nose recall_u wi")},
		"own":      {sortedKeys(file.OwnKeys), []string{"zoo"}},
	} {
		if diff := cmp.Diff(keys[1], keys[0]); diff != "" {
			t.Errorf("keys of %s (-want +got):\n%s", what, diff)
		}
	}
}

func near(a, b float64) bool { return math.Abs(a-b) < 1e-12 }

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

func TestMarkdown(t *testing.T) {
	inlier, outlier := protocolSets()
	report, err := Evaluate(inlier, map[string]Results{"zoo": outlier}, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	if err := report.WriteMarkdown(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"## What unknown objects are taken for", "| zoo         |  zebra |      2 |                  1 |              1 |    cat: 1 |",
		"## Detection by class and by size", "## Calibration",
		"| inlier set | 100.00 | 100.00 | 100.00 |   100.00 |         - |        - | 100.00 |          0.4750 |",
		"| zoo         | energy |   66.67 |",
		"| zoo         |  50.00 |      50.00 |       0 |   0.00 | 0.00 |",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("no line with %q in\n%s", want, text.String())
		}
	}
	width := 0
	for line := range strings.Lines(text.String()) {
		switch n := utf8.RuneCountInString(line); {
		case !strings.HasPrefix(line, "|"):
			width = 0
		case width != 0 && n != width:
			t.Errorf("columns do not line up: %s", line)
		default:
			width = n
		}
	}
}

func TestReportWithoutThresholdIsJSON(t *testing.T) {
	content, err := json.Marshal(&Report{})
	if err != nil || !strings.Contains(string(content), `"score_threshold":null`) {
		t.Errorf("error %v, JSON %s, want a threshold that is null", err, content)
	}
}
