package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestPresetsAreValidAndSurviveSaving(t *testing.T) {
	for _, name := range PresetNames() {
		want, err := Load(name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want.Origin = Origin{Command: "ffs train --set 'a: b'", Commit: "0123abc"}
		path := filepath.Join(t.TempDir(), "config.yaml")
		if err := want.Save(path); err != nil {
			t.Fatal(err)
		}
		got, err := Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s after saving (-want +got):\n%s", name, diff)
		}
	}
}

func TestFileStartsFromItsBase(t *testing.T) {
	text := "\ufeffbase: voc\nmodel:\n  roi: {nms: 0.4}\ninput:\n  canvases: [[320, 416]]\ntrain: {seed: 7}\n"
	got, err := Parse("x.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	want := voc()
	want.Model.ROI.NMS, want.Input.Canvases, want.Train.Seed = 0.4, [][2]int{{320, 416}}, 7
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestSettings(t *testing.T) {
	got, err := Load("digits", "model.outlier.method=none", "train.steps=[7, 9]", "model.loss.energy=0.5", "data.train=coco:a.json,imgs")
	if err != nil {
		t.Fatal(err)
	}
	want := digits()
	want.Model.Outlier.Method, want.Train.Steps, want.Model.Loss.Energy, want.Data.Train = "none", []int{7, 9}, 0.5, "coco:a.json,imgs"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestFaultsNameFileLineAndKey(t *testing.T) {
	path := filepath.Join(t.TempDir(), "run.yaml")
	for _, test := range []struct{ text, setting, want string }{
		{"base: digits\nmodel:\n  roy: {}\n", "", `run.yaml:3: unknown field "roy"`},
		{"base: digits\ntrain:\n  max_iter: many\n", "", "run.yaml:3: "},
		{"base: digits\ntrain: {max_iter: 5}\ntrain: {max_iter: 6}\n", "", "run.yaml:3: "},
		{"base: dogits\n", "", "digits"},
		{"base: digits\ntrain:\n  unknown: forget\n", "", "run.yaml:3: train.unknown: forget must be ignore"},
		{"base: digits\ntrain:\n  momentum: 1.5\n", "", "run.yaml:3: train.momentum: 1.5 must be"},
		{"model: [", "", "run.yaml:1: "},
		{" \n", "", "run.yaml: the file is empty"},
		{"base: digits\n", "train.max_iters=5", `unknown field "max_iters"`},
		{"base: digits\n", "train.max_iter", "KEY=VALUE"},
		{"base: digits\n", "input.canvases=[[100, 100]]", "input.canvases"},
	} {
		if err := os.WriteFile(path, []byte(test.text), 0o600); err != nil {
			t.Fatal(err)
		}
		var settings []string
		if test.setting != "" {
			settings = []string{test.setting}
		}
		_, err := Load(path, settings...)
		if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q with %q: error %v, want one line with %q", test.text, test.setting, err, test.want)
		}
	}
}

func TestDifferenceAndDigestAreThoseOfTheTraining(t *testing.T) {
	load := func(settings ...string) Config {
		c, err := Load("digits", append([]string{"train.max_iter=2000", "data.train=digits:train"}, settings...)...)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	digest := func(c Config) string {
		d, err := c.Digest()
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	c := load()
	for _, test := range []struct{ setting, want string }{
		{"data.val=digits:val?n=5", ""},
		{"data.ood=[]", ""},
		{"origin.commit=0123abc", ""},
		{"train.steps=[]", ""},
		{`train.unknown=""`, ""}, // as in configurations from before there was the key
		{"train.unknown=drop", "train.unknown: , drop"},
		{"train.max_iter=300", "train.max_iter: 2000, 300"},
		{"train.steps=[3]", "train.steps: [], [3]"},
		{"model.outlier.method=none", "model.outlier.method: flow, none"},
		{"data.train=digits:val", "data.train: digits:train, digits:val"},
	} {
		other := load(test.setting)
		key, here, there := c.Difference(other)
		if got := key + ": " + here + ", " + there; got != test.want && key+test.want != "" {
			t.Errorf("%s: %q, want %q", test.setting, got, test.want)
		}
		if same := digest(c) == digest(other); same != (test.want == "") {
			t.Errorf("%s: equal digests: %v", test.setting, same)
		}
	}
}

// Extra loss terms and free-form options: they load from files and settings, survive saving, and
// are told apart by name.
func TestTermsAndOptions(t *testing.T) {
	c, err := Load("digits", "model.loss.least_singular_value=0.01", "model.loss.condition_number={weight: 0.5}", "model.loss.energy=0.2")
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]Term{"least_singular_value": {Weight: 0.01}, "condition_number": {Weight: 0.5}}
	if diff := cmp.Diff(want, c.Model.Loss.Terms); diff != "" || c.Model.Loss.Energy != 0.2 || c.Model.Loss.NLL != 1e-4 {
		t.Errorf("%+v (-want +got):\n%s", c.Model.Loss, diff)
	}
	path := filepath.Join(t.TempDir(), "config.yaml")
	if err := c.Save(path); err != nil {
		t.Fatal(err)
	}
	again, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, again); diff != "" {
		t.Errorf("after saving (-want +got):\n%s", diff)
	}
	other := c
	if err := other.Set("model.loss.condition_number=0.25"); err != nil {
		t.Fatal(err)
	}
	if key, here, there := c.Difference(other); key != "model.loss.condition_number" || here != "{weight: 0.5}" || there != "{weight: 0.25}" {
		t.Errorf("difference %s: %s, %s", key, here, there)
	}
	if c.Model.Loss.Terms["condition_number"].Weight != 0.5 {
		t.Error("a setting of a copy changes the original")
	}
	for want, setting := range map[string]string{
		"model.loss.least_singular_value: a weight is missing":             "model.loss.least_singular_value=",
		"model.loss.condition_number: cannot use many as a weight":         "model.loss.condition_number=many",
		"model.loss.condition_number: options without a weight do nothing": "model.loss.condition_number={options: {a: 1}}",
		"model.loss.condition_number.options.a: there are no options":      "model.loss.condition_number={weight: 1, options: {a: 1}}",
		"model.loss.enery: no loss term is called \"enery\"; there are":    "model.loss.enery=1",
		"model.outlier.options.a: there are no options":                    "model.outlier.options.a=1",
	} {
		if _, err := Load("digits", setting); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %q", setting, err, want)
		}
	}
}
