package data_test

import (
	"math"
	"slices"
	"testing"

	"ffslab/data"
	"ffslab/ffs/npz"
)

// golden reads the original stack's preprocessing (Pillow and detectron2) of two small pictures.
func golden(t *testing.T) npz.Arrays {
	t.Helper()
	arrays, err := npz.Read("testdata/preprocess.npz")
	if err != nil {
		t.Fatal(err)
	}
	return arrays
}

func pixels(a *npz.Array) *data.Pixels {
	return &data.Pixels{Height: a.Shape[0], Width: a.Shape[1], Data: a.Data.([]uint8)}
}

func instances(boxes *npz.Array) []data.Instance {
	out := make([]data.Instance, boxes.Shape[0])
	for i, v := range boxes.Float64s() {
		out[i/4].Box[i%4] = v
	}
	return out
}

func samePixels(t *testing.T, name string, got, want *data.Pixels) {
	t.Helper()
	if got.Height != want.Height || got.Width != want.Width {
		t.Fatalf("%s: %dx%d, want %dx%d", name, got.Height, got.Width, want.Height, want.Width)
	}
	if i := firstDifference(got.Data, want.Data); i >= 0 {
		t.Errorf("%s: byte %d is %d, want %d", name, i, got.Data[i], want.Data[i])
	}
}

func firstDifference(a, b []uint8) int {
	for i := range a {
		if a[i] != b[i] {
			return i
		}
	}
	return -1
}

func sameBoxes(t *testing.T, name string, got []data.Instance, want *npz.Array) {
	t.Helper()
	if len(got) != want.Shape[0] {
		t.Fatalf("%s: %d boxes, want %d", name, len(got), want.Shape[0])
	}
	for i, w := range want.Float64s() {
		if g := got[i/4].Box[i%4]; math.Abs(g-w) > 1e-4*(1+math.Abs(w)) {
			t.Errorf("%s: box %d coordinate %d is %v, want %v", name, i/4, i%4, g, w)
		}
	}
}

func TestResizeEqualsPillow(t *testing.T) {
	g := golden(t)
	sizes := []struct {
		name string
		data.Transform
	}{
		{"short64_max1000", data.Transform{ShortEdge: 64, LongEdge: 1000}},
		{"short96_max110", data.Transform{ShortEdge: 96, LongEdge: 110}},
		{"short20_max1000", data.Transform{ShortEdge: 20, LongEdge: 1000}},
		{"short16_max21", data.Transform{ShortEdge: 16, LongEdge: 21}},
		{"short37_max1333", data.Transform{ShortEdge: 37, LongEdge: 1333}},
		{"short31_max1333", data.Transform{ShortEdge: 31, LongEdge: 1333}},
	}
	for _, image := range []string{"a", "b"} {
		p := pixels(g[image+".image"])
		boxes := instances(g[image+".boxes"])
		for _, size := range sizes {
			name := image + ".resize_" + size.name
			samePixels(t, name, size.Pixels(p), pixels(g[name]))
			sameBoxes(t, name, size.Instances(boxes, p.Height, p.Width), g[name+".boxes"])
		}
		flip := data.Transform{ShortEdge: min(p.Height, p.Width), LongEdge: 1333, Flip: true}
		samePixels(t, image+".hflip", flip.Pixels(p), pixels(g[image+".hflip"]))
		sameBoxes(t, image+".hflip", flip.Instances(boxes, p.Height, p.Width), g[image+".hflip.boxes"])
	}
}

func TestShortestEdge(t *testing.T) {
	table := golden(t)["output_shape_table"]
	for row := range slices.Chunk(table.Ints(), 6) {
		if h, w := data.ShortestEdge(row[0], row[1], row[2], row[3]); h != row[4] || w != row[5] {
			t.Errorf("ShortestEdge(%d, %d, %d, %d) = %d, %d; want %d, %d", row[0], row[1], row[2], row[3], h, w, row[4], row[5])
		}
	}
}

// The chain that training data goes through: XYWH to corners, resize, flip, clip, drop the empty
// and the crowd.
func TestTrainingChain(t *testing.T) {
	g := golden(t)
	p := pixels(g["a.image"])
	var objects []data.Instance
	crowd, category := g["train.iscrowd"].Ints(), g["train.category"].Ints()
	for i, o := range instances(g["train.bbox_xywh"]) {
		o.Box[2] += o.Box[0]
		o.Box[3] += o.Box[1]
		o.Category, o.Crowd = category[i], crowd[i] != 0
		objects = append(objects, o)
	}
	flip := data.Transform{ShortEdge: 64, LongEdge: 1000, Flip: true}
	samePixels(t, "train.image", flip.Pixels(p), pixels(g["train.image"]))
	got := slices.DeleteFunc(flip.Instances(objects, p.Height, p.Width), func(o data.Instance) bool { return o.Crowd })
	sameBoxes(t, "train.gt_boxes", got, g["train.gt_boxes"])
	for i, want := range g["train.gt_classes"].Ints() {
		if got[i].Category != want {
			t.Errorf("class of box %d is %d, want %d", i, got[i].Category, want)
		}
	}
}

// Two RGB pictures through an evaluation's loader are the padded batch that the original's
// test-time chain makes, before its normalisation.
func TestEvaluationChain(t *testing.T) {
	g := golden(t)
	d := &data.Dataset{Name: "chain"}
	for _, name := range []string{"a", "b"} {
		rgb := pixels(g[name+".image"])
		d.Images = append(d.Images, data.Image{Height: rgb.Height, Width: rgb.Width, Render: func() (*data.Pixels, error) {
			bgr := data.NewPixels(rgb.Height, rgb.Width)
			for i := range bgr.Data {
				bgr.Data[i] = rgb.Data[i-i%3+2-i%3]
			}
			return bgr, nil
		}})
	}
	l, err := data.Eval(t.Context(), d, data.Config{BatchSize: 2, ShortEdges: []int{40}, LongEdge: 1333, MaxBoxes: 1, Canvases: []data.Canvas{{Height: 64, Width: 64}}})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	b, err := l.Next()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range g["chain.image_sizes"].Ints() {
		if int(b.Sizes[i]) != want {
			t.Fatalf("sizes %v, want %v", b.Sizes, g["chain.image_sizes"].Ints())
		}
	}
	for row, name := range []string{"chain.a_bgr_resized", "chain.b_bgr_resized"} {
		want := g[name] // [3, height, width]
		height, width := want.Shape[1], want.Shape[2]
		for i, v := range want.Data.([]uint8) {
			channel, y, x := i/(height*width), i/width%height, i%width
			if got := b.Images[3*((row*64+y)*64+x)+channel]; got != v {
				t.Fatalf("%s: channel %d, pixel %d,%d is %d, want %d", name, channel, y, x, got, v)
			}
		}
	}
}
