package score

import (
	"slices"
	"testing"

	"gonum.org/v1/gonum/mat"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/npz"
)

// reference reads the seeded features of a case of testdata/scores.py.
func reference(t testing.TB, arrays npz.Arrays, name string) (inliers, rows Features, layer Layer) {
	t.Helper()
	matrix := func(part string) *mat.Dense {
		a := arrays[name+"/"+part]
		return mat.NewDense(a.Shape[0], a.Shape[1], a.Float64s())
	}
	layer = Layer{W: matrix("w"), B: arrays[name+"/b"].Float64s()}
	classes := len(layer.B) - 1
	inliers = Features{From: name, X: matrix("x"), Classes: classes, Labels: arrays[name+"/labels"].Ints()}
	return inliers, Features{From: name, X: matrix("test"), Classes: classes}, layer
}

var referenceCases = []string{"plain", "duplicates", "constant", "single", "wide", "linear"}

// Every score that pytorch-ood 0.4.0 has, on well-behaved features, duplicate rows, constant
// columns, a class of one member, more features than rows, and columns that depend on each other.
func TestParity(t *testing.T) {
	arrays := testkit.Golden(t, "testdata/scores.npz")
	for _, c := range referenceCases {
		inliers, rows, layer := reference(t, arrays, c)
		for name, s := range map[string]Scorer{
			"energy": &Energy{}, "energy_t2": &Energy{T: 2}, "msp": &MSP{}, "max_logit": &MaxLogit{}, "entropy": &Entropy{}, "gen": &GEN{}, "gen_top2": &GEN{Top: 2},
			"kl_matching": &KLMatching{}, "scaled_msp": &ScaledMSP{}, "mahalanobis": &Mahalanobis{}, "relative_mahalanobis": &RelativeMahalanobis{},
			"knn": &KNN{}, "knn_3": &KNN{K: 3}, "she": &SHE{}, "nnguide": &NNGuide{}, "feature_norm": &FeatureNorm{}, "cosine": &Cosine{}, "vmf": &VMF{},
			"vim": &ViM{}, "residual": &Residual{}, "react": &ReAct{}, "dice": &DICE{}, "ash_s": &ASHS{}, "ash_p": &ASHP{}, "scale": &SCALE{}, "fdbd": &FDBD{}, "gradnorm": &GradNorm{},
		} {
			t.Run(c+"/"+name, func(t *testing.T) {
				inliers := inliers
				if name == "scaled_msp" {
					inliers.Labels = arrays[c+"/confused"].Ints()
				}
				if err := s.Fit(inliers, layer); err != nil {
					t.Fatal(err)
				}
				got, err := s.Score(rows)
				if err != nil {
					t.Fatal(err)
				}
				want := arrays[c+"/want/"+name].Float64s()
				testkit.Close(t, name, got, want, 1e-6)
				if slices.Max(want) == slices.Min(want) && name != "msp" {
					t.Error("the reference is constant: it shows nothing")
				}
			})
		}
	}
}
