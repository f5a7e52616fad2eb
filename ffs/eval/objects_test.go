package eval

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/data"
	"ffslab/ffs/internal/testkit"
)

// mixedSet has, on image 9, two dogs (known) at 0 and 100, two zebras at 200 and 300, and a crowd
// of zebras at 400; on image 8, which holds nothing more, a cat.
func mixedSet() Results {
	return Results{
		Annotations: &Annotations{
			ImageIDs: []data.ID{8, 9}, Categories: []Category{{5, "zebra"}, {6, "dog"}, {7, "cat"}}, Known: map[data.ID]bool{6: true, 7: true},
			Objects: []GroundTruth{
				object(9, 6, 0), object(9, 6, 100), object(9, 5, 200), object(9, 5, 300),
				{ImageID: 9, CategoryID: 5, Box: [4]float64{400, 0, 50, 10}, Area: 500, Crowd: true}, object(8, 7, 0),
			},
		},
		Detections: []Detection{
			detection(9, 1, 1, 0.7, 1, 0.7, 0.2, 0.1),      // a dog, called a cat, and a second time, better:
			detection(9, 2, 0, 0.8, 9, 0.1, 0.8, 0.1),      //
			detection(9, 2, 201, 0.6, 7, 0.2, 0.6, 0.2),    // a zebra
			detection(9, 2, 304, 0.9, 10, 0.05, 0.9, 0.05), // IoU 6/14: on nothing
			detection(9, 2, 420, 0.9, 10, 0.05, 0.9, 0.05), // in the crowd
			detection(8, 1, 0, 0.9, 3, 0.9, 0.05, 0.05),    // the cat
		},
	}
}

func TestByObjectByHand(t *testing.T) {
	known, unknown, counts := ByObject(mixedSet())
	if diff := cmp.Diff(Objects{Known: 3, Unknown: 2, MissedKnown: 1, MissedUnknown: 1, FalseAlarms: 1, Repeated: 1}, counts); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	energies := func(r Results) (all []float64) {
		for _, d := range r.Detections {
			all = append(all, d.Scores["energy"])
		}
		slices.Sort(all)
		return all
	}
	if diff := cmp.Diff([][]float64{{3, 9}, {7}}, [][]float64{energies(known), energies(unknown)}); diff != "" {
		t.Errorf("energies of known and unknown objects (-want +got):\n%s", diff)
	}
}

func TestMixedSetsAreMeasuredByObject(t *testing.T) {
	inlier, pure := protocolSets()
	mixed := mixedSet()
	for i := range mixed.Detections {
		mixed.Detections[i].Score = max(mixed.Detections[i].Score, 0.6) // all count
	}
	bootstrap := Bootstrap{Resamples: 50}
	report, err := Evaluate(inlier, map[string]Results{"zoo": pure, "both": mixed}, Settings{Bootstrap: bootstrap})
	if err != nil {
		t.Fatal(err)
	}
	both, zoo := report.Outliers["both"], report.Outliers["zoo"]
	if both.Protocol != ByObjects || zoo.Protocol != ByImages || zoo.Objects != nil {
		t.Errorf("protocols %q and %q", both.Protocol, zoo.Protocol)
	}
	// The known objects have energies 9 and 3, the unknown one 7.
	testkit.Close(t, "AUROC", both.Scores["energy"].AUROC, 0.5, 0)
	if both.Inliers != 2 || both.Outliers != 1 || both.Objects.FalseAlarms != 1 {
		t.Errorf("outcome %+v, %+v", both, both.Objects)
	}
	// A threshold of 10 of the inlier set calls the zebra unknown: one of two is found, and the dog
	// and the cat are wrongly called so.
	if both.OpenSet == nil || both.OpenSet.RecallUnknown != 0.5 || both.OpenSet.AOSE != 0 {
		t.Errorf("open set %+v, want half of the zebras and none of them called by a class", both.OpenSet)
	}
	paired, ok := both.AgainstEnergy["msp"]
	if !ok {
		t.Fatal("no difference from the energy")
	}
	// Its sides lie on the same images, so that they are drawn together.
	sides := func(name string) Sides {
		kept, err := ByProposal.Keep(mixed.Detections, *report.ScoreThreshold)
		if err != nil {
			t.Fatal(err)
		}
		s, ok := Compared(Results{}, Results{Annotations: mixed.Annotations, Detections: kept}, name)
		if !ok || !s.Joint {
			t.Fatalf("%s: not compared object by object", name)
		}
		return s
	}
	alone, err := PairedBootstrap(sides("msp"), sides("energy"), bootstrap)
	if err != nil || alone.AUROC != paired {
		t.Errorf("msp minus energy %+v, want %+v (error %v)", paired, alone, err)
	}
	for _, row := range report.Confusion["both"].Objects {
		if row.Name != "zebra" {
			t.Errorf("confusion has a row of the known class %q", row.Name)
		}
	}
	var text strings.Builder
	if err := report.WriteMarkdown(&text); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| both (by object) |", "the original's protocol", "By object: ", "| both (by object) |             3 |     2 |               2 |     1 |            1 |        1 |"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the report lacks %q:\n%s", want, text.String())
		}
	}
}

// Both sides of a mixed set lie on the same images: a resample that lacks an image lacks it on
// both.
func TestJointBootstrap(t *testing.T) {
	// On each image the known object scores above the unknown one by 1, images differ by 10: within
	// an image, order is never lost.
	sides := Sides{Inlier: ImageScores{}, Outlier: ImageScores{}, Joint: true}
	for i := range data.ID(12) {
		sides.Inlier[i], sides.Outlier[i] = []float64{10*float64(i) + 1}, []float64{10 * float64(i)}
	}
	b := Bootstrap{Resamples: 200, Seed: 5}
	got, err := BootstrapSeparation(sides, b)
	if err != nil {
		t.Fatal(err)
	}
	var aurocs []float64
	for _, drawn := range resamples(b, 12) {
		var in, out []float64
		for _, image := range drawn[0] {
			in, out = append(in, sides.Inlier[data.ID(image)]...), append(out, sides.Outlier[data.ID(image)]...)
		}
		s, err := Separate(in, out)
		if err != nil {
			t.Fatal(err)
		}
		aurocs = append(aurocs, s.AUROC)
	}
	testkit.Close(t, "interval", got.AUROC[:], percentiles(t, aurocs), 1e-12)
	sides.Outlier[99] = nil
	if _, err := BootstrapSeparation(sides, b); err == nil || !strings.Contains(err.Error(), "12 and 13 images") {
		t.Errorf("sides of other images: error %v", err)
	}
}
