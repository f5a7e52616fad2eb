package energy

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/nn"
	"ffslab/ffs/npz"
)

var parameters = []string{"weight_energy.weight", "logistic_regression.weight", "logistic_regression.bias"}

func loadParams(t *testing.T, golden npz.Arrays) *model.Store {
	t.Helper()
	store := model.NewStore()
	for _, name := range parameters {
		if _, err := store.CreateVariable("/"+strings.ReplaceAll(name, ".", "/"), golden[name].Tensor()); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

// lossOf is the loss of a whole step.
func lossOf(scope *model.Scope, foreground, mask, outliers, active *graph.Node) *graph.Node {
	inlierSum, inliers := CrossEntropy(scope, foreground, mask, true)
	outlierSum, _ := CrossEntropy(scope, outliers, nil, false)
	return Loss(graph.Add(inlierSum, outlierSum), inliers, outliers.Shape().Dim(0), active)
}

func TestGoldenLoss(t *testing.T) {
	golden := testkit.Golden(t, "testdata/energy.npz")
	for _, c := range []string{"a.", "b."} {
		t.Run(c, func(t *testing.T) {
			outputs := testkit.RunModel(t, loadParams(t, golden), func(scope *model.Scope, inputs []*graph.Node) []*graph.Node {
				g := inputs[0].Graph()
				foreground, outliers := Weighted(scope, Inlier(inputs[0])), Weighted(scope, Inlier(inputs[1]))
				loss := lossOf(scope, foreground, nil, outliers, nil)
				wanted := []*graph.Node{inputs[0], inputs[1]}
				for _, name := range parameters {
					wanted = append(wanted, scope.Store().GetVariable("/"+strings.ReplaceAll(name, ".", "/")).NodeValue(g))
				}
				energies := graph.Concatenate([]*graph.Node{foreground, outliers}, 0)
				values := []*graph.Node{foreground, outliers, logistic(scope, energies), loss, Score(Inlier(inputs[0]), 1)}
				return append(values, graph.Gradient(loss, wanted...)...)
			}, golden[c+"logits_fg"].Tensor(), golden[c+"logits_ood"].Tensor())
			names := []string{"energy_fg", "energy_ood", "lr_logits", "ce", "inference_energy_fg", "grad_ce.logits_fg", "grad_ce.logits_ood"}
			for _, name := range parameters {
				names = append(names, "grad_ce."+name)
			}
			for i, name := range names {
				testkit.Close(t, c+name, outputs[i], golden[c+name], 1e-5)
			}
		})
	}
}

func TestGoldenExtremeLogits(t *testing.T) {
	golden := testkit.Golden(t, "testdata/energy.npz")
	outputs := testkit.RunModel(t, loadParams(t, golden), func(scope *model.Scope, inputs []*graph.Node) []*graph.Node {
		return []*graph.Node{Weighted(scope, Inlier(inputs[0]))}
	}, golden["extreme.logits"].Tensor())
	testkit.Close(t, "extreme", outputs[0], golden["extreme.energy"], 1e-5)
}

// With no positive weight the original's energy is -inf and its gradient NaN. We deviate: the
// energy stays finite, Floor under the largest logit, and the gradient is 0.
func TestDeadWeights(t *testing.T) {
	golden := testkit.Golden(t, "testdata/energy.npz")
	for i, energy := range golden["dead.energy"].Float64s() {
		if !math.IsInf(energy, -1) {
			t.Errorf("the original's energy %d is %g: the deviation has lost its reason", i, energy)
		}
	}
	store := model.NewStore()
	if _, err := store.CreateVariable("/weight_energy/weight", golden["dead.weight"].Tensor()); err != nil {
		t.Fatal(err)
	}
	logits := [][]float32{{1, 2, 3, -4, 0}, {-100, 50, 0, 0, 0}}
	outputs := testkit.RunModel(t, store, func(scope *model.Scope, inputs []*graph.Node) []*graph.Node {
		energy := Weighted(scope, inputs[0])
		loss := lossOf(scope, energy, nil, energy, nil)
		weight := store.GetVariable("/weight_energy/weight").NodeValue(energy.Graph())
		return append(graph.Gradient(loss, inputs[0], weight), energy, AllDead(scope, 5, energy.Graph()))
	}, logits)
	if dead := tensors.ToScalar[bool](outputs[3]); !dead {
		t.Error("AllDead is false for weights of which none is positive")
	}
	testkit.Close(t, "gradient of the logits", outputs[0], make([]float32, 10), 0)
	testkit.Close(t, "gradient of the weights", outputs[1], make([]float32, 5), 0)
	testkit.Close(t, "energy", outputs[2], []float64{3 - 126*math.Ln2, 50 - 126*math.Ln2}, 1e-6)
}

func TestLossMasks(t *testing.T) {
	golden := testkit.Golden(t, "testdata/energy.npz")
	loss := func(foreground []float32, mask []bool, active any) float64 {
		inputs := []any{foreground, mask, []float32{-2, 0.5}}
		if active != nil {
			inputs = append(inputs, active)
		}
		outputs := testkit.RunModel(t, loadParams(t, golden), func(scope *model.Scope, inputs []*graph.Node) []*graph.Node {
			var active *graph.Node
			if len(inputs) == 4 {
				active = inputs[3]
			}
			return []*graph.Node{lossOf(scope, inputs[0], inputs[1], inputs[2], active)}
		}, inputs...)
		return float64(tensors.ToScalar[float32](outputs[0]))
	}
	want := loss([]float32{3, 1}, []bool{true, true}, nil)
	if want <= 0 {
		t.Fatalf("plain loss: %g", want)
	}
	for _, c := range []struct {
		name   string
		mask   []bool
		active any
		want   float64
	}{
		{"masked row", []bool{true, false, true}, nil, want},
		{"active", []bool{true, false, true}, true, want},
		{"no foreground", []bool{false, false, false}, nil, 0},
		{"no outliers yet", []bool{true, false, true}, false, 0},
	} {
		testkit.Close(t, c.name, loss([]float32{3, 1e30, 1}, c.mask, c.active), c.want, 1e-6)
	}
}

func TestScores(t *testing.T) {
	golden := testkit.Golden(t, "testdata/energy.npz")
	logits := [][]float32{{0, float32(math.Log(2)), float32(math.Log(5))}, {1000, 0, 0}}
	outputs := testkit.RunModel(t, loadParams(t, golden), func(scope *model.Scope, inputs []*graph.Node) []*graph.Node {
		energies := Weighted(scope, graph.Concatenate([]*graph.Node{inputs[0], graph.ZerosLike(graph.Slice(inputs[0], graph.AxisRange(), graph.AxisRange(0, 2)))}, -1))
		probability := Probability(scope, energies)
		return []*graph.Node{Score(inputs[0], 1), Score(inputs[0], 2), probability, graph.Sigmoid(difference(logistic(scope, energies)))}
	}, logits)
	testkit.Close(t, "energy", outputs[0], []float64{math.Log(8), 1000}, 1e-6)
	testkit.Close(t, "energy at temperature 2", outputs[1], []float64{2 * math.Log(1+math.Sqrt2+math.Sqrt(5)), 1000}, 1e-6)
	testkit.Close(t, "logistic probability", outputs[2], outputs[3], 1e-6)
}

// difference is the second column of [n, 2] minus the first.
func difference(logits *graph.Node) *graph.Node {
	column := func(i int) *graph.Node {
		return graph.Squeeze(graph.Slice(logits, graph.AxisRange(), graph.AxisElem(i)), -1)
	}
	return graph.Sub(column(1), column(0))
}

// A new detector starts with energy weights in (0, 1), under the original's names.
func TestParametersStart(t *testing.T) {
	store := model.NewStore()
	testkit.RunModel(t, store, func(scope *model.Scope, inputs []*graph.Node) []*graph.Node {
		energies := Weighted(scope, inputs[0])
		return []*graph.Node{Probability(scope, energies)}
	}, [][]float32{{1, 2, 3, 4}})
	weights := tensors.MustCopyFlatData[float32](store.GetVariable("/weight_energy/weight").MustValue())
	for i, w := range weights {
		if w <= 0 || w >= 1 || i > 0 && w == weights[i-1] {
			t.Errorf("weights start as %v, want distinct values in (0, 1)", weights)
			break
		}
	}
	for _, name := range parameters {
		if v := store.GetVariable("/" + strings.ReplaceAll(name, ".", "/")); v == nil || !v.Trainable {
			t.Errorf("%s is not a trainable parameter", name)
		}
	}
}

// The ordered start has the same two slopes as the ordinary one of the same seed, the larger one
// for inliers; chance has it the other way round for some seeds.
func TestStartOrdered(t *testing.T) {
	slopes := func(seed int64, ordered bool) []float32 {
		store := model.NewStore()
		nn.SetSeed(store, seed)
		testkit.RunModel(t, store, func(scope *model.Scope, inputs []*graph.Node) []*graph.Node {
			if ordered {
				StartOrdered(scope, inputs[0].Graph())
			}
			return []*graph.Node{Probability(scope, inputs[0])}
		}, []float32{1, 2})
		return tensors.MustCopyFlatData[float32](store.GetVariable("/logistic_regression/weight").MustValue())
	}
	turned := 0
	for seed := range int64(6) {
		plain, ordered := slopes(seed, false), slopes(seed, true)
		if plain[0] > plain[1] {
			turned++
		}
		slices.Sort(plain)
		if !slices.Equal(plain, ordered) {
			t.Errorf("seed %d: ordered start %v, want %v", seed, ordered, plain)
		}
	}
	if turned == 0 {
		t.Error("no seed starts the wrong way round: the test shows nothing")
	}
}
