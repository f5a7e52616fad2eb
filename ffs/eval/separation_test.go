package eval

import (
	"errors"
	"math"
	"math/rand/v2"
	"testing"

	"ffslab/ffs/internal/testkit"
)

// formula is the reference's closed form for a large set: the sum over terms
// of ((i*multiplier + addend) mod modulus) / modulus.
type formula [][3]int64

func (f formula) scores(n int, shift float64) []float64 {
	scores := make([]float64, n)
	for i := range scores {
		for _, term := range f {
			scores[i] += float64((int64(i)*term[0]+term[1])%term[2]) / float64(term[2])
		}
		scores[i] += shift
	}
	return scores
}

// The reference numbers are those of the original's get_measures.
func TestGoldenSeparation(t *testing.T) {
	var golden struct {
		Sets []struct {
			Name     string
			NPos     int `json:"n_pos"`
			NNeg     int `json:"n_neg"`
			Pos, Neg []float64
			Formula  *struct{ Pos, Neg formula }
			Expected struct {
				AUROC, AUPR, FPR95 float64
				Threshold          float64 `json:"threshold_at_fpr95"`
			}
		}
	}
	readGolden(t, "testdata/metrics.json", &golden)
	if len(golden.Sets) != 8 {
		t.Fatalf("%d sets, want 8", len(golden.Sets))
	}
	for _, set := range golden.Sets {
		t.Run(set.Name, func(t *testing.T) {
			if set.Formula != nil {
				set.Pos = set.Formula.Pos.scores(set.NPos, 0.55)
				set.Neg = set.Formula.Neg.scores(set.NNeg, 0)
			}
			s, err := Separate(set.Pos, set.Neg)
			if err != nil {
				t.Fatal(err)
			}
			want := set.Expected
			testkit.Close(t, "AUROC, AUPR, FPR95, threshold", []float64{s.AUROC, s.AUPR, s.FPR95, s.ThresholdFPR95},
				[]float64{want.AUROC, want.AUPR, want.FPR95, want.Threshold}, 1e-9)
		})
	}
}

// Every measure against its definition, on scores with many ties.
func TestSeparationByDefinition(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		inlier, outlier := make([]float64, 1+random.IntN(60)), make([]float64, 1+random.IntN(60))
		levels := 1 + random.IntN(40)
		for i := range inlier {
			inlier[i] = float64(random.IntN(levels)) + 3
		}
		for i := range outlier {
			outlier[i] = float64(random.IntN(levels))
		}
		s, err := Separate(inlier, outlier)
		if err != nil {
			t.Fatal(err)
		}

		wins := 0.0
		for _, in := range inlier {
			for _, out := range outlier {
				switch {
				case in > out:
					wins++
				case in == out:
					wins += 0.5
				}
			}
		}
		if want := wins / float64(len(inlier)*len(outlier)); math.Abs(s.AUROC-want) > 1e-12 {
			t.Fatalf("AUROC %g, want %g for %v and %v", s.AUROC, want, inlier, outlier)
		}

		// The average precision with outliers positive is the one of the
		// negated scores with the sides exchanged.
		mirrored, err := Separate(negated(outlier), negated(inlier))
		if err != nil {
			t.Fatal(err)
		}
		if math.Abs(s.AUPROut-mirrored.AUPR) > 1e-12 || math.Abs(s.AUROC-mirrored.AUROC) > 1e-12 {
			t.Fatalf("AUPR out %g, want %g for %v and %v", s.AUPROut, mirrored.AUPR, inlier, outlier)
		}

		// The strict threshold: the largest score that 95 % reach.
		threshold := math.Inf(-1)
		for _, candidate := range append(inlier, outlier...) {
			if 20*reach(inlier, candidate) >= 19*len(inlier) {
				threshold = max(threshold, candidate)
			}
		}
		if want := float64(reach(outlier, threshold)) / float64(len(outlier)); s.ThresholdTPR95 != threshold || s.FPR95Strict != want {
			t.Fatalf("strict FPR95 %g at %g, want %g at %g for %v and %v", s.FPR95Strict, s.ThresholdTPR95, want, threshold, inlier, outlier)
		}
		least := 0.5
		for _, candidate := range append(inlier, outlier...) {
			fnr := 1 - float64(reach(inlier, candidate))/float64(len(inlier))
			least = min(least, (fnr+float64(reach(outlier, candidate))/float64(len(outlier)))/2)
		}
		if math.Abs(s.DetectionError-least) > 1e-12 {
			t.Fatalf("detection error %g, want %g for %v and %v", s.DetectionError, least, inlier, outlier)
		}
		alone, err := ThresholdTPR95(inlier)
		if err != nil {
			t.Fatal(err)
		}
		if reach(inlier, alone) != reach(inlier, threshold) {
			t.Fatalf("threshold without outliers %g, with them %g for %v", alone, threshold, inlier)
		}
	}
}

func reach(scores []float64, threshold float64) (n int) {
	for _, s := range scores {
		if s >= threshold {
			n++
		}
	}
	return n
}

func negated(scores []float64) []float64 {
	out := make([]float64, len(scores))
	for i, s := range scores {
		out[i] = -s
	}
	return out
}

// 12 inliers: recall can be 11/12 = 0.917 or 1; the nearest to 0.95 is below it.
func TestConventionsOfFPR95Differ(t *testing.T) {
	inlier := []float64{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}
	s, err := Separate(inlier, []float64{0, 1, 1.5, 5})
	if err != nil {
		t.Fatal(err)
	}
	// Recall 11/12 holds at 2 and at 1.5: the lower threshold counts.
	got := []float64{s.FPR95, s.ThresholdFPR95, s.FPR95Strict, s.ThresholdTPR95}
	testkit.Close(t, "nearest, strict", got, []float64{0.5, 1.5, 0.75, 1}, 0)
}

// At 2.9 one of four inliers is lost and no outlier passes, at 2.5 none and one of three.
func TestDetectionErrorByHand(t *testing.T) {
	for _, c := range []struct {
		inlier, outlier []float64
		want            float64
	}{
		{[]float64{3.1, 2.5, 4.0, 2.9}, []float64{1.2, 2.7, 0.3}, 1. / 8},
		{[]float64{3.1, 2.5, 4.0}, []float64{1.2, 2.7, 2.6, 0.3, 2}, 1. / 6},
		{[]float64{0}, []float64{1}, 0.5}, // nothing passes
		{[]float64{1}, []float64{1}, 0.5},
		{[]float64{1}, []float64{0}, 0},
	} {
		s, err := Separate(c.inlier, c.outlier)
		if err != nil {
			t.Fatal(err)
		}
		testkit.Close(t, "detection error", s.DetectionError, c.want, 1e-15)
	}
}

func TestSeparateRefuses(t *testing.T) {
	for _, sides := range [][2][]float64{{nil, {1}}, {{1}, nil}, {nil, nil}} {
		if _, err := Separate(sides[0], sides[1]); !errors.Is(err, ErrEmpty) {
			t.Errorf("%v: error %v, want ErrEmpty", sides, err)
		}
	}
	for _, bad := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if _, err := Separate([]float64{1, bad}, []float64{0}); err == nil {
			t.Errorf("score %g is accepted", bad)
		}
	}
}
