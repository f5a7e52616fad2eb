package data_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ffslab/data"
)

// signs is a set of 40 images: 18 with known objects alone, 12 with both kinds, 4 with unknown ones
// alone, 6 without any.
func signs() *data.Dataset {
	return scenes([]string{"stop", "limit", "priority"}, slices.Concat(
		slices.Repeat([]string{"limit", "stop limit", "limit priority", "priority stop"}, 6), slices.Repeat([]string{"stop"}, 4),
		slices.Repeat([]string{"", "priority"}, 6))...)
}

func TestHoldOut(t *testing.T) {
	d := signs()
	opt := data.HoldOutOptions{Unknown: []string{"Stop"}, Val: 0.25, Mixed: 0.5, Seed: 3}
	h, err := data.HoldOut(d, opt)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(h.Known, []string{"limit", "priority"}) || !slices.Equal(h.Unknown, []string{"stop"}) {
		t.Errorf("known %q, unknown %q", h.Known, h.Unknown)
	}
	// Every image is in one part, as it was, and in the part of its kind.
	kinds := map[string]map[string]int{}
	whole := map[data.ID]data.Image{}
	for _, im := range d.Images {
		whole[im.ID] = im
	}
	for name, part := range map[string]*data.Dataset{"train": h.Train, "val": h.Val, "mixed": h.Mixed, "ood": h.OOD} {
		if !slices.IsSortedFunc(part.Images, func(a, b data.Image) int { return a.ID.Compare(b.ID) }) {
			t.Errorf("%s is not in the order of the set: %v", name, ids(part))
		}
		kinds[name] = map[string]int{}
		for _, im := range part.Images {
			if was, ok := whole[im.ID]; !ok || fmt.Sprint(was) != fmt.Sprint(im) {
				t.Errorf("%s: image %v is %+v, was %+v (%v)", name, im.ID, im, was, ok)
			}
			delete(whole, im.ID)
			kind := ""
			for _, o := range im.Instances {
				letter := "k"
				if part.Categories[o.Category].Name == "stop" {
					letter = "u"
				}
				if !strings.Contains(kind, letter) {
					kind += letter
				}
			}
			if kind == "uk" {
				kind = "ku"
			}
			kinds[name][kind]++
		}
	}
	if len(whole) > 0 {
		t.Errorf("%d images are in no part", len(whole))
	}
	r := h.Report
	all := func(name, kind string, part func(data.HoldOutParts) int, of data.HoldOutParts) {
		if got := kinds[name][kind]; got != part(of) {
			t.Errorf("%s has %d images of the kind %q, the report says %d", name, got, kind, part(of))
		}
	}
	for kind, of := range map[string]data.HoldOutParts{"k": r.KnownAlone, "ku": r.Both, "u": r.UnknownAlone, "": r.Empty, "sum": r.Images} {
		if of.Train+of.Val+of.Mixed+of.OOD+of.Left != of.All {
			t.Errorf("images of the kind %q: %+v does not add up", kind, of)
		}
		if kind != "sum" {
			all("train", kind, func(p data.HoldOutParts) int { return p.Train }, of)
			all("val", kind, func(p data.HoldOutParts) int { return p.Val }, of)
			all("mixed", kind, func(p data.HoldOutParts) int { return p.Mixed }, of)
			all("ood", kind, func(p data.HoldOutParts) int { return p.OOD }, of)
		}
	}
	for _, c := range []struct {
		name      string
		got, want data.HoldOutParts
	}{
		{"known alone", r.KnownAlone, data.HoldOutParts{Train: 13, Val: 5, All: 18}},
		{"both", r.Both, data.HoldOutParts{Train: 6, Mixed: 6, All: 12}},
		{"unknown alone", r.UnknownAlone, data.HoldOutParts{OOD: 4, All: 4}},
		{"empty", r.Empty, data.HoldOutParts{Train: 4, Val: 2, All: 6}},
		{"images", r.Images, data.HoldOutParts{Train: 23, Val: 7, Mixed: 6, OOD: 4, All: 40}},
	} {
		if c.got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, c.got, c.want)
		}
	}
	objects, counted := 0, data.HoldOutParts{}
	for _, im := range d.Images {
		objects += len(im.Instances)
	}
	for _, c := range r.Objects {
		if c.Known == (c.Class == "stop") || c.Objects.Train+c.Objects.Val+c.Objects.Mixed+c.Objects.OOD != c.Objects.All {
			t.Errorf("objects of a class: %+v", c)
		}
		counted.All += c.Objects.All
	}
	if counted.All != objects {
		t.Errorf("%d objects are counted, the set has %d", counted.All, objects)
	}

	again, err := data.HoldOut(d, opt)
	if err != nil || fmt.Sprint(ids(again.Train), ids(again.Val), ids(again.Mixed)) != fmt.Sprint(ids(h.Train), ids(h.Val), ids(h.Mixed)) {
		t.Errorf("the same seed chose others: %v, %v", ids(again.Train), err)
	}
	opt.Seed = 4
	if other, err := data.HoldOut(d, opt); err != nil || slices.Equal(ids(other.Train), ids(h.Train)) {
		t.Errorf("another seed chose the same: %v, %v", ids(other.Train), err)
	}
	opt = data.HoldOutOptions{Known: []string{"priority", "limit"}, Val: 0.01, SkipEmpty: true}
	if h, err = data.HoldOut(d, opt); err != nil || !slices.Equal(h.Known, opt.Known) || h.Report.Empty != (data.HoldOutParts{Left: 6, All: 6}) || len(h.Val.Images) != 1 || len(h.Mixed.Images) != 0 {
		t.Errorf("known %q, report %+v, error %v", h.Known, h.Report, err)
	}
}

// Where every image holds unknown objects, none is lost: half is trained on, and the other half is
// both the inlier set, without them, and the mixed one.
func TestHoldOutOfMixedImagesAlone(t *testing.T) {
	d := scenes([]string{"stop", "limit"}, slices.Repeat([]string{"stop limit", "limit stop stop"}, 13)...)
	h, err := data.HoldOut(d, data.HoldOutOptions{Unknown: []string{"stop"}, Val: 0.2, Mixed: 0.5})
	if err != nil {
		t.Fatal(err)
	}
	if len(h.Train.Images) != 13 || len(h.Mixed.Images) != 13 || !h.Report.ValOfMixed || !slices.Equal(ids(h.Val), ids(h.Mixed)) {
		t.Errorf("train %v, mixed %v, val %v", ids(h.Train), ids(h.Mixed), ids(h.Val))
	}
	val, err := h.Val.WithClasses(h.Known)
	if err != nil || val.Stats().Objects != 13 {
		t.Errorf("the inlier set has %d objects: %v", val.Stats().Objects, err)
	}
	if s := h.Mixed.Stats(); s.Classes[0].Objects < 13 || s.Classes[1].Objects != 13 {
		t.Errorf("the mixed set has %+v", s.Classes)
	}
}

// The only image of a class is trained on, whatever the seed, unless all are held out.
func TestHoldOutLeavesEachClass(t *testing.T) {
	d := scenes([]string{"stop", "limit", "priority", "yield"}, "limit", "limit", "priority", "limit", "yield stop", "limit stop", "stop")
	for seed := range uint64(20) {
		h, err := data.HoldOut(d, data.HoldOutOptions{Unknown: []string{"stop"}, Val: 0.5, Mixed: 0.5, Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(ids(h.Train), 3) || !slices.Contains(ids(h.Train), 5) || len(h.Val.Images) != 2 || len(h.Mixed.Images) != 1 {
			t.Errorf("seed %d: train %v, val %v, mixed %v", seed, ids(h.Train), ids(h.Val), ids(h.Mixed))
		}
	}
	h, err := data.HoldOut(d, data.HoldOutOptions{Unknown: []string{"stop"}, Val: 1, Mixed: 0.5})
	if err != nil || len(h.Val.Images) != 4 {
		t.Errorf("val %v: %v", h, err)
	}
}

func TestHoldOutRefuses(t *testing.T) {
	for want, opt := range map[string]data.HoldOutOptions{
		"either the known or the unknown": {},
		"either the known or the":         {Known: []string{"limit"}, Unknown: []string{"stop"}},
		`no class "stpo": its classes`:    {Unknown: []string{"stpo"}},
		"named twice":                     {Unknown: []string{"stop", "STOP"}},
		"0 of its 3 classes are known":    {Unknown: []string{"stop", "limit", "priority"}},
		"3 of its 3 classes are known":    {Known: []string{"stop", "limit", "priority"}},
		"numbers from 0 to 1":             {Unknown: []string{"stop"}, Val: 1.5},
		"left to train on":                {Unknown: []string{"stop"}, Val: 1, Mixed: 1},
	} {
		if _, err := data.HoldOut(signs(), opt); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v gave the error %v, want %q", opt, err, want)
		}
	}
	d := signs()
	d.Unlabelled = true
	if _, err := data.HoldOut(d, data.HoldOutOptions{Unknown: []string{"stop"}}); err == nil {
		t.Error("a set that nobody has labelled was divided")
	}
}
