package protocol

import (
	"math"
	"testing"

	"ffslab/data"
	_ "ffslab/data/digits"
	"ffslab/ffs/eval"
	"ffslab/ffs/internal/tiny"
)

// perfect finds each object of a set, whatever it is, with a score of its own and the energy of its
// kind.
func perfect(a *eval.Annotations, class data.ID, energy func(known bool) float64) []eval.Detection {
	var all []eval.Detection
	for i, o := range a.Objects {
		all = append(all, eval.Detection{
			ImageID: o.ImageID, CategoryID: class, Box: o.Box, Score: 0.9 - float64(i)*1e-6, Logits: []float64{9, 0},
			Scores: map[string]float64{"energy": energy(a.Known[o.CategoryID])},
		})
	}
	return all
}

// In scenes with known and unknown digits together, a detector that tells them apart without fault
// has an AUROC of 1; by images, where known digits count as unknown, it would not.
func TestScenesWithKnownAndUnknownDigits(t *testing.T) {
	open := func(spec string) *data.Dataset {
		set, err := data.Open(spec, data.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return set
	}
	inlier, mixed := open("digits:val?n=6"), open("digits:mixed?n=30")
	together := 0 // images that hold both
	for _, image := range mixed.Images {
		kinds := map[bool]bool{}
		for _, o := range image.Instances {
			kinds[mixed.Categories[o.Category].Name < "6"] = true
		}
		if len(kinds) == 2 {
			together++
		}
	}
	if together < 10 {
		t.Fatalf("%d of 30 scenes hold known and unknown digits", together)
	}
	known := eval.Results{Annotations: Annotations(inlier)}
	for _, o := range known.Annotations.Objects {
		known.Detections = append(known.Detections, eval.Detection{
			ImageID: o.ImageID, CategoryID: o.CategoryID, Box: o.Box, Score: 0.9, Logits: []float64{9, 0}, Scores: map[string]float64{"energy": 2},
		})
	}
	results := eval.Results{Annotations: unknownIn(mixed, inlier)}
	results.Detections = perfect(results.Annotations, inlier.Categories[0].ID, func(known bool) float64 {
		if known {
			return 3
		}
		return 1
	})
	report, err := eval.Evaluate(known, map[string]eval.Results{"mixed": results}, eval.Settings{})
	if err != nil {
		t.Fatal(err)
	}
	outcome := report.Outliers["mixed"]
	if outcome.Protocol != eval.ByObjects || outcome.Scores["energy"].AUROC != 1 || outcome.OpenSet.RecallUnknown != 1 || math.Abs(outcome.OpenSet.APUnknown-1) > 1e-12 {
		t.Errorf("outcome %+v, open set %+v; want all told apart", outcome, outcome.OpenSet)
	}
	if n := *outcome.Objects; n.Known == 0 || n.Unknown == 0 || n.Known+n.Unknown != len(results.Annotations.Objects) ||
		outcome.Inliers != n.Known-n.MissedKnown || n.MissedKnown+n.MissedUnknown != n.Repeated {
		t.Errorf("counts %+v of %d objects", n, len(results.Annotations.Objects))
	}
	results.Annotations.Known = nil
	if report, err = eval.Evaluate(known, map[string]eval.Results{"mixed": results}, eval.Settings{}); err != nil {
		t.Fatal(err)
	}
	if s := report.Outliers["mixed"].Scores["energy"]; s.AUROC > 0.9 {
		t.Errorf("AUROC %v with known digits taken for unknown ones", s.AUROC)
	}
}

// Squares of both kinds in one set are measured object by object, unless the original's protocol is
// asked for.
func TestMixedSetsAndTheOriginalsProtocol(t *testing.T) {
	o := options(t)
	o.Outliers = []*data.Dataset{tiny.Squares("squares:mixed", 4, "red", "green")}
	o.Outliers[0].Categories[0].ID = 40 // red has another id in the inlier set
	for byImage, want := range map[bool]eval.Protocol{false: eval.ByObjects, true: eval.ByImages} {
		o.ByImage, o.Out = byImage, t.TempDir()
		report, err := Run(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		outcome := report.Outliers["squares:mixed"]
		if outcome.Protocol != want || byImage == (outcome.Objects != nil) {
			t.Errorf("by image %t: protocol %q, objects %+v", byImage, outcome.Protocol, outcome.Objects)
		}
		if n := outcome.Objects; n != nil && (n.Known != 2 || n.Unknown != 2) {
			t.Errorf("objects %+v, want two known and two unknown ones", n)
		}
	}
}
