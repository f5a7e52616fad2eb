package posthoc

import (
	"math"
	"slices"
	"strings"
	"testing"

	"gonum.org/v1/gonum/mat"

	"ffslab/ffs/eval"
	"ffslab/ffs/score"
)

func TestResolve(t *testing.T) {
	if names, err := Resolve([]string{"knn", All}); err != nil || !slices.Equal(names, score.Names()) {
		t.Errorf("all: %v, %v", names, err)
	}
	if names, err := Resolve([]string{"knn", "vim"}); err != nil || !slices.Equal(names, []string{"knn", "vim"}) {
		t.Errorf("two: %v, %v", names, err)
	}
	for _, names := range [][]string{{"knn", "vin"}, {All, "vin"}} {
		if _, err := Resolve(names); err == nil || !strings.Contains(err.Error(), `"vin"`) {
			t.Errorf("%v: %v", names, err)
		}
	}
}

// Scores that apply are added, those that a detection has stay, and of the others the reason is
// kept.
func TestScore(t *testing.T) {
	inliers := score.Features{From: "train", X: mat.NewDense(2, 2, []float64{1, 0, 0, 1}), Classes: 3, Labels: []int{0, 1}}
	fitted, err := Fit([]string{"knn", "feature_norm", "mahalanobis", "energy", "react"}, inliers, score.Layer{})
	if err != nil {
		t.Fatal(err)
	}
	detections := []eval.Detection{{Scores: map[string]float64{"feature_norm": 7}}, {}}
	rows := score.Features{From: "val", X: mat.NewDense(2, 2, []float64{1, 0, 3, 4})}
	if err := fitted.Score(detections, rows); err != nil {
		t.Fatal(err)
	}
	if first, second := detections[0].Scores, detections[1].Scores; first["feature_norm"] != 7 || second["feature_norm"] != 5 || len(second) != 2 {
		t.Errorf("scores %v and %v", first, second)
	}
	if _, ok := detections[1].Scores["knn"]; !ok {
		t.Error("knn is not there")
	}
	fitted.Replace = true
	if err := fitted.Score(detections, rows); err != nil || detections[0].Scores["feature_norm"] != 1 {
		t.Errorf("replaced: %v, error %v", detections[0].Scores, err)
	}
	for name, want := range map[string]string{
		"mahalanobis": "train: class 2 of 3 has no features to fit on", "react": "no class layer in train", "energy": "no logits, nor features and a class layer in val",
	} {
		if got := fitted.NotMeasured[name]; got != want {
			t.Errorf("%s: reason %q, want %q", name, got, want)
		}
	}

	if err := fitted.Score(detections[:1], rows); err == nil || !strings.Contains(err.Error(), "val: 2 rows") {
		t.Errorf("a row too many: %v", err)
	}
	rows.X.Set(1, 1, math.NaN())
	if err := fitted.Score(detections, rows); err == nil || !strings.Contains(err.Error(), "val: features: row 1, column 1 is NaN") {
		t.Errorf("NaN to score: %v", err)
	}
	if _, err := Fit([]string{"knn"}, rows, score.Layer{}); err == nil || !strings.Contains(err.Error(), "row 1, column 1") {
		t.Errorf("NaN to fit on: %v", err)
	}
	if err := fitted.Score(nil, score.Features{}); err != nil {
		t.Errorf("no detections: %v", err)
	}
}

// What every detection carries becomes a part of the rows, and what some lack does not.
func TestRows(t *testing.T) {
	detections := []eval.Detection{
		{Logits: []float64{1, 2, 3}, Scores: map[string]float64{"nll": -1, "odd": 1}},
		{Logits: []float64{4, 5, 6}, Scores: map[string]float64{"nll": -2}},
	}
	rows := Rows("f", detections, 2)
	if err := rows.Check(); err != nil || rows.Len() != 2 || rows.Logits.At(1, 2) != 6 || !slices.Equal(rows.Given["nll"], []float64{-1, -2}) || len(rows.Given) != 1 {
		t.Errorf("rows %+v, error %v", rows, err)
	}
	detections[1].Logits = nil
	if rows := Rows("f", detections, 2); rows.Logits != nil {
		t.Errorf("logits of some detections: %v", rows.Logits)
	}
	if rows := Rows("f", nil, 2); rows.Len() != 0 {
		t.Errorf("no detections: %+v", rows)
	}
}
