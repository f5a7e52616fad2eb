package viz

import (
	"bytes"
	"image"
	"image/color"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// Labels of crowded boxes stay inside the picture, and do not cover each other while there is room.
func TestPlaceLabel(t *testing.T) {
	bounds := image.Rect(0, 0, 300, 200)
	size := image.Pt(60, 15)
	frames := []image.Rectangle{
		image.Rect(0, 0, 300, 200), image.Rect(0, 0, 300, 200), image.Rect(250, 180, 300, 200),
		image.Rect(100, 50, 160, 90), image.Rect(102, 52, 162, 92), image.Rect(101, 51, 161, 91), image.Rect(-5, -5, 3, 3),
	}
	var placed []image.Rectangle
	for _, frame := range frames {
		label := placeLabel(size, frame, placed, bounds)
		if !label.In(bounds) || label.Size() != size {
			t.Errorf("the label of %v is at %v", frame, label)
		}
		for _, other := range placed {
			if label.Overlaps(other) {
				t.Errorf("the label of %v at %v covers %v", frame, label, other)
			}
		}
		placed = append(placed, label)
	}
}

func TestDetectionsEnlarge(t *testing.T) {
	for _, c := range []struct{ width, height, wantWidth, wantHeight int }{
		{160, 120, 480, 360}, {192, 192, 576, 576}, {479, 100, 958, 200}, {480, 640, 480, 640}, {1, 1, 480, 480},
	} {
		f, err := Detections(image.NewGray(image.Rect(0, 0, c.width, c.height)), nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.Image().Bounds().Size(); got != image.Pt(c.wantWidth, c.wantHeight) {
			t.Errorf("%dx%d became %v", c.width, c.height, got)
		}
	}
}

// The lines lie on the box's border, in the colour of its style, and nowhere else.
func TestDetectionsColours(t *testing.T) {
	for style, want := range map[Style]color.NRGBA{Inlier: palette[Blue], Unknown: palette[Vermillion], Truth: palette[Green]} {
		f, err := Detections(image.NewGray(image.Rect(3, 5, 603, 605)), []Box{{XYXY: [4]float64{100, 200, 300, 400}, Label: "x", Style: style}})
		if err != nil {
			t.Fatal(err)
		}
		at := func(x, y int) color.NRGBA { return color.NRGBAModel.Convert(f.Image().At(x, y)).(color.NRGBA) }
		if at(100, 200) != want || at(101, 200) != want || at(100, 200+1) != want {
			t.Errorf("%v: the corner is %v, want %v", style, at(100, 200), want)
		}
		for _, p := range []image.Point{{200, 300}, {99, 300}, {302, 300}, {200, 402}} {
			if got := at(p.X, p.Y); got != (color.NRGBA{A: 255}) {
				t.Errorf("%v: pixel %v beside the border is %v", style, p, got)
			}
		}
	}
}

func TestBoxText(t *testing.T) {
	for _, c := range []struct {
		box  Box
		want string
	}{
		{Box{Label: "cat", Score: 0.876}, "cat 0.88"},
		{Box{Label: "cat"}, "cat"},
		{Box{Label: "cat", Score: 0.5, Style: Unknown}, "? cat 0.50"},
		{Box{Style: Unknown}, "?"},
		{Box{Label: "cat", Score: 1, Style: Truth}, "cat"},
		{Box{}, ""},
	} {
		if got := c.box.text(); got != c.want {
			t.Errorf("%+v says %q, want %q", c.box, got, c.want)
		}
	}
}

func TestCrop(t *testing.T) {
	img := image.NewGray(image.Rect(10, 20, 60, 60)) // an image need not start at (0, 0)
	img.SetGray(10+15, 20+12, color.Gray{Y: 200})
	got, err := Crop(img, [4]float64{10, 10, 20, 14}, 0.2)
	if err != nil {
		t.Fatal(err)
	}
	if got.Bounds() != image.Rect(0, 0, 14, 8) {
		t.Errorf("bounds %v, want 14x8: the box and a margin of 2", got.Bounds())
	}
	if r, _, _, _ := got.At(7, 4).RGBA(); r>>8 != 200 {
		t.Errorf("the pixel is not where it should be: %v", r>>8)
	}
	if got, err := Crop(img, [4]float64{-1e300, 35, 1e300, 1e300}, 0); err != nil || got.Bounds() != image.Rect(0, 0, 50, 5) {
		t.Errorf("a huge box: %v, error %v", got, err)
	}
	if _, err := Crop(img, [4]float64{50, 0, 70, 10}, 0); err == nil {
		t.Error("a box outside the image was cropped")
	}
}

// A large picture of noise is shown as JPEG, a small one as PNG, whatever is in it.
func TestLargePicturesAreShownAsJPEG(t *testing.T) {
	for side, want := range map[int]string{40: "data:image/png;base64,", 400: "data:image/jpeg;base64,"} {
		img := image.NewRGBA(image.Rect(0, 0, side, side))
		rng := rand.New(rand.NewPCG(1, 0))
		for i := range img.Pix {
			img.Pix[i] = uint8(rng.Uint32())
			if i%4 == 3 {
				img.Pix[i] = 255
			}
		}
		block, err := pictureFigure(img, table{}).HTML()
		if err != nil || !strings.Contains(block, want) {
			t.Errorf("%d pixels: %v, %.120s; want %s", side, err, block, want)
		}
	}
}

func TestDetectionSheet(t *testing.T) {
	photo := image.NewGray(image.Rect(0, 0, 60, 40))
	box := Box{XYXY: [4]float64{1, 2, 30, 20}, Label: "cat", Score: 0.5}
	sheet, err := DetectionSheet([]Shot{{Image: photo, Caption: "a", Boxes: []Box{box, {XYXY: box.XYXY, Style: Unknown, Score: 0.25}}}, {Image: photo}, {Image: photo, Boxes: []Box{box}}}, 2)
	if err != nil {
		t.Fatal(err)
	}
	got, err := sheet.CSV()
	if err != nil {
		t.Fatal(err)
	}
	want := "image,caption,label,style,score,x1,y1,x2,y2\n0,a,cat,inlier,0.5,1,2,30,20\n0,a,,unknown,0.25,1,2,30,20\n2,,cat,inlier,0.5,1,2,30,20\n"
	if string(got) != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	// The narrower the sheet, the more rows the legend has; without boxes there is none.
	height := func(columns int, boxes ...Box) (legend int) {
		sheet, err := DetectionSheet([]Shot{{Image: photo, Boxes: boxes}, {Image: photo}, {Image: photo}}, columns)
		if err != nil {
			t.Fatal(err)
		}
		drawn, err := Detections(photo, boxes)
		if err != nil {
			t.Fatal(err)
		}
		plain, err := Detections(photo, nil)
		if err != nil {
			t.Fatal(err)
		}
		without, err := ContactSheet([]image.Image{drawn.pixels, plain.pixels, plain.pixels}, nil, columns)
		if err != nil {
			t.Fatal(err)
		}
		return sheet.pixels.Bounds().Dy() - without.pixels.Bounds().Dy()
	}
	all := []Box{box, {XYXY: box.XYXY, Style: Unknown}, {XYXY: box.XYXY, Style: Truth}}
	if none, wide, narrow := height(3), height(3, all...), height(1, all...); none != 0 || wide <= 0 || narrow <= wide {
		t.Errorf("legends of %d, %d and %d pixels", none, wide, narrow)
	}
	if _, err := DetectionSheet([]Shot{{Image: photo}, {Image: photo, Caption: "b", Boxes: []Box{{XYXY: [4]float64{5, 0, 1, 1}}}}}, 2); err == nil || !strings.Contains(err.Error(), "image 1 (b)") {
		t.Errorf("error %v", err)
	}
	if _, err := DetectionSheet(nil, 2); err == nil {
		t.Error("a sheet of nothing")
	}
}

// A view of a picture is a smaller image: boxes have the original's coordinates on both.
func TestDetectionsOnAShrunkImage(t *testing.T) {
	boxes := []Box{{XYXY: [4]float64{200, 400, 800, 1200}, Label: "a", Score: 0.9}}
	half := image.NewRGBA(image.Rect(0, 0, 1000, 800))
	on := func(img image.Image, boxes []Box) *Figure {
		figure, err := Detections(img, boxes)
		if err != nil {
			t.Fatal(err)
		}
		return figure
	}
	got := on(view{half}, boxes)
	want := on(half, []Box{{XYXY: [4]float64{100, 200, 400, 600}, Label: "a", Score: 0.9}})
	if !bytes.Equal(got.Image().(*image.RGBA).Pix, want.Image().(*image.RGBA).Pix) {
		t.Error("the boxes lie elsewhere")
	}
	table, err := got.CSV()
	if err != nil || !strings.Contains(string(table), "200,400,800,1200") {
		t.Errorf("the table is not of the original's pixels: %s, %v", table, err)
	}
	if boxes[0].XYXY[0] != 200 {
		t.Error("the caller's boxes were changed")
	}
}

type view struct{ image.Image }

func (v view) Shrunk() (image.Image, float64) { return v.Image, 0.5 }

func TestMoreBoxesThanCanBeSeen(t *testing.T) {
	var boxes []Box
	for i := range 300_000 {
		x := float64(i % 500)
		boxes = append(boxes, Box{XYXY: [4]float64{x, x, x + 90, x + 40}, Label: "many", Score: float64(i%1000+1) / 1000})
	}
	boxes[7].Score, boxes[7].Label = 2, "the best"
	boxes[8].Style, boxes[8].Label = Truth, "an annotation"
	begin := time.Now()
	figure, err := Detections(image.NewRGBA(image.Rect(0, 0, 600, 600)), boxes)
	if err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took > 20*time.Second { // it took minutes, and grows with the square where it is not bounded
		t.Errorf("took %v", took)
	}
	rows, err := figure.CSV()
	if err != nil {
		t.Fatal(err)
	}
	text := string(rows)
	if n := strings.Count(text, "\n") - 1; n != MaxBoxes || !strings.Contains(text, "the best") || strings.Contains(text, "an annotation") {
		t.Errorf("%d boxes are drawn, want the %d of the highest scores", n, MaxBoxes)
	}
}
