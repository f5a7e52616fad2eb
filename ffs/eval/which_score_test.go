package eval

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"ffslab/data"
)

// ranked are results of 60 images with a detection each, whose scores tell the two sides apart ever
// better: energy, worse, better; "odd" only some have.
func ranked(side float64) Results {
	r := Results{Annotations: &Annotations{Categories: []Category{{1, "a"}}}}
	for i := range 60 {
		id := data.ID(i + 1)
		r.Annotations.ImageIDs = append(r.Annotations.ImageIDs, id)
		r.Annotations.Objects = append(r.Annotations.Objects, GroundTruth{ImageID: id, CategoryID: 1, Box: [4]float64{0, 0, 10, 10}, Area: 100})
		noise := math.Mod(float64(i)*0.618, 1)
		d := Detection{ImageID: id, CategoryID: 1, Box: [4]float64{0, 0, 10, 10}, Score: 0.9, Logits: []float64{3, 0}, Scores: map[string]float64{
			"energy": noise + 0.3*side, "worse": noise - 0.3*side, "better": noise + 0.8*side,
		}}
		if i%2 == 0 {
			d.Scores["odd"] = noise
		}
		r.Detections = append(r.Detections, d)
	}
	return r
}

func TestWhichScore(t *testing.T) {
	outliers := map[string]Results{"far": ranked(0), "near": ranked(0.5)}
	report, err := Evaluate(ranked(1), outliers, Settings{Bootstrap: Bootstrap{Resamples: 50}})
	if err != nil {
		t.Fatal(err)
	}
	report.Synthetic = map[string]float64{"energy": 0.7, "better": 0.9, "worse": 0.6, "msp": 0.5}
	report.NotMeasured = map[string]string{"knn": "no box features in x", "vim": "no box features in x"}
	if report.Recommended != "better" {
		t.Errorf("recommended: %q, want better", report.Recommended)
	}
	for set, o := range report.Outliers {
		better, worse := o.AgainstEnergy["better"], o.AgainstEnergy["worse"]
		if better.Difference <= 0 || better.CI95[0] <= 0 || worse.Difference >= 0 || worse.CI95[1] >= 0 {
			t.Errorf("%s: better by %v, worse by %v", set, better, worse)
		}
		if _, ok := o.AgainstEnergy["energy"]; ok {
			t.Errorf("%s: the energy is compared with itself", set)
		}
		// It is the difference that the paired bootstrap finds of the two scores alone.
		sides := func(name string) Sides {
			in, _ := CollectScores(ranked(1), name)
			out, _ := CollectScores(outliers[set], name)
			return Sides{Inlier: in, Outlier: out}
		}
		alone, err := PairedBootstrap(sides("better"), sides("energy"), Bootstrap{Resamples: 50})
		if err != nil || alone.AUROC != better {
			t.Errorf("%s: better by %v, alone by %v (error %v)", set, better, alone.AUROC, err)
		}
		if _, ok := o.Scores["odd"]; ok {
			t.Errorf("%s: a score that some detections lack is measured", set)
		}
	}
	ranking := report.Ranking()
	var order []string
	for _, s := range ranking.Scores {
		order = append(order, s.Name)
	}
	if got := fmt.Sprint(order); got != "[better energy msp worse]" {
		t.Errorf("ranking %s", got)
	}
	// msp, which is the same everywhere, has 0.5 on the set, between energy and worse, but the
	// lowest on synthetic outliers: ranks 3 2 1 0 and 3 2 0 1.
	if c, ok := ranking.RankCorrelation(0); !ok || math.Abs(c-0.8) > 1e-12 {
		t.Errorf("rank correlation %v, want 0.8", c)
	}
	var text strings.Builder
	if err := report.WriteMarkdown(&text); err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"## Which score", "Recommended: better.", "knn: not measured", "Not measured: knn, vim: no box features in x.", "far +0.80"} {
		if !strings.Contains(text.String(), part) {
			t.Errorf("the report lacks %q:\n%s", part, text.String())
		}
	}

	// A score that is better on one of two sets alone is not recommended.
	for i := range outliers["near"].Detections {
		outliers["near"].Detections[i].Scores["better"] = 5
	}
	if report, err = Evaluate(ranked(1), outliers, Settings{Bootstrap: Bootstrap{Resamples: 50}}); err != nil || report.Recommended != "energy" {
		t.Errorf("recommended: %q, want energy (error %v)", report.Recommended, err)
	}
}

// Results without logits are filtered by their own scores, and carry the scores that they carry.
func TestEvaluateWithoutLogits(t *testing.T) {
	bare := func(side float64) Results {
		r := ranked(side)
		for i := range r.Detections {
			r.Detections[i].Logits = nil
		}
		return r
	}
	report, err := Evaluate(bare(1), map[string]Results{"far": bare(0)}, Settings{})
	if err != nil {
		t.Fatal(err)
	}
	if s := report.Outliers["far"].Scores; len(s) != 3 || s["better"].AUROC <= s["energy"].AUROC {
		t.Errorf("scores %v, want energy, worse, better", s)
	}
	mixed := bare(0)
	mixed.Detections[0].Logits = []float64{1, 0}
	if _, err := Evaluate(bare(1), map[string]Results{"far": mixed}, Settings{}); err == nil {
		t.Error("some detections without logits: no error")
	}
}
