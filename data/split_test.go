package data_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"ffslab/data"
)

// scenes is a set in memory; each image is given by the classes of its objects.
func scenes(classes []string, images ...string) *data.Dataset {
	d := &data.Dataset{Name: "scenes"}
	for i, name := range classes {
		d.Categories = append(d.Categories, data.Category{ID: data.ID(10 + i), Name: name})
	}
	for i, objects := range images {
		im := data.Image{ID: data.ID(i + 1)}
		for name := range strings.SplitSeq(objects, " ") {
			if at := slices.Index(classes, strings.ReplaceAll(name, "-", " ")); at >= 0 {
				im.Instances = append(im.Instances, data.Instance{Category: at})
			}
		}
		d.Images = append(d.Images, im)
	}
	return d
}

func ids(d *data.Dataset) []data.ID {
	var out []data.ID
	for _, im := range d.Images {
		out = append(out, im.ID)
	}
	return out
}

func TestMakeSplit(t *testing.T) {
	d := scenes([]string{"Man", "sofa", "Taxi", "Vehicle", "zebra", "pizza", "gizmo", "mouse"},
		"Man", "Man sofa", "Man zebra", "zebra pizza", "pizza", "gizmo", "", "Vehicle", "Taxi Taxi", "mouse")
	split, err := data.MakeSplit(d, data.SplitOptions{Inliers: []string{"couch", "person", "car", "mouse", "cat"}, NotInliers: []string{"Mouse"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		part *data.Dataset
		want []data.ID
	}{
		{"ID", split.ID, []data.ID{1, 2, 8, 9}}, {"OOD", split.OOD, []data.ID{4, 5, 6, 7, 10}}, {"Near", split.Near, []data.ID{4, 10}}, {"Far", split.Far, []data.ID{5, 6}},
	} {
		if !slices.Equal(ids(c.part), c.want) {
			t.Errorf("%s holds the images %v, want %v", c.name, ids(c.part), c.want)
		}
	}
	if o := split.ID.Images[1].Instances; o[0].Category != 1 || o[1].Category != 0 || split.ID.Categories[1] != (data.Category{ID: 2, Name: "person"}) {
		t.Errorf("the inliers' objects are %+v of %v", o, split.ID.Categories)
	}
	if o := split.OOD.Images[0].Instances; split.OOD.Categories[o[0].Category] != (data.Category{ID: 14, Name: "zebra"}) {
		t.Errorf("the outliers' objects are %+v of %v", o, split.OOD.Categories)
	}
	r := split.Report
	if r.Mixed != 1 || r.Empty != 1 || r.Skipped != 0 || r.ID != 4 || r.OOD != 5 || !slices.Equal(r.Absent, []string{"mouse", "cat"}) {
		t.Errorf("report %+v", r)
	}
	overlaps := []data.Overlap{
		{Class: "Man", Inlier: "person", Why: "another word for it", Images: 3, Objects: 3}, {Class: "sofa", Inlier: "couch", Why: "another word for it", Images: 1, Objects: 1},
		{Class: "Taxi", Inlier: "car", Why: "a kind of it", Images: 1, Objects: 2}, {Class: "Vehicle", Inlier: "car", Why: "a general term", Images: 1, Objects: 1},
	}
	if !slices.Equal(r.Overlaps, overlaps) {
		t.Errorf("overlaps %+v, want %+v", r.Overlaps, overlaps)
	}
	var outliers []string
	for _, o := range r.Outliers {
		outliers = append(outliers, fmt.Sprintln(o.Class, o.Near, o.Known, o.Kept, o.Images))
	}
	if want := []string{"zebra true true 1 2\n", "pizza false true 2 2\n", "gizmo false false 1 1\n", "mouse true true 1 1\n"}; !slices.Equal(outliers, want) {
		t.Errorf("outliers %q, want %q", outliers, want)
	}

	named, err := data.MakeSplit(d, data.SplitOptions{Inliers: []string{"person"}, Near: []string{"Pizza"}, Far: []string{"zebra"}, SkipEmpty: true})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(ids(named.Near), []data.ID{4, 5}) || slices.Contains(ids(named.OOD), 7) || named.Report.Skipped != 1 {
		t.Errorf("near %v, outliers %v, report %+v", ids(named.Near), ids(named.OOD), named.Report)
	}
	// A class that is named as an outlier is none of the inliers, even if it is a kind of one.
	if taxi, err := data.MakeSplit(d, data.SplitOptions{Inliers: []string{"car"}, Near: []string{"taxi"}}); err != nil || !slices.Equal(ids(taxi.Near), []data.ID{9}) {
		t.Errorf("near %v, error %v, want the taxi's image 9", ids(taxi.Near), err)
	}
	if d.Images[1].Instances[0].Category != 0 {
		t.Error("MakeSplit changed its argument")
	}
	for _, opt := range []data.SplitOptions{
		{}, {Inliers: []string{"cat", "cat"}}, {Inliers: []string{"cat"}, Near: []string{"whale"}}, {Inliers: []string{"cat"}, Near: []string{"pizza"}, Far: []string{"pizza"}},
		{Inliers: []string{"cat"}, NotInliers: []string{"dog"}},
	} {
		if _, err := data.MakeSplit(d, opt); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v gave the error %v", opt, err)
		}
	}
}

// The classes of COCO and nuImages against those of the three inlier sets: what the protocol's
// outlier sets leave out.
func TestOverlapsOfTheProtocol(t *testing.T) {
	coco := []string{
		"person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light", "fire hydrant", "stop sign", "parking meter", "bench",
		"bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis",
		"snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard", "tennis racket", "bottle", "wine glass", "cup", "fork", "knife",
		"spoon", "bowl", "banana", "apple", "sandwich", "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed",
		"dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven", "toaster", "sink", "refrigerator", "book", "clock",
		"vase", "scissors", "teddy bear", "hair drier", "toothbrush",
	}
	nuImages := []string{
		"car", "truck", "trailer", "bus", "construction_vehicle", "bicycle", "motorcycle", "pedestrian",
		"traffic_cone", "barrier", "animal", "debris", "pushable_pullable", "mobility", "stroller", "wheelchair",
	}
	for _, c := range []struct {
		set     []string
		inliers string
		want    string
	}{
		{coco, "voc", "person bicycle car motorcycle airplane bus train boat bird cat dog horse sheep cow bottle chair couch potted-plant dining-table tv"},
		{coco, "bdd100k", "person bicycle car motorcycle bus train truck"},
		{coco, "youtube-vis", "person car motorcycle airplane train truck boat bird cat dog horse cow elephant bear zebra giraffe frisbee snowboard skateboard surfboard tennis-racket mouse"},
		{nuImages, "bdd100k", "car truck trailer bus construction_vehicle bicycle motorcycle pedestrian"},
	} {
		inliers, err := data.Classes(c.inliers)
		if err != nil {
			t.Fatal(err)
		}
		split, err := data.MakeSplit(scenes(c.set), data.SplitOptions{Inliers: inliers})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, o := range split.Report.Overlaps {
			got = append(got, strings.ReplaceAll(o.Class, " ", "-"))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: the overlaps are %q, want %q", c.inliers, got, c.want)
		}
		for _, name := range c.set {
			if _, known := data.DefaultWords().Alike(data.DefaultWords().Sense(name, c.set), inliers); !known {
				t.Errorf("%q is not in the word list", name)
			}
		}
	}
}

func TestWords(t *testing.T) {
	words := data.DefaultWords()
	voc, err := data.Classes("voc")
	if err != nil {
		t.Fatal(err)
	}
	vis, err := data.Classes("youtube-vis")
	if err != nil {
		t.Fatal(err)
	}
	cases := []struct {
		class   string
		inliers []string
		want    string // the inlier class; empty: none
		near    bool   // where it is none
	}{
		{class: "aeroplane", inliers: voc, want: "airplane"}, {class: "Dining Table", inliers: voc, want: "dining table"},
		{class: "Houseplant", inliers: voc, want: "potted plant"}, {class: "Human face", inliers: voc, want: "person"},
		{class: "rider", inliers: voc, want: "person"}, {class: "person", inliers: []string{"pedestrian", "rider"}, want: "pedestrian"},
		{class: "Sparrow", inliers: voc, want: "bird"}, {class: "Table", inliers: voc, want: "dining table"}, {class: "Animal", inliers: voc, want: "bird"},
		{class: "frisbee", inliers: vis, want: "flying_disc"}, {class: "tennis racket", inliers: vis, want: "tennis_racket"}, {class: "motorcycle", inliers: vis, want: "motorbike"},
		{class: "Goldfish", inliers: vis, want: "fish"}, {class: "whale", inliers: []string{"animal"}, want: "animal"},
		{class: "elephant", inliers: voc, near: true}, {class: "truck", inliers: voc, near: true}, {class: "bed", inliers: voc, near: true},
		{class: "pizza", inliers: voc}, {class: "hot dog", inliers: voc}, {class: "sports ball", inliers: voc}, {class: "parrot", inliers: []string{"duck"}, near: true},
	}
	for _, c := range cases {
		got, why, ok := words.Same(c.class, c.inliers)
		if ok != (c.want != "") || got != c.want {
			t.Errorf("%s is the inlier class %q (%s), want %q", c.class, got, why, c.want)
		}
		if c.want != "" {
			continue
		}
		group, known := words.Alike(c.class, c.inliers)
		if !known || (group != "") != c.near {
			t.Errorf("%s: in group %q with an inlier class, known %v; want near %v", c.class, group, known, c.near)
		}
	}
	for _, bad := range []string{"cat, dog", "group", "group : a", "same a, b: c", "same a:", "like a: b", "sense a: b"} {
		if _, err := data.ParseWords(strings.NewReader("# list\n" + bad)); err == nil || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("%q gave the error %v", bad, err)
		}
	}
}

// A mouse beside a keyboard is no animal: COCO's is far from VOC's animals, YouTube-VIS's and Open
// Images' are near.
func TestHomonyms(t *testing.T) {
	for _, c := range []struct {
		name            string
		classes         []string
		inliers         []string
		near, far, same string
	}{
		{"COCO", []string{"mouse", "keyboard", "zebra"}, []string{"cat"}, "zebra", "mouse keyboard", ""},
		{"YouTube-VIS", []string{"mouse", "snake"}, []string{"cat"}, "mouse snake", "", ""},
		{"Open Images", []string{"Mouse", "Computer mouse", "Computer keyboard"}, []string{"cat"}, "Mouse", "Computer mouse Computer keyboard", ""},
		{"its own", []string{"mouse", "keyboard", "snake"}, []string{"mouse"}, "keyboard", "snake", "mouse"},
		{"COCO's as inlier", []string{"Mouse", "Computer mouse", "Snake"}, []string{"mouse", "laptop"}, "", "Snake", "Mouse Computer mouse"},
		{"YouTube-VIS's as inlier", []string{"Computer mouse", "Snake"}, []string{"mouse", "tiger"}, "Snake", "Computer mouse", ""},
	} {
		var images []string // each with an object of one class
		for _, name := range c.classes {
			images = append(images, strings.ReplaceAll(name, " ", "-"))
		}
		split, err := data.MakeSplit(scenes(c.classes, images...), data.SplitOptions{Inliers: c.inliers})
		if err != nil {
			t.Fatal(err)
		}
		var near, far, same []string
		for _, o := range split.Report.Outliers {
			if o.Near {
				near = append(near, o.Class)
			} else {
				far = append(far, o.Class)
			}
		}
		for _, o := range split.Report.Overlaps {
			same = append(same, o.Class)
		}
		got := [3]string{strings.Join(near, " "), strings.Join(far, " "), strings.Join(same, " ")}
		if want := [3]string{c.near, c.far, c.same}; got != want {
			t.Errorf("%s: near, far and of an inlier class are %q, want %q", c.name, got, want)
		}
	}
}
