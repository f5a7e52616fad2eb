package protocol

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"ffslab/ffs/eval"
	"ffslab/ffs/infer"
)

// The thresholds of an evaluation serve the weights that it measured, and no others.
func TestThresholdsBelongToTheirWeights(t *testing.T) {
	o := options(t)
	identity, err := o.Model.Identity()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ReadThresholds(o.Out, identity, ""); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("an empty folder: error %v", err)
	}
	o.RunName = "mine"
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	saved, err := ReadThresholds(o.Out, identity, "")
	if err != nil || saved.Energy == nil || *saved.Energy != report.UnknownThresholds["energy"] || saved.Score != *report.ScoreThreshold || saved.Temperature != 1 {
		t.Errorf("thresholds %+v, error %v; want those of the report", saved, err)
	}
	for by, want := range map[string]string{"": "energy", "msp": "msp"} { // no outlier set, or a tie: the energy
		if saved, err = ReadThresholds(o.Out, identity, by); err != nil || saved.By != want || *saved.Energy != report.UnknownThresholds[want] {
			t.Errorf("by %q: thresholds %+v, error %v; want that of %s", by, saved, err, want)
		}
	}
	later := infer.Identity{Step: identity.Step + 2, Parameters: "0123456789abcdef"}
	var other *OtherWeightsError
	if _, err := ReadThresholds(o.Out, later, ""); !errors.As(err, &other) || !strings.Contains(err.Error(), "step 8, "+identity.Parameters[:12]) || !strings.Contains(err.Error(), "step 10 (0123456789ab)") {
		t.Errorf("error %v, want one that names both weights", err)
	}
	report.Subject = nil // as of before there was one
	if err := report.Save(o.Out + "/metrics.json"); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadThresholds(o.Out, identity, ""); !errors.As(err, &other) {
		t.Errorf("a report that does not name its weights: error %v", err)
	}
}

func TestReportsNameTheirSubject(t *testing.T) {
	o := options(t)
	m := *o.Model
	m.Step = 5
	o.Model, o.RunName = &m, "mine"
	o.Outliers[0].Name, o.Outliers[0].Spec = "greens", "squares:ood"
	var notes []string
	o.Note = func(message string) { notes = append(notes, message) }
	report, err := Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if len(notes) != 1 || notes[0] != "the training is not finished: this measures step 5 of 8" {
		t.Errorf("notes %q, want that the training is not finished", notes)
	}
	identity, err := o.Model.Identity()
	if err != nil {
		t.Fatal(err)
	}
	digest, err := o.Model.Config.Digest()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"Run mine: step 5 of 8 (the training is not finished), weights " + identity.Parameters[:12] + ", configuration " + digest[:12] + ", commit ",
		"Inlier set: squares:val (4 images).", "Outlier sets: greens (squares:ood, 4 images).",
	}
	written := files(t, o.Out)
	for name, texts := range map[string][]string{
		"metrics.md": want, "tables/scores_by_proposal.tex": want, "figures/reliability.svg": want[:2], "figures/confusion-greens.svg": want[:2],
		"metrics.json": {identity.Parameters, digest, `"spec": "squares:ood"`, `"greens": {`}, "tables/scores_by_proposal.csv": {"greens"}, "greens/detections.json": nil,
	} {
		text, there := written[name]
		if !there {
			t.Errorf("%s is absent", name)
		}
		for _, want := range texts {
			if !strings.Contains(text, want) {
				t.Errorf("%s lacks %q", name, want)
			}
		}
	}
	if _, ok := report.Outliers["greens"]; !ok {
		t.Errorf("the outcome is not under the set's name: %v", report.Outliers)
	}
	for step, want := range map[int]string{8: "step 8 of 8, ", 0: "step 0 of 8 (imported weights), "} {
		s := eval.Subject{Run: "r", Step: step, Steps: 8}
		if text := s.String(); !strings.Contains(text, want) || s.Unfinished() {
			t.Errorf("step %d: unfinished %t, %s; want %q", step, s.Unfinished(), text, want)
		}
	}
}
