package eval

import (
	"encoding/json"
	"math"
	"os"
	"slices"
	"strconv"
	"testing"

	"ffslab/ffs/internal/testkit"

	"ffslab/data"
	"ffslab/data/lenient"
)

func readGolden(t *testing.T, path string, into any) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(content, into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

func goldenCOCO(t *testing.T) *COCO {
	t.Helper()
	annotations, err := ReadAnnotations("testdata/gt.json", lenient.New(false))
	if err != nil {
		t.Fatal(err)
	}
	detections, err := ReadDetections("testdata/detections.json", lenient.New(false))
	if err != nil {
		t.Fatal(err)
	}
	coco, err := EvaluateCOCO(annotations, detections)
	if err != nil {
		t.Fatal(err)
	}
	return coco
}

// goldenCurves returns the curves of all classes as pycocotools lays them out, [T, R, K, A, M] and,
// of the recall, [T, K, A, M], -1 where there is nothing to find.
func goldenCurves(t *testing.T) (precision, recall, scores []float64) {
	t.Helper()
	annotations, err := ReadAnnotations("testdata/gt.json", lenient.New(true))
	if err != nil {
		t.Fatal(err)
	}
	detections, err := ReadDetections("testdata/detections.json", lenient.New(true))
	if err != nil {
		t.Fatal(err)
	}
	_, classes, err := groupByClass(annotations, detections)
	if err != nil {
		t.Fatal(err)
	}
	k := len(classes)
	precision = slices.Repeat([]float64{-1}, numIoUs*numRecalls*k*numAreas*numLimits)
	scores = slices.Clone(precision)
	recall = slices.Repeat([]float64{-1}, numIoUs*k*numAreas*numLimits)
	for class := range classes {
		var curves cocoCurves
		curves.draw(classes[class].match())
		for iou := range numIoUs {
			for area, n := range curves.objects {
				for limit := range numLimits {
					if n == 0 {
						continue
					}
					recall[((iou*k+class)*numAreas+area)*numLimits+limit] = curves.recall[iou][area][limit]
					for r := range numRecalls {
						at := (((iou*numRecalls+r)*k+class)*numAreas+area)*numLimits + limit
						precision[at], scores[at] = curves.precision[iou][r][area][limit], curves.scores[iou][r][area][limit]
					}
				}
			}
		}
	}
	return precision, recall, scores
}

// The reference numbers are those of pycocotools and of the original's
// inference code.
func TestGoldenCOCO(t *testing.T) {
	const tolerance = 1e-9
	var want struct {
		Stats    Stats `json:"stats"`
		PerClass map[string]struct {
			ClassStats
			Threshold float64 `json:"f1_score_threshold"`
		} `json:"per_class"`
		Threshold float64 `json:"optimal_score_threshold"`
		Rounded   float64 `json:"optimal_score_threshold_rounded"`
	}
	readGolden(t, "testdata/expected.json", &want)
	arrays := testkit.Golden(t, "testdata/expected.npz")
	coco := goldenCOCO(t)

	precision, recall, scores := goldenCurves(t)
	testkit.Close(t, "precision", precision, arrays["precision"], tolerance)
	testkit.Close(t, "recall", recall, arrays["recall"], tolerance)
	testkit.Close(t, "scores", scores, arrays["scores"], tolerance)
	testkit.Close(t, "stats", coco.Stats().List(), want.Stats.List(), tolerance)

	perClass := coco.PerClass()
	if len(perClass) != len(want.PerClass) {
		t.Fatalf("%d classes, want %d", len(perClass), len(want.PerClass))
	}
	for k, category := range coco.Categories {
		w := want.PerClass[category.ID.String()]
		got := perClass[category.ID]
		testkit.Close(t, category.Name, []float64{got.AP, got.AP50}, []float64{w.AP, w.AP50}, tolerance)
		threshold, _ := coco.classThreshold(k, Original)
		testkit.Close(t, category.Name+" threshold", threshold, w.Threshold, tolerance)
	}

	threshold, ok := coco.ScoreThreshold(Original)
	if !ok {
		t.Fatal("no threshold")
	}
	testkit.Close(t, "threshold", threshold, want.Threshold, tolerance)
	testkit.Close(t, "rounded threshold", round4(threshold), want.Rounded, 0)

	// Class 8 has no correct detection, class 9 no ground truth.
	sound, _ := coco.ScoreThreshold(Sound)
	testkit.Close(t, "sound threshold", sound, (0.863+0.355+0.311+0.363)/4, tolerance)
}

// Random sets full of corner cases (testdata/random_sets.py says which), beside pycocotools.
func TestRandomCOCO(t *testing.T) {
	var sets []struct {
		Objects    [][8]float64 // image, category, x, y, width, height, area, crowd
		Detections [][7]float64 // image, category, x, y, width, height, score
		Stats      []float64
	}
	readGolden(t, "testdata/random_sets.json", &sets)
	if len(sets) != 10 {
		t.Fatalf("%d sets, want 10", len(sets))
	}
	for i, set := range sets {
		annotations := &Annotations{ImageIDs: []data.ID{1, 2, 3, 4, 5, 6}}
		for id := range data.ID(6) {
			annotations.Categories = append(annotations.Categories, Category{ID: id + 1, Name: (id + 1).String()})
		}
		for _, o := range set.Objects {
			annotations.Objects = append(annotations.Objects, GroundTruth{
				ImageID: data.ID(o[0]), CategoryID: data.ID(o[1]), Box: [4]float64(o[2:6]), Area: o[6], Crowd: o[7] != 0,
			})
		}
		var detections []Detection
		for _, d := range set.Detections {
			detections = append(detections, Detection{ImageID: data.ID(d[0]), CategoryID: data.ID(d[1]), Box: [4]float64(d[2:6]), Score: d[6]})
		}
		coco, err := EvaluateCOCO(annotations, detections)
		if err != nil {
			t.Fatal(err)
		}
		testkit.Close(t, "set "+strconv.Itoa(i), coco.Stats().List(), set.Stats, 1e-9)
	}
}

// Two objects of 10x10 in one image; each case is worked out by hand. AP50
// below 1 comes from the recall grid: 51 of its 101 points are <= 0.5.
func TestCOCOByHand(t *testing.T) {
	object := func(x float64) GroundTruth {
		return GroundTruth{ImageID: 1, CategoryID: 1, Box: [4]float64{x, 0, 10, 10}, Area: 100}
	}
	crowd := object(200)
	crowd.Box[2], crowd.Crowd = 100, true
	at := func(x, score float64) Detection {
		return Detection{ImageID: 1, CategoryID: 1, Box: [4]float64{x, 0, 10, 10}, Score: score}
	}
	tests := []struct {
		name       string
		detections []Detection
		ap50, ap75 float64
	}{
		{"nothing", nil, 0, 0},
		{"both", []Detection{at(0, .9), at(100, .8)}, 1, 1},
		{"one", []Detection{at(0, .9)}, 51. / 101, 51. / 101},
		{"false first", []Detection{at(50, .9), at(0, .8)}, 51. / 101 / 2, 51. / 101 / 2},
		{"false last", []Detection{at(0, .9), at(50, .8)}, 51. / 101, 51. / 101},
		{"equal scores keep their order", []Detection{at(50, .8), at(0, .8)}, 51. / 101 / 2, 51. / 101 / 2},
		{"found once", []Detection{at(0, .9), at(0, .8), at(100, .7)}, (51 + 50*2./3) / 101, (51 + 50*2./3) / 101},
		{"IoU 2/3", []Detection{at(2, .9)}, 51. / 101, 0},
		{"crowd takes any number", []Detection{at(210, .95), at(220, .94), at(0, .9)}, 51. / 101, 51. / 101},
		{"half outside the crowd", []Detection{at(195, .95), at(0, .9)}, 51. / 101, 51. / 101 / 2},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			annotations := &Annotations{
				ImageIDs:   []data.ID{1},
				Categories: []Category{{1, "thing"}},
				Objects:    []GroundTruth{object(0), crowd, object(100)},
			}
			coco, err := EvaluateCOCO(annotations, test.detections)
			if err != nil {
				t.Fatal(err)
			}
			s := coco.Stats()
			testkit.Close(t, "AP50, AP75", []float64{s.AP50, s.AP75}, []float64{test.ap50, test.ap75}, 1e-12)
			if s.APLarge != -1 {
				t.Errorf("AP of large objects is %g, want -1: there are none", s.APLarge)
			}
		})
	}
}

// An object whose area is on a border belongs to both ranges.
func TestAreaBorders(t *testing.T) {
	annotations := &Annotations{
		ImageIDs:   []data.ID{1},
		Categories: []Category{{1, "thing"}},
		Objects:    []GroundTruth{{ImageID: 1, CategoryID: 1, Box: [4]float64{0, 0, 32, 32}, Area: 1024}},
	}
	detections := []Detection{
		{ImageID: 1, CategoryID: 1, Box: [4]float64{200, 200, 96, 97}, Score: .9}, // false, but large
		{ImageID: 1, CategoryID: 1, Box: [4]float64{0, 0, 32, 32}, Score: .8},
	}
	coco, err := EvaluateCOCO(annotations, detections)
	if err != nil {
		t.Fatal(err)
	}
	s := coco.Stats()
	got := []float64{s.AP, s.APSmall, s.APMedium, s.APLarge}
	testkit.Close(t, "AP all, small, medium, large", got, []float64{.5, 1, 1, -1}, 1e-12)
}

// A cat of 10x10 is found, one of 40x40 and the only dog, of 100x100, are not.
func TestBreakdownsByHand(t *testing.T) {
	square := func(category data.ID, x, side float64) GroundTruth {
		return GroundTruth{ImageID: 1, CategoryID: category, Box: [4]float64{x, 0, side, side}, Area: side * side}
	}
	crowd := square(2, 500, 10)
	crowd.Crowd = true
	annotations := &Annotations{
		ImageIDs: []data.ID{1}, Categories: []Category{{1, "cat"}, {2, "dog"}, {3, "absent"}},
		Objects: []GroundTruth{square(1, 0, 10), square(1, 100, 40), square(2, 300, 100), crowd},
	}
	coco, err := EvaluateCOCO(annotations, []Detection{{ImageID: 1, CategoryID: 1, Box: [4]float64{0, 0, 10, 10}, Score: .8}})
	if err != nil {
		t.Fatal(err)
	}
	classes := coco.PerClass()
	var got []float64
	for id := data.ID(1); id <= 3; id++ {
		c := classes[id]
		got = append(got, c.AP, c.AP50, c.AP75, c.APSmall, c.APMedium, c.APLarge, c.AR100, float64(c.Objects))
	}
	testkit.Close(t, "classes", got, []float64{
		51. / 101, 51. / 101, 51. / 101, 1, 0, -1, 0.5, 2,
		0, 0, 0, -1, -1, 0, 0, 1,
		-1, -1, -1, -1, -1, -1, -1, 0,
	}, 1e-12)
	got = nil
	for _, s := range coco.PerSize() {
		got = append(got, s.AP, s.AP50, s.AP75, s.AR100, float64(s.Objects))
	}
	testkit.Close(t, "small, medium, large", got, []float64{1, 1, 1, 1, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1}, 1e-12)
}

// A class without a correct detection: the original takes its best score.
func TestThresholdWithoutCorrectDetections(t *testing.T) {
	annotations := &Annotations{
		ImageIDs:   []data.ID{1},
		Categories: []Category{{1, "thing"}},
		Objects:    []GroundTruth{{ImageID: 1, CategoryID: 1, Box: [4]float64{0, 0, 32, 32}, Area: 1024}},
	}
	wrong := Detection{ImageID: 1, CategoryID: 1, Box: [4]float64{100, 100, 32, 32}, Score: 0.6}
	tests := []struct {
		detections []Detection
		convention Convention
		want       float64
		ok         bool
	}{
		{nil, Original, 0, false},
		{nil, Sound, 0, false},
		{[]Detection{wrong}, Original, 0.6, true},
		{[]Detection{wrong}, Annotated, 0.6, true},
		{[]Detection{wrong}, Sound, 0, false},
	}
	for _, test := range tests {
		coco, err := EvaluateCOCO(annotations, test.detections)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := coco.ScoreThreshold(test.convention)
		if ok != test.ok || math.Abs(got-test.want) > 1e-12 {
			t.Errorf("%d detections, convention %d: threshold %g, %t, want %g, %t", len(test.detections), test.convention, got, ok, test.want, test.ok)
		}
	}
}

func TestEvaluateCOCORefuses(t *testing.T) {
	annotations := &Annotations{ImageIDs: []data.ID{1}, Categories: []Category{{1, "thing"}}}
	good := Detection{ImageID: 1, CategoryID: 1, Box: [4]float64{0, 0, 1, 1}, Score: 1}
	tests := map[string]func(*Detection){
		"detection 1: unknown image id 7":              func(d *Detection) { d.ImageID = 7 },
		"detection 1: unknown category id 7":           func(d *Detection) { d.CategoryID = 7 },
		"detection 1: score is NaN":                    func(d *Detection) { d.Score = math.NaN() },
		"detection 1: bbox [0 0 1 +Inf] is not finite": func(d *Detection) { d.Box[3] = math.Inf(1) },
	}
	for want, spoil := range tests {
		bad := good
		spoil(&bad)
		if _, err := EvaluateCOCO(annotations, []Detection{good, bad}); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
