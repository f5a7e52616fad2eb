package options

import (
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/go-cmp/cmp"
)

type settings struct {
	Alpha float64 `yaml:"alpha"`
	Ranks []int   `yaml:"ranks"`
	Plain string
	Hide  int `yaml:"-"`
	Count int
	Inner struct{ A int }
}

func TestDecode(t *testing.T) {
	got := settings{Alpha: 0.5, Plain: "default"}
	if err := (Options{"alpha": 2, "ranks": []any{uint64(1), uint64(2)}}).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(settings{Alpha: 2, Ranks: []int{1, 2}, Plain: "default"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for want, o := range map[string]Options{
		"options.alfa: unknown; there are alpha, ranks, plain, count, inner": {"alfa": 1},
		"options.alpha: cannot use many as float64":                          {"alpha": "many"},
		"options.ranks: cannot use 3.5 as []int":                             {"ranks": 3.5},
		"options.hide: unknown":                                              {"hide": 1},
		"options.count: cannot use 1.5 as int":                               {"count": 1.5},
		"options.inner: it has no key b":                                     {"inner": map[string]any{"b": 3}},
	} {
		if err := o.Decode(&settings{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: error %v, want %q", o, err, want)
		}
	}
	if err := (Options{"any": 1}).Decode(&struct{}{}); err == nil || !strings.Contains(err.Error(), "options.any: there are no options") {
		t.Errorf("a part without options: %v", err)
	}
	if err := (Options(nil)).Decode(&struct{}{}); err != nil {
		t.Error(err)
	}
}

func TestUnmarshalAddsAndLeavesCopiesAlone(t *testing.T) {
	type part struct {
		Options Options `yaml:"options"`
	}
	base := part{Options{"a": uint64(1), "deep": map[string]any{"x": uint64(1), "y": uint64(2)}}}
	changed := base
	if err := yaml.Unmarshal([]byte("options:\n  b: 3\n  deep:\n    y: 5\n"), &changed); err != nil {
		t.Fatal(err)
	}
	want := part{Options{"a": uint64(1), "b": uint64(3), "deep": map[string]any{"x": uint64(1), "y": uint64(5)}}}
	if diff := cmp.Diff(want, changed); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for text, want := range map[string]Options{
		"options:\n  a:\n":          {"deep": map[string]any{"x": uint64(1), "y": uint64(2)}},
		"options:\n  a:\n  deep:\n": nil,
	} {
		without := base
		if err := yaml.Unmarshal([]byte(text), &without); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(part{want}, without); diff != "" {
			t.Errorf("%q (-want +got):\n%s", text, diff)
		}
	}
	if diff := cmp.Diff(part{Options{"a": uint64(1), "deep": map[string]any{"x": uint64(1), "y": uint64(2)}}}, base); diff != "" {
		t.Errorf("the base has changed:\n%s", diff)
	}
}
