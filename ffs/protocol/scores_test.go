package protocol

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/features"
	"ffslab/ffs/internal/jsonfile"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/internal/tiny"
	"ffslab/ffs/score"
)

// scored are options that ask for all scores.
func scored(t *testing.T) Options {
	o := options(t)
	o.Scores = []string{"all"}
	o.Train = tiny.Squares("squares:train", 12, "red", "blue")
	o.Bootstrap = eval.Bootstrap{Resamples: 20}
	return o
}

// Every score is measured, the files hold what was counted, and a second evaluation uses them to
// the same numbers.
func TestScores(t *testing.T) {
	o := scored(t)
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if report.ScoreThreshold == nil {
		t.Fatal("nothing counts: the test shows nothing")
	}
	outcome := report.Outliers["squares:ood"]
	for _, name := range score.Names() {
		if _, measured := outcome.Scores[name]; !measured {
			t.Errorf("%s was not measured: %s", name, report.NotMeasured[name])
		}
		if _, measured := report.Synthetic[name]; !measured {
			t.Errorf("%s was not measured on synthetic outliers", name)
		}
	}
	text, err := os.ReadFile(filepath.Join(o.Out, "metrics.md"))
	if err != nil || !strings.Contains(string(text), "Which score") || !strings.Contains(string(text), "| knn") {
		t.Errorf("metrics.md (error %v) does not say which score:\n%s", err, text)
	}

	results, err := Load(o.Out, o.Inlier)
	if err != nil {
		t.Fatal(err)
	}
	folder := filepath.Join(o.Out, FolderName(o.Inlier.Label()))
	table, err := features.Read(filepath.Join(folder, featuresFile))
	if err != nil {
		t.Fatal(err)
	}
	entries, err := eval.ByProposal.Entries(results.Detections, *report.ScoreThreshold)
	if err != nil || !slices.Equal(entries, table.Detections) {
		t.Fatalf("features of the detections %v, want of %v (error %v)", table.Detections, entries, err)
	}
	if exists(folder, allFeaturesFile) {
		t.Error("the features of detections that do not count are still there")
	}
	norm, err := (&score.FeatureNorm{}).Score(table.Rows())
	if err != nil {
		t.Fatal(err)
	}
	for row, entry := range entries {
		d := results.Detections[entry]
		if d.Scores["feature_norm"] != norm[row] || len(d.Scores) < len(score.Names())-1 {
			t.Errorf("detection %d has the scores %v, want the norm %v", entry, d.Scores, norm[row])
		}
		// The features are those of the detection: the class layer makes its logits of them.
		for k, l := range logits(table, table.Features.Row(row)) {
			if diff := float64(l) - d.Logits[k]; diff > 1e-4 || diff < -1e-4 {
				t.Errorf("detection %d: its features give the logit %v, it has %v", entry, l, d.Logits[k])
			}
		}
	}

	var notes []string
	o.Note = func(message string) { notes = append(notes, message) }
	again, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if again.Outliers["squares:ood"].Scores["knn"].AUROC != outcome.Scores["knn"].AUROC {
		t.Error("the second evaluation has other numbers")
	}
	for _, n := range notes {
		if strings.Contains(n, "fit scores on") || strings.Contains(n, "runs again") {
			t.Errorf("the second evaluation computes anew: %s", n)
		}
	}

	// Another annotation of the same images is another set to fit on.
	o.Train = tiny.Squares("squares:train", 12, "red", "blue")
	o.Train.Images[0].Instances[0].Category ^= 1
	notes = nil
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(notes, func(n string) bool { return strings.Contains(n, "fit scores on") }) {
		t.Error("scores are fitted on features of objects that were annotated otherwise")
	}

	// The model's own scores alone are measured if no others are asked for, though the files have
	// more.
	o.Scores = nil
	own, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if got := own.MeasuredScores(); slices.Contains(got, "knn") || !slices.Contains(got, "energy") {
		t.Errorf("measured are %v, want the model's own", got)
	}
}

// Detections to fit on are those of the training set that are probable enough; changing from
// objects to detections fits anew.
func TestScoresFittedOnDetections(t *testing.T) {
	o := scored(t)
	o.Scores = []string{"knn"}
	objects, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	defer func(p float64) { fitProbability = p }(fitProbability)
	_, all, err := DetectedTable(t.Context(), o.Model, o.Train, 0, nil)
	if err != nil {
		t.Fatal(err)
	}
	var probabilities []float64
	for _, d := range all {
		probabilities = append(probabilities, d.Score)
	}
	slices.Sort(probabilities)
	fitProbability = probabilities[len(probabilities)/2]
	want := 0
	for _, p := range probabilities {
		if p >= fitProbability {
			want++
		}
	}
	o.FitDetections = true
	detections, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if want == len(probabilities) || detections.FittedOn != fmt.Sprintf("%d detections in squares:train", want) {
		t.Errorf("fitted on %q, want %d of %d detections", detections.FittedOn, want, len(probabilities))
	}
	if objects.FittedOn == "" || objects.Outliers["squares:ood"].Scores["knn"].AUROC == detections.Outliers["squares:ood"].Scores["knn"].AUROC {
		t.Errorf("fitted on %q and on %q, knn has the same AUROC", objects.FittedOn, detections.FittedOn)
	}
}

// Scores are fitted on features of the very weights alone.
func TestFitOneBelongsToItsWeights(t *testing.T) {
	o := scored(t)
	o.Scores = []string{"knn"}
	if _, err := Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if _, err := FitOne(o.Model, o.Out, "knn"); err != nil {
		t.Error(err)
	}
	other := *o.Model
	other.Checkpoint.Digest, other.Step = "0123456789abcdef", 9
	var refused *OtherWeightsError
	if _, err := FitOne(&other, o.Out, "knn"); !errors.As(err, &refused) || !strings.Contains(err.Error(), fitFile) || !strings.Contains(err.Error(), "step 9 (0123456789ab)") {
		t.Errorf("error %v, want one that names the file and both weights", err)
	}
}

// An evaluation without scores leaves none, and one that asks for them afterwards detects again to
// get at the features.
func TestScoresAfterwards(t *testing.T) {
	o := scored(t)
	all, train := o.Scores, o.Train
	o.Scores = nil
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(report.Outliers["squares:ood"].Scores); n != len(eval.ScoreNames) {
		t.Errorf("%d scores without asking, want %d", n, len(eval.ScoreNames))
	}
	// Without a training set those remain that need no inliers.
	o.Scores, o.Train = all, nil
	if report, err = Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	if _, ok := report.Outliers["squares:ood"].Scores["max_logit"]; !ok || !strings.Contains(report.NotMeasured["knn"], "training set") {
		t.Errorf("without a training set: max_logit %v, knn: %s", ok, report.NotMeasured["knn"])
	}
	o.Train = train
	o.Scores = []string{"knn", "msp"}
	if report, err = Run(t.Context(), o); err != nil {
		t.Fatal(err)
	}
	scores := report.Outliers["squares:ood"].Scores
	if _, ok := scores["knn"]; !ok {
		t.Errorf("knn was not measured: %v", report.NotMeasured)
	}
	if _, ok := scores["max_logit"]; ok {
		t.Error("a score of the evaluation before is still there")
	}
	o.Scores = []string{"kmm"}
	if _, err := Run(t.Context(), o); err == nil || !strings.Contains(err.Error(), "kmm") || !strings.Contains(err.Error(), "energy") {
		t.Errorf("an unknown score: %v", err)
	}
}

// Where other detections count than those whose features are there, the model runs again; features
// that there is no room for while it runs are computed once more.
func TestFeaturesOfOtherDetections(t *testing.T) {
	o := scored(t)
	o.Scores = []string{"feature_norm"}
	var notes []string
	o.Note = func(message string) { notes = append(notes, message) }
	identity, err := o.Model.Identity()
	if err != nil {
		t.Fatal(err)
	}
	ids := categoryIDs(o.Inlier)
	results, err := o.detect(t.Context(), identity, o.Inlier, ids)
	if err != nil {
		t.Fatal(err)
	}
	all := make([]int, len(results.Detections))
	for i := range all {
		all[i] = i
	}
	if len(all) <= len(o.Inlier.Images) {
		t.Fatalf("%d detections: no image has two, and the test shows nothing", len(all))
	}
	m := measured{o.Inlier, &results}
	whole, err := o.countingFeatures(t.Context(), identity, ids, m, all)
	if err != nil {
		t.Fatal(err)
	}
	if len(notes) > 0 {
		t.Errorf("notes %v", notes)
	}
	storedBytes = 1 // of one detection an image
	defer func() { storedBytes = maxFeatureBytes }()
	for _, entries := range [][]int{all[1:], all} {
		notes = nil
		table, err := o.countingFeatures(t.Context(), identity, ids, m, entries)
		if err != nil {
			t.Fatal(err)
		}
		want := whole.Slice(len(all)-len(entries), len(all))
		testkit.Close(t, "features", table.Features.Data, want.Features.Data, 1e-5)
		if !slices.Equal(table.Detections, entries) || !strings.Contains(strings.Join(notes, "\n"), "runs again") {
			t.Errorf("features of %v, want of %v; notes %v", table.Detections, entries, notes)
		}
	}
}

func TestSpread(t *testing.T) {
	set := tiny.Squares("s", 100, "red")
	for i := range set.Images {
		for range i % 3 {
			set.Images[i].Instances = append(set.Images[i].Instances, set.Images[i].Instances[0])
		}
	}
	part := spread(set, 40)
	half, objects := 0, 0
	for _, image := range part.Images {
		objects += objectsOf(image)
		if image.ID <= data.ID(50) {
			half++
		}
	}
	if objects > 40 || objects < 35 {
		t.Errorf("%d objects, want about 40", objects)
	}
	if half < len(part.Images)/3 || half > 2*len(part.Images)/3+1 {
		t.Errorf("%d of %d images are from the first half", half, len(part.Images))
	}
	if spread(set, 0) != set || spread(set, 1000) != set {
		t.Error("a set that is small enough is not left as it is")
	}
}

// What is said of the objects to fit on is what there is.
func TestFitCount(t *testing.T) {
	for _, c := range []struct {
		squares, limit int
		want           string
	}{{7, FitLimit, "7 objects"}, {1, FitLimit, "1 object"}, {7, 7, "7 objects"}, {7, 0, "7 objects"}, {12, 7, "about 7 of 12 objects"}} {
		if got := fitCount(tiny.Squares("s", c.squares, "red"), c.limit); got != c.want {
			t.Errorf("of %d with the limit %d: %q, want %q", c.squares, c.limit, got, c.want)
		}
	}
}

// An evaluation of which too many detections count goes on without the scores that need their
// features.
func TestTooManyFeatures(t *testing.T) {
	keptBytes = 1
	defer func() { keptBytes = maxFeatureBytes }()
	o := scored(t)
	var notes []string
	o.Note = func(message string) { notes = append(notes, message) }
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	measured := report.MeasuredScores()
	if slices.Contains(measured, "knn") || !slices.Contains(measured, "energy") || report.NotMeasured["knn"] == "" || report.NotMeasured["energy"] != "" {
		t.Errorf("measured are %v, not measured %v", measured, report.NotMeasured)
	}
	if !slices.Contains(notes, "squares:train: features of 12 objects, to fit scores on") {
		t.Errorf("no note says how many objects the scores are fitted on: %q", notes)
	}
	if !strings.Contains(strings.Join(notes, "\n"), "the post-hoc scores are left out") {
		t.Errorf("notes %v", notes)
	}
}

// Scores are fitted on the features that an earlier evaluation of the same weights has left, also
// one by another commit, but not on those of other objects.
func TestScoresAreFittedOnEarlierFeatures(t *testing.T) {
	first := scored(t)
	if _, err := Run(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	record := filepath.Join(first.Out, fitFile+".json")
	text, err := os.ReadFile(record)
	if err != nil {
		t.Fatal(err)
	}
	var made fitRecord
	if err := json.Unmarshal(text, &made); err != nil {
		t.Fatal(err)
	}
	made.MadeFrom.Code, made.MadeFrom.Backend = "another", "another"
	if err := jsonfile.Write(record, made); err != nil {
		t.Fatal(err)
	}
	second := first
	second.Out, second.Earlier = t.TempDir(), first.Out
	if _, err := Run(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if exists(second.Out, fitFile) {
		t.Error("features of the training set were computed again")
	}
	second.Train = tiny.Squares("squares:train", 10, "red", "blue")
	if _, err := Run(t.Context(), second); err != nil {
		t.Fatal(err)
	}
	if !exists(second.Out, fitFile) {
		t.Error("scores were fitted on features of other objects")
	}
}
