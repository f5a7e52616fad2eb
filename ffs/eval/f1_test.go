package eval

import (
	"slices"
	"strings"
	"testing"

	"ffslab/ffs/internal/testkit"
	"ffslab/viz/escape"
)

// The original's thresholds of the classes of the golden set. Class 9, without ground truth, counts
// as -1 in the original's mean, and not in that of the classes with objects.
func TestThresholdOfTheClassesWithObjects(t *testing.T) {
	var want struct {
		PerClass map[string]struct {
			Threshold float64 `json:"f1_score_threshold"`
		} `json:"per_class"`
	}
	readGolden(t, "testdata/expected.json", &want)
	sum, count := 0.0, 0
	for _, c := range want.PerClass {
		if c.Threshold > 0 {
			sum += c.Threshold
			count++
		}
	}
	coco := goldenCOCO(t)
	if names := coco.WithoutObjects(); len(names) != 1 || count < 2 {
		t.Fatalf("classes without objects: %q, with a threshold: %d", names, count)
	}
	annotated, _ := coco.ScoreThreshold(Annotated)
	testkit.Close(t, "threshold", annotated, sum/float64(count), 1e-9)
	original, _ := coco.ScoreThreshold(Original)
	testkit.Close(t, "the original's threshold", original, (sum-1)/float64(count+1), 1e-9)
}

// Where every class has objects, the threshold is the original's to the last digit.
func TestThresholdIsTheOriginalsWithObjectsOfEveryClass(t *testing.T) {
	inlier, _ := protocolSets()
	coco, err := EvaluateCOCO(inlier.Annotations, inlier.Detections)
	if err != nil {
		t.Fatal(err)
	}
	original, _ := coco.ScoreThreshold(Original)
	if annotated, ok := coco.ScoreThreshold(Annotated); !ok || annotated != original || coco.WithoutObjects() != nil {
		t.Errorf("threshold %v, want %v; without objects: %q", annotated, original, coco.WithoutObjects())
	}
}

// The note on a set with objects of few of many classes stays readable.
func TestNoteOnManyClassesWithoutObjects(t *testing.T) {
	for n, want := range map[int]string{1: "a: they", 21: strings.Repeat("a, ", 20) + "a: they", 60: strings.Repeat("a, ", 20) + "40 others: they"} {
		notes := (&Report{WithoutObjects: slices.Repeat([]string{"a"}, n), EmptySkipped: true}).Notes(escape.Line)
		if len(notes) != 1 || !strings.HasPrefix(notes[0], "no objects of: "+want+" do not count") {
			t.Errorf("%d classes: %q", n, notes)
		}
	}
}
