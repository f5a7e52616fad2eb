package eval

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/data"
)

func TestConfusionByHand(t *testing.T) {
	inlier := &Annotations{ImageIDs: []data.ID{1}, Categories: []Category{{2, "dog"}, {1, "cat"}}}
	crowd := object(9, 5, 600)
	crowd.Crowd = true
	half := detection(9, 1, 300, 0.6, 9) // IoU of exactly 0.5 is an overlap
	half.Box[3] = 20
	outlier := Results{
		Annotations: &Annotations{
			ImageIDs:   []data.ID{8, 9},
			Categories: []Category{{7, "never there"}, {6, "yak"}, {5, "zebra"}},
			Objects:    []GroundTruth{object(9, 5, 0), object(9, 5, 100), crowd, object(9, 6, 200), object(9, 6, 300), object(8, 5, 0), object(9, 5, 403)},
		},
		Detections: []Detection{
			detection(9, 1, 1, 0.7, 9),
			detection(9, 2, 0, 0.9, 1),   // takes the zebra first, and would be called unknown
			detection(9, 2, 200, 0.8, 9), // a yak taken for a dog
			half,
			detection(9, 1, 600, 0.9, 9), // in the crowd
			detection(9, 1, 104, 0.9, 9), // IoU 6/14
			detection(9, 2, 402, 0.5, 9), // a zebra taken for a dog
		},
	}
	threshold := 5.
	got, err := MeasureConfusion(inlier, outlier, &threshold)
	if err != nil {
		t.Fatal(err)
	}
	want := &Confusion{
		Classes: []Category{{1, "cat"}, {2, "dog"}},
		Objects: []ConfusionRow{
			{Category: Category{5, "zebra"}, Count: 4, TakenFor: []int{0, 2}, Missed: 2, CalledUnknown: new(1)},
			{Category: Category{6, "yak"}, Count: 2, TakenFor: []int{1, 1}, Missed: 0, CalledUnknown: new(0)},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("confusion (-want +got):\n%s", diff)
	}

	// Each takes the object that is still free, though it overlaps the other more.
	outlier.Annotations.Objects = []GroundTruth{object(9, 5, 0), object(9, 6, 2)}
	outlier.Detections = []Detection{detection(9, 1, 0, 0.9, 9), detection(9, 2, 0, 0.8, 9), detection(9, 2, 0, 0.7, 9)}
	if got, err = MeasureConfusion(inlier, outlier, nil); err != nil {
		t.Fatal(err)
	}
	want.Objects = []ConfusionRow{
		{Category: Category{5, "zebra"}, Count: 1, TakenFor: []int{1, 0}},
		{Category: Category{6, "yak"}, Count: 1, TakenFor: []int{0, 1}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("confusion of neighbours (-want +got):\n%s", diff)
	}

	for want, bad := range map[string]Detection{
		"detection 0: unknown image id 1":                         detection(1, 1, 0, 1, 1),
		"detection 0: category id 5 is not one of the inlier set": detection(9, 5, 0, 1, 1),
	} {
		outlier.Detections = []Detection{bad}
		if _, err := MeasureConfusion(inlier, outlier, nil); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
