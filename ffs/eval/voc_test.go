package eval

import (
	"strings"
	"testing"

	"ffslab/data"
	"ffslab/ffs/internal/testkit"
)

// vocClass lays out one class whose detections, by descending score, are right (T) or wrong (F),
// with so many objects in all.
func vocClass(outcomes string, objects int) (*Annotations, []Detection) {
	a := &Annotations{ImageIDs: []data.ID{1}, Categories: []Category{{1, "thing"}}}
	for i := range objects {
		a.Objects = append(a.Objects, object(1, 1, 20*float64(i)))
	}
	var detections []Detection
	next := 0
	for i, o := range outcomes {
		x := -1000 - 20*float64(i) // on nothing
		if o == 'T' {
			x = 20 * float64(next)
			next++
		}
		detections = append(detections, Detection{ImageID: 1, CategoryID: 1, Box: [4]float64{x, 0, 10, 10}, Score: 1 - float64(i)/100})
	}
	return a, detections
}

func TestVOCAgainstPublishedFigures(t *testing.T) {
	for _, test := range []struct {
		name     string
		outcomes string
		objects  int
		ap, ap11 float64
		within   float64
	}{
		// Padilla, Netto, da Silva, "A Survey on Performance Metrics for Object-Detection
		// Algorithms" (IWSSIP 2020) and its program's documentation: 24 detections of 15 objects;
		// printed with two decimals of a percent, the first of the two numbers cut off.
		{"Padilla's example", "TFTFFFFFFTFTTTFFFFFFFFTF", 15, 0.2456, 0.2684, 1e-4},
		{"all found", "TTT", 3, 1, 1, 1e-15},
		{"none found", "FF", 3, 0, 0, 0},
		{"half of ten", "TTTTT", 10, 0.5, 6. / 11, 1e-15}, // recalls 0 to 0.5
		{"three of ten reach 0.3", "TTFT", 10, 0.2 + 0.1*3/4, (3 + 3./4) / 11, 1e-15},
	} {
		a, d := vocClass(test.outcomes, test.objects)
		v, err := EvaluateVOC(a, d)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		testkit.Close(t, test.name+", all points", v.AP, test.ap, test.within)
		testkit.Close(t, test.name+", 11 points", v.AP11, test.ap11, test.within)
	}
}

func TestVOCByHand(t *testing.T) {
	a, d := vocClass("TFT", 3)
	// The second lies on the first object, which is found already: wrong. A better overlap of a
	// difficult object counts for nothing.
	d[1].Box = d[0].Box
	a.Objects = append(a.Objects, object(1, 1, 500))
	a.Objects[3].Crowd = true
	d = append(d, Detection{ImageID: 1, CategoryID: 1, Box: [4]float64{501, 0, 10, 10}, Score: 0.999})
	a.Categories = append(a.Categories, Category{2, "never there"}, Category{3, "half"})
	a.Objects = append(a.Objects, object(1, 3, 0))
	d = append(d, Detection{ImageID: 1, CategoryID: 3, Box: [4]float64{5, 0, 10, 10}, Score: 0.9}, // IoU 1/3
		Detection{ImageID: 1, CategoryID: 3, Box: [4]float64{0, 0, 10, 5}, Score: 0.8}) // 1/2 is enough
	v, err := EvaluateVOC(a, d)
	if err != nil {
		t.Fatal(err)
	}
	thing, half := 1./3+1./3*2/3, 0.5
	testkit.Close(t, "classes", []float64{v.PerClass[1].AP, v.PerClass[2].AP, v.PerClass[3].AP}, []float64{thing, -1, half}, 1e-15)
	testkit.Close(t, "mean", v.AP, (thing+half)/2, 1e-15)
	if _, err := EvaluateVOC(a, []Detection{{ImageID: 7}}); err == nil || !strings.Contains(err.Error(), "detection 0: unknown image id 7") {
		t.Errorf("error %v", err)
	}
}
