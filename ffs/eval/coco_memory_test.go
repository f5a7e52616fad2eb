package eval

import (
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"testing"

	"ffslab/data"
)

// allocated returns how much memory a call takes in all, in MiB.
func allocated(call func()) float64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	call()
	runtime.ReadMemStats(&after)
	return float64(after.TotalAlloc-before.TotalAlloc) / (1 << 20)
}

func randomBox(r *rand.Rand) [4]float64 {
	return [4]float64{500 * r.Float64(), 400 * r.Float64(), 10 + 90*r.Float64(), 10 + 60*r.Float64()}
}

// The curves of 20 000 classes would take 3.7 GiB at once.
func TestMemoryOfManyClasses(t *testing.T) {
	const classes = 20_000
	r := rand.New(rand.NewPCG(1, 2))
	annotations, detections := &Annotations{ImageIDs: []data.ID{1, 2}}, []Detection{}
	for id := range data.ID(classes) {
		annotations.Categories = append(annotations.Categories, Category{ID: id, Name: fmt.Sprint(id)})
		box := randomBox(r)
		annotations.Objects = append(annotations.Objects, GroundTruth{ImageID: 1 + id%2, CategoryID: id, Box: box, Area: box[2] * box[3]})
		detections = append(detections, Detection{ImageID: 1 + id%2, CategoryID: id, Box: box, Score: r.Float64()})
	}
	var coco *COCO
	var err error
	if taken := allocated(func() { coco, err = EvaluateCOCO(annotations, detections) }); taken > 200 {
		t.Errorf("%.0f MiB, want at most 200: 3 KB a class and some", taken)
	}
	if err != nil {
		t.Fatal(err)
	}
	if stats := coco.Stats(); math.Abs(stats.AP-1) > 1e-12 || coco.PerClass()[7].Objects != 1 {
		t.Errorf("every object was found: %+v", stats)
	}
}

// The overlaps of 100 detections and 200 000 objects in one picture would take 150 MiB.
func TestMemoryOfManyObjects(t *testing.T) {
	const objects = 200_000
	r := rand.New(rand.NewPCG(1, 2))
	annotations, detections := &Annotations{ImageIDs: []data.ID{1}, Categories: []Category{{ID: 1, Name: "a"}}}, []Detection{}
	for i := range objects {
		annotations.Objects = append(annotations.Objects, GroundTruth{ImageID: 1, CategoryID: 1, Box: randomBox(r), Area: 900})
		detections = append(detections, Detection{ImageID: 1, CategoryID: 1, Box: [4]float64{10, 10, 30, 30}, Score: float64(i)})
	}
	var err error
	if taken := allocated(func() { _, err = EvaluateCOCO(annotations, detections) }); err != nil || taken > 100 {
		t.Errorf("%.0f MiB, want at most 100; %v", taken, err)
	}
}
