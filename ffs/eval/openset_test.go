package eval

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/data"
)

// Five inlier and three unknown objects; every number is worked out by hand.
func TestOpenSetByHand(t *testing.T) {
	const known, unknown = 9, 1 // energies on either side of the threshold
	const threshold = 5
	inlier := Results{
		Annotations: &Annotations{
			ImageIDs:   []data.ID{1},
			Categories: []Category{{1, "cat"}, {2, "never annotated"}},
			Objects:    []GroundTruth{object(1, 1, 0), object(1, 1, 100), object(1, 1, 200), object(1, 1, 300), object(1, 1, 400)},
		},
		Detections: []Detection{
			detection(1, 1, 400, 0.4, known), // recall 1
			detection(1, 1, 300, 0.5, known), // recall 0.8: 4 found, 1 false so far
			detection(1, 1, 200, 0.6, known),
			detection(1, 1, 100, 0.7, known),
			detection(1, 1, 50, 0.8, known), // on nothing
			detection(1, 1, 0, 0.9, known),
			detection(1, 1, 60, 0.95, unknown), // called unknown: not in the curve
			detection(1, 2, 70, 0.9, known),
		},
	}
	crowd := object(9, 5, 600)
	crowd.Box[2], crowd.Crowd = 100, true
	half := detection(9, 1, 0, 0.9, known)
	half.Box[3] = 20 // IoU of exactly 0.5 is no overlap
	outlier := Results{
		Annotations: &Annotations{
			ImageIDs:   []data.ID{9},
			Categories: []Category{{5, "zebra"}},
			Objects:    []GroundTruth{object(9, 5, 0), crowd, object(9, 5, 100), object(9, 5, 200)},
		},
		Detections: []Detection{
			detection(9, 1, 0, 0.3, 4),    // finds the first zebra again: false
			detection(9, 1, 100, 0.9, 3),  // finds the second
			detection(9, 1, 400, 0.9, 2),  // on nothing: false
			detection(9, 2, 0, 0.5, 1),    // finds the first
			detection(9, 1, 620, 0.99, 0), // in the crowd: counts for nothing
			detection(9, 1, 200, 0.6, known),
			detection(9, 1, 201, 0.45, known), // under the score of recall 0.8: an open-set error, not in WI
			detection(9, 2, 202, 0.9, known),  // a class without inlier objects: the same
			detection(9, 1, 400, 0.9, known),  // on nothing
			half,
		},
	}
	got, err := MeasureOpenSet(inlier, outlier, threshold)
	if err != nil {
		t.Fatal(err)
	}
	want := &OpenSet{
		APUnknown:     1./3 + 2./3/3, // precision 1 at recall 1/3, 2/3 at recall 2/3
		RecallUnknown: 2. / 3,
		AOSE:          3,
		NOSE:          1,
		WI:            new(1. / 5),
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("open set (-want +got):\n%s", diff)
	}

	t.Run("all called unknown", func(t *testing.T) {
		got, err := MeasureOpenSet(inlier, outlier, 100)
		if err != nil {
			t.Fatal(err)
		}
		if got.AOSE != 0 || got.RecallUnknown != 1 || got.WI != nil {
			t.Errorf("open set %+v, want no errors, every object found and no WI", got)
		}
	})
	t.Run("no unknown objects", func(t *testing.T) {
		empty := outlier
		empty.Annotations = &Annotations{ImageIDs: []data.ID{9}, Categories: outlier.Annotations.Categories, Objects: []GroundTruth{crowd}}
		if _, err := MeasureOpenSet(inlier, empty, threshold); !errors.Is(err, ErrNoUnknown) {
			t.Errorf("error %v, want ErrNoUnknown", err)
		}
	})
}
