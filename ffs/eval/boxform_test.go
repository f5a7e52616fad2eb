package eval

import (
	"math/rand/v2"
	"strings"
	"testing"

	"ffslab/data"
	"ffslab/data/box"
)

// Boxes of detections and of objects in a form of other tools are recognised, right ones are not.
func TestBoxPattern(t *testing.T) {
	const width, height = 320, 240
	forms := []struct {
		name, want, without string // without: where the sizes of images are unknown
		form                func(b box.COCO) box.COCO
	}{
		{"right", "", "", func(b box.COCO) box.COCO { return b }},
		{"corners", "look like corners [x0, y0, x1, y1] where [x, y, width, height] belongs", "", func(b box.COCO) box.COCO { return box.COCO(b.Corners()) }},
		{"fractions", "look like fractions", "look like fractions", func(b box.COCO) box.COCO {
			return box.COCO{b[0] / width, b[1] / height, b[2] / width, b[3] / height}
		}},
	}
	for _, f := range forms {
		random := rand.New(rand.NewPCG(1, 2))
		results := Results{Annotations: &Annotations{ImageIDs: []data.ID{1}, Sizes: [][2]float64{{width, height}}, Categories: []Category{{1, "cat"}}}}
		for range 200 {
			w, h := 10+90*random.Float64(), 10+90*random.Float64()
			b := f.form(box.COCO{random.Float64() * (width - w), random.Float64() * (height - h), w, h})
			results.Detections = append(results.Detections, Detection{ImageID: 1, CategoryID: 1, Box: b, Score: random.Float64()})
			results.Annotations.Objects = append(results.Annotations.Objects, GroundTruth{ImageID: 1, CategoryID: 1, Box: b})
		}
		check := func(what, want string, err error) {
			if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
				t.Errorf("%s, %s: error %v, want %q", f.name, what, err, want)
			}
		}
		check("detections", f.want, results.BoxPattern())
		check("objects", f.want, results.Annotations.BoxPattern())
		results.Annotations.Sizes = nil
		check("images of unknown size", f.without, results.BoxPattern())
	}
	if err := (Results{Annotations: &Annotations{}}).BoxPattern(); err != nil {
		t.Errorf("without boxes: %v", err)
	}
}
