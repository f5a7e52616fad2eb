package config

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/data"
	"ffslab/data/box"
)

// signs is a set of n images of the size, each with a square of class "stop" of the side and a
// wide object of half its area of class "way"; nothing is of class "Signs".
func signs(n, width, height int, side float64) *data.Dataset {
	d := &data.Dataset{Name: "signs", Categories: []data.Category{{ID: 1, Name: "Signs"}, {ID: 2, Name: "stop"}, {ID: 3, Name: "way"}}}
	for range n {
		d.Images = append(d.Images, data.Image{Width: width, Height: height, Instances: []data.Instance{
			{Category: 1, Box: box.Corners{10, 10, 10 + side, 10 + side}, Area: side * side},
			{Category: 2, Box: box.Corners{10, 10, 10 + side, 10 + side/2}, Area: side * side / 2},
		}})
	}
	return d
}

func TestPhotosFitTheTrainingSet(t *testing.T) {
	for _, test := range []struct {
		set      *data.Dataset
		classes  []string
		edge     int
		canvases [][2]int
		steps    int
	}{
		{signs(372, 480, 640, 60), []string{"stop", "way"}, 312, [][2]int{{320, 416}, {416, 320}}, 1200},
		{signs(40, 1280, 720, 60), []string{"stop", "way"}, 270, [][2]int{{288, 480}, {480, 288}}, 1000},
		{signs(9000, 416, 416, 60), []string{"stop", "way"}, 352, [][2]int{{352, 352}}, 2400},
	} {
		c, notes, err := LoadFitted("photos", test.set)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(test.classes, c.Model.Classes); diff != "" {
			t.Errorf("classes (-want +got):\n%s", diff)
		}
		if got := c.Input; got.MinSizeTrain[0] != test.edge || got.MinSizeTest != test.edge || !slices.Equal(got.Canvases, test.canvases) {
			t.Errorf("%dx%d: edge %v, %d, canvases %v; want %d, %v", test.set.Images[0].Width, test.set.Images[0].Height, got.MinSizeTrain, got.MinSizeTest, got.Canvases, test.edge, test.canvases)
		}
		if c.Train.MaxIter != test.steps || c.Model.Outlier.StartIter != test.steps/2 {
			t.Errorf("%d images: %d steps, outliers from %d; want %d", len(test.set.Images), c.Train.MaxIter, c.Model.Outlier.StartIter, test.steps)
		}
		if c.Data.Fit || len(notes) != 3 {
			t.Errorf("data.fit stays %v; notes %q", c.Data.Fit, notes)
		}
	}
}

// Every image fits a canvas, whatever its shape: those of a panorama and of a strip too.
func TestEveryImageFitsTheCanvases(t *testing.T) {
	set := signs(20, 640, 480, 30)
	for _, size := range [][2]int{{4000, 300}, {200, 3000}, {64, 64}, {640, 640}} {
		set.Images = append(set.Images, data.Image{Width: size[0], Height: size[1]})
	}
	c, _, err := LoadFitted("photos", set)
	if err != nil {
		t.Fatal(err)
	}
	for _, im := range set.Images {
		h, w := data.ShortestEdge(im.Height, im.Width, c.Input.MinSizeTest, c.Input.MaxSizeTest)
		if !slices.ContainsFunc(c.Input.Canvases, func(canvas [2]int) bool { return h <= canvas[0] && w <= canvas[1] }) {
			t.Errorf("%dx%d becomes %dx%d, which no canvas of %v holds", im.Width, im.Height, w, h, c.Input.Canvases)
		}
	}
}

func TestAnchorsSpanTheObjects(t *testing.T) {
	var sides []float64
	for side := 8.0; side < 160; side *= 1.01 {
		sides = append(sides, side)
	}
	sizes := anchorSizes(sides)
	if sizes[0] < 7 || sizes[0] > 10 || sizes[4] < 140 || sizes[4] > 165 || !slices.IsSorted(sizes) {
		t.Errorf("objects from 8 to 160 pixels get anchors %v", sizes)
	}
	if got, want := anchorSizes([]float64{70, 70, 70}), []float64{36, 50, 70, 98, 137}; !slices.Equal(got, want) {
		t.Errorf("objects of 70 pixels get anchors %v, want %v", got, want)
	}
	if got, want := anchorRatios([]float64{2, 2, 2, 2}), []float64{1.43, 2, 2.8}; !slices.Equal(got, want) {
		t.Errorf("objects twice as high as wide get ratios %v, want %v", got, want)
	}
}

// What a file or a setting says stays, and so do the classes that it names; other presets stay as
// they are.
func TestFitLeavesWhatIsGiven(t *testing.T) {
	set := signs(100, 640, 480, 30)
	path := filepath.Join(t.TempDir(), "split.yaml")
	if err := os.WriteFile(path, []byte("base: photos\nmodel:\n  classes: [way]\ntrain: {seed: 3}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, err := LoadFitted(path, set, "model.rpn.anchor_sizes=[1, 2, 3, 4, 5]", "train.max_iter=77")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(c.Model.Classes, []string{"way"}) || c.Train.Seed != 3 || c.Train.MaxIter != 77 || c.Model.RPN.AnchorSizes[4] != 5 {
		t.Errorf("given values are changed: classes %v, seed %d, steps %d, anchors %v", c.Model.Classes, c.Train.Seed, c.Train.MaxIter, c.Model.RPN.AnchorSizes)
	}
	if got, want := c.Model.RPN.AnchorRatios, []float64{0.36, 0.5, 0.7}; !slices.Equal(got, want) {
		t.Errorf("ratios %v, want those of the one class, %v", got, want)
	}
	plain, notes, err := LoadFitted("aquarium", set)
	if err != nil || notes != nil {
		t.Errorf("notes %q, error %v", notes, err)
	}
	if diff := cmp.Diff(aquarium(), plain); diff != "" {
		t.Errorf("a preset without data.fit is changed (-want +got):\n%s", diff)
	}
	for _, setting := range []string{"model.classes=[yield]", "train.seed=1"} {
		empty := set
		if setting == "train.seed=1" {
			empty = &data.Dataset{Name: "signs", Categories: set.Categories, Images: []data.Image{{Width: 9, Height: 9}}}
		}
		if _, _, err := LoadFitted("photos", empty, setting); err == nil || !strings.Contains(err.Error(), "signs: it has no object of the classes") {
			t.Errorf("%s: error %v", setting, err)
		}
	}
}
