package optim

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/npz"
)

func ptr(v float64) *float64 { return &v }

func TestGoldenSGD(t *testing.T) {
	golden := testkit.Golden(t, "testdata/sgd.npz")
	schedule := Schedule{BaseLR: 0.02, Steps: []int{7, 10}, Gamma: 0.1, WarmupIters: 4, WarmupFactor: 0.001, MaxIter: 12}
	for _, c := range []struct {
		run string
		sgd SGD
	}{
		{"default", SGD{Momentum: 0.9, WeightDecay: 5e-5}},
		{"strong_decay", SGD{Momentum: 0.9, WeightDecay: 0.1}},
		{"bias_override", SGD{Momentum: 0.9, WeightDecay: 0.1, BiasDecay: ptr(0.01), BiasLRFactor: 2}},
	} {
		t.Run(c.run, func(t *testing.T) {
			store, names := startParams(t, golden, c.run)
			exec, err := model.NewExec(testkit.Backend(t), store, func(scope *model.Scope, lr *graph.Node) *graph.Node {
				loss := quadratic(store, lr.Graph(), golden, c.run, names)
				update(c.sgd, scope, loss, lr)
				return loss
			})
			if err != nil {
				t.Fatal(err)
			}
			defer exec.Finalize()
			trajectory := map[string][]float32{}
			var rates []float64
			for i := range schedule.MaxIter {
				rates = append(rates, schedule.LR(i))
				if _, err := exec.Call(float32(schedule.LR(i))); err != nil {
					t.Fatal(err)
				}
				for _, name := range names {
					value := tensors.MustCopyFlatData[float32](store.GetVariable(path(name)).MustValue())
					trajectory[name] = append(trajectory[name], value...)
				}
			}
			relative(t, "lr", rates, golden[c.run+".lr_f64"].Float64s())
			for _, name := range names {
				testkit.Close(t, name, trajectory[name], golden[c.run+".trajectory."+name], 1e-5)
				momentum := store.GetVariable(MomentumScope + path(name))
				testkit.Close(t, "momentum."+name, momentum.MustValue(), golden[c.run+".momentum."+name], 1e-5)
			}
		})
	}
}

func path(name string) string { return "/" + strings.ReplaceAll(name, ".", "/") }

// startParams returns a store with the parameters of a run as they start, and their names.
func startParams(t *testing.T, golden npz.Arrays, run string) (store *model.Store, names []string) {
	t.Helper()
	store = model.NewStore()
	for key, array := range golden {
		if name, ok := strings.CutPrefix(key, run+".start."); ok {
			names = append(names, name)
			if _, err := store.CreateVariable(path(name), array.Tensor()); err != nil {
				t.Fatal(err)
			}
		}
	}
	if len(names) != 8 {
		t.Fatalf("the file has parameters %v, want 8", names)
	}
	return store, names
}

// quadratic is sum curvature/2 (parameter - target)^2 over the named parameters.
func quadratic(store *model.Store, g *graph.Graph, golden npz.Arrays, run string, names []string) *graph.Node {
	loss := graph.Const(g, float32(0))
	for _, name := range names {
		away := graph.Sub(store.GetVariable(path(name)).NodeValue(g), graph.ConstTensor(g, golden[run+".target."+name].Tensor()))
		curvature := graph.ConstTensor(g, golden[run+".curvature."+name].Tensor())
		loss = graph.Add(loss, graph.MulScalar(graph.ReduceAllSum(graph.Mul(curvature, graph.Square(away))), 0.5))
	}
	return loss
}

func TestGoldenSchedules(t *testing.T) {
	golden := testkit.Golden(t, "testdata/sgd.npz")
	for _, name := range []string{"voc", "bdd", "vis_as_shipped", "vis_60000"} {
		settings := golden["schedule."+name+".settings_f64"].Float64s()
		schedule := Schedule{
			BaseLR: settings[0], MaxIter: int(settings[1]), Steps: []int{int(settings[2]), int(settings[3])},
			WarmupIters: int(settings[4]), WarmupFactor: settings[5], Gamma: settings[6],
		}
		var rates []float64
		for _, i := range golden["schedule."+name+".iter"].Ints() {
			rates = append(rates, schedule.LR(i))
		}
		relative(t, name, rates, golden["schedule."+name+".lr_f64"].Float64s())
	}
}

func TestCosineSchedule(t *testing.T) {
	schedule := Schedule{BaseLR: 2, Cosine: true, MaxIter: 6, WarmupIters: 2, WarmupFactor: 0.25}
	var rates []float64
	for i := range 7 {
		rates = append(rates, schedule.LR(i)+1) // compared relatively, and the last is 0
	}
	// The warm-up ends at the cosine's value of its last iteration: 2 (1+cos 60°)/2 = 1.5.
	relative(t, "cosine", rates, []float64{1.5, 2, 2.5, 2, 1.5, 1 + 1 - math.Sqrt(3)/2, 1})
}

// relative fails the test unless |got-want| <= 1e-9 |want|.
func relative(t *testing.T, name string, got, want []float64) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%s: %d rates, want %d", name, len(got), len(want))
	}
	for i := range got {
		if !(math.Abs(got[i]-want[i]) <= 1e-9*want[i]) {
			t.Errorf("%s: rate %d is %v, want %v", name, i, got[i], want[i])
			return
		}
	}
}

// The loss (a - 3)^2 + 4 b over two parameters, a and b, from (1, 2), whose gradient is (-4, 4).
func TestApply(t *testing.T) {
	for _, c := range []struct {
		name   string
		update func(scope *model.Scope, a, b, lr *graph.Node)
		want   []float32
	}{
		{"whole", func(scope *model.Scope, a, b, lr *graph.Node) {
			update(SGD{}, scope, graph.Add(first(a), second(b)), lr)
		}, []float32{1.4, 1.6}},
		{"in parts", func(scope *model.Scope, a, b, lr *graph.Node) {
			gradients := Gradients(scope, first(a))
			for i, other := range Gradients(scope, second(b)) {
				if gradients[i].Variable != other.Variable {
					panic(fmt.Sprintf("gradient %d is of another parameter", i))
				}
				gradients[i].Value = graph.Add(gradients[i].Value, other.Value)
			}
			SGD{}.Apply(scope.Store(), gradients, lr)
		}, []float32{1.4, 1.6}},
		{"clipped", func(scope *model.Scope, a, b, lr *graph.Node) {
			clipped(Clip{Norm: math.Sqrt2}, scope, graph.Add(first(a), second(b)), lr)
		}, []float32{1.1, 1.9}},
		{"within the bound", func(scope *model.Scope, a, b, lr *graph.Node) {
			clipped(Clip{Norm: 6}, scope, graph.Add(first(a), second(b)), lr)
		}, []float32{1.4, 1.6}},
		{"clipped apart", func(scope *model.Scope, a, b, lr *graph.Node) {
			clipped(Clip{Norm: 4, Group: func(path string) string { return path }}, scope, graph.Add(first(a), second(b)), lr)
		}, []float32{1.4, 1.6}},
		{"a rate of its own", func(scope *model.Scope, a, b, lr *graph.Node) {
			update(SGD{LRFactor: onlyB}, scope, graph.Add(first(a), second(b)), lr)
		}, []float32{1.4, 0.8}},
		// Adam's first step is the rate in the gradient's direction.
		{"a rate of its own by AdamW", func(scope *model.Scope, a, b, lr *graph.Node) {
			update(AdamW{LRFactor: onlyB}, scope, graph.Add(first(a), second(b)), lr)
		}, []float32{1.1, 1.7}},
		{"one frozen", func(scope *model.Scope, a, b, lr *graph.Node) {
			scope.Store().GetVariable("/b").SetTrainable(false)
			update(SGD{WeightDecay: 1}, scope, graph.Add(first(a), second(b)), lr)
		}, []float32{1.3, 2}},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := model.NewStore()
			for name, value := range map[string]float32{"/a": 1, "/b": 2} {
				if _, err := store.CreateVariable(name, tensors.FromScalar(value)); err != nil {
					t.Fatal(err)
				}
			}
			testkit.RunModel(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
				g := in[0].Graph()
				c.update(scope, store.GetVariable("/a").NodeValue(g), store.GetVariable("/b").NodeValue(g), in[0])
				return in
			}, float32(0.1))
			testkit.Close(t, "a", store.GetVariable("/a").MustValue(), c.want[0], 1e-6)
			testkit.Close(t, "b", store.GetVariable("/b").MustValue(), c.want[1], 1e-6)
		})
	}
}

// update moves the parameters under scope one step down the gradient of the loss.
func update(o Optimizer, scope *model.Scope, loss, lr *graph.Node) {
	o.Apply(scope.Store(), Gradients(scope, loss), lr)
}

// clipped is update by SGD along clipped gradients.
func clipped(c Clip, scope *model.Scope, loss, lr *graph.Node) {
	SGD{}.Apply(scope.Store(), c.Apply(Gradients(scope, loss)), lr)
}

// onlyB triples the rate of b.
func onlyB(path string) float64 {
	if path == "/b" {
		return 3
	}
	return 1
}

func first(a *graph.Node) *graph.Node  { return graph.Square(graph.AddScalar(a, -3)) }
func second(b *graph.Node) *graph.Node { return graph.MulScalar(b, 4) }
