package data_test

import (
	"slices"
	"strings"
	"testing"

	"ffslab/data"
)

// row is a picture of 40x20 with an object of each category given, 10 pixels wide from x = 0, 10,
// ...
func row(classes ...int) data.Image {
	im := data.Image{File: "row", Width: 40, Height: 20, Render: func() (*data.Pixels, error) { return data.NewPixels(20, 40), nil }}
	for i, class := range classes {
		x := float64(10 * i)
		im.Instances = append(im.Instances, data.Instance{Box: [4]float64{x, 0, x + 10, float64(10 + i)}, Category: class})
	}
	return im
}

// What becomes of the objects of other classes: of a known one, an unknown one and a crowd region
// of unknown ones.
func TestForTraining(t *testing.T) {
	d := &data.Dataset{Name: "set", Categories: []data.Category{{ID: 1, Name: "stop"}, {ID: 2, Name: "limit"}}, Images: []data.Image{row(1, 0, 0), row(1)}}
	d.Images[0].Instances[2].Crowd = true
	for how, ignored := range map[data.Unknown]int{"": 2, data.IgnoreUnknown: 2, data.CrowdUnknown: 0, data.DropUnknown: 0} {
		got, err := d.ForTraining([]string{"limit"}, how)
		if err != nil {
			t.Fatal(err)
		}
		first := got.Images[0]
		if len(first.Instances) != 1 || first.Instances[0].Category != 0 || len(first.Ignored) != ignored || len(got.Images[1].Instances) != 1 {
			t.Errorf("%q: images %+v", how, got.Images)
		}
		if len(got.Notes) != 1 || !strings.HasPrefix(got.Notes[0], "2 objects in 1 images") {
			t.Errorf("%q: notes %q", how, got.Notes)
		}
	}
	if len(d.Images[0].Instances) != 3 || len(d.Images[0].Ignored) > 0 || len(d.Notes) > 0 {
		t.Error("ForTraining changed its receiver")
	}
	if _, err := d.ForTraining([]string{"limit"}, data.RefuseUnknown); err == nil || !strings.Contains(err.Error(), `"stop"`) {
		t.Errorf("refuse gave the error %v", err)
	}
	if _, err := d.ForTraining([]string{"limit"}, "forget"); err == nil || !strings.Contains(err.Error(), `"ignore" "crowd" "drop" "refuse"`) {
		t.Errorf("forget gave the error %v", err)
	}
	if got, err := d.ForTraining([]string{"limit", "stop"}, ""); err != nil || len(got.Notes) > 0 || len(got.Images[0].Instances) != 3 {
		t.Errorf("with all classes known: %+v, %v", got, err)
	}
}

// Ignored regions share the room of the objects, which come first, and move with their picture.
func TestBatchOfIgnoredRegions(t *testing.T) {
	d := &data.Dataset{Name: "set", Categories: []data.Category{{Name: "stop"}, {Name: "limit"}}, Images: []data.Image{row(0, 1, 0)}}
	d, err := d.ForTraining([]string{"limit"}, data.IgnoreUnknown)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		room    int
		boxes   []float32
		valid   []bool
		ignored []bool
		dropped int
	}{
		{4, []float32{20, 0, 40, 22, 0, 0, 20, 20, 40, 0, 60, 24, 0, 0, 0, 0}, []bool{true, false, false, false}, []bool{false, true, true, false}, 0},
		{2, []float32{20, 0, 40, 22, 40, 0, 60, 24}, []bool{true, false}, []bool{false, true}, 1},
		{1, []float32{20, 0, 40, 22}, []bool{true}, []bool{false}, 2},
	} {
		l, err := data.Eval(t.Context(), d, data.Config{BatchSize: 1, ShortEdges: []int{40}, LongEdge: 80, Canvases: []data.Canvas{{Height: 64, Width: 96}}, MaxBoxes: c.room})
		if err != nil {
			t.Fatal(err)
		}
		b, err := l.Next()
		l.Close()
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(b.Boxes, c.boxes) || !slices.Equal(b.Valid, c.valid) || !slices.Equal(b.Ignored, c.ignored) || b.Dropped != c.dropped {
			t.Errorf("room for %d: boxes %v, valid %v, ignored %v, %d dropped", c.room, b.Boxes, b.Valid, b.Ignored, b.Dropped)
		}
	}
	// Flipped, a region stays on its object.
	for step := range 8 {
		l, err := data.Train(t.Context(), d, data.Config{BatchSize: 1, ShortEdges: []int{20}, LongEdge: 40, Flip: true, Canvases: []data.Canvas{{Height: 32, Width: 64}}, MaxBoxes: 3, FirstStep: step})
		if err != nil {
			t.Fatal(err)
		}
		b, err := l.Next()
		l.Close()
		if err != nil {
			t.Fatal(err)
		}
		want := []float32{0, 0, 10, 10}
		if b.Sources[0].Flip {
			want = []float32{30, 0, 40, 10}
		}
		if !slices.Equal(b.Boxes[4:8], want) || !b.Ignored[1] {
			t.Errorf("flipped %v: region %v, want %v", b.Sources[0].Flip, b.Boxes[4:8], want)
		}
	}
}
