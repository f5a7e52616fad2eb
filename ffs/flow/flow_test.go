package flow

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/mat"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/npz"
)

// loadParams puts every array "param.a.b.c" into a new store as the variable /a/b/c.
func loadParams(t *testing.T, golden npz.Arrays) *model.Store {
	t.Helper()
	store := model.NewStore()
	for name, array := range golden {
		if path, ok := strings.CutPrefix(name, "param."); ok {
			if _, err := store.CreateVariable("/"+strings.ReplaceAll(path, ".", "/"), array.Tensor()); err != nil {
				t.Fatal(err)
			}
		}
	}
	return store
}

var goldenConfig = Config{Dim: 64, Blocks: 2, Hidden: 128, Clamp: 2}

func TestGoldenLayers(t *testing.T) {
	golden := testkit.Golden(t, "testdata/flow.npz")
	names := []string{"coupling_0", "permute_0", "coupling_1", "permute_1"}
	outputs := testkit.RunModel(t, loadParams(t, golden), func(scope *model.Scope, inputs []*graph.Node) (values []*graph.Node) {
		x := inputs[0]
		for _, layer := range New(scope, x.Graph(), goldenConfig).layers {
			var logDet *graph.Node
			x, logDet = layer.Forward(x)
			values = append(values, x, logDet)
		}
		return values
	}, golden["x"].Tensor())
	for i, name := range names {
		testkit.Close(t, name+".out", outputs[2*i], golden["node."+name+".out"], 1e-4)
		testkit.Close(t, name+".logdet", outputs[2*i+1], golden["node."+name+".logdet"], 1e-4)
	}
}

func TestGoldenLikelihoodAndGradients(t *testing.T) {
	golden := testkit.Golden(t, "testdata/flow.npz")
	store := loadParams(t, golden)
	var variables []*model.Variable
	outputs := testkit.RunModel(t, store, func(scope *model.Scope, inputs []*graph.Node) []*graph.Node {
		x, g := inputs[0], inputs[0].Graph()
		z, logDet := New(scope, g, goldenConfig).Forward(x)
		nll := NLL(z, logDet, true)
		sum, count := Loss(nll, graph.OnesLike(graph.GreaterThan(nll, nll)))
		loss := graph.Div(sum, count)

		wanted := []*graph.Node{x}
		for v := range scope.IterVariables() {
			if v.Trainable {
				variables = append(variables, v)
				wanted = append(wanted, v.NodeValue(g))
			}
		}
		return append([]*graph.Node{z, logDet, nll, loss}, graph.Gradient(loss, wanted...)...)
	}, golden["x"].Tensor())

	for i, name := range []string{"z", "log_jac_det", "nll", "nll_loss"} {
		testkit.Close(t, name, outputs[i], golden[name], 1e-4)
	}
	testkit.Close(t, "z_f64", outputs[0], golden["z_f64"], 1e-4)
	testkit.Close(t, "log_jac_det_f64", outputs[1], golden["log_jac_det_f64"], 1e-4)
	testkit.Close(t, "grad_x", outputs[4], golden["grad_x"], 1e-4)
	if len(variables) != 16 {
		t.Errorf("%d trainable parameters, want 16", len(variables))
	}
	for i, v := range variables {
		name := "grad" + strings.ReplaceAll(v.Path(), "/", ".")
		testkit.Close(t, name, outputs[5+i], golden[name], 1e-4)
	}
}

func TestGoldenSample(t *testing.T) {
	golden := testkit.Golden(t, "testdata/flow.npz")
	outputs := testkit.RunModel(t, loadParams(t, golden), func(scope *model.Scope, inputs []*graph.Node) []*graph.Node {
		f, z := New(scope, inputs[0].Graph(), goldenConfig), inputs[0]
		x, reverseLogDet := f.Inverse(z)
		again, logDet := f.Forward(x)
		samples, nll := f.Sample(z, true)
		return []*graph.Node{x, reverseLogDet, again, logDet, samples, nll}
	}, golden["z_rand"].Tensor())
	for i, want := range []struct {
		name string
		tol  float64
	}{{"x_neg", 1e-3}, {"log_jac_det_rev", 1e-4}, {"z_back", 1e-4}, {"log_jac_det_neg", 1e-4}, {"x_neg_f64", 1e-3}, {"nll_neg", 1e-4}} {
		testkit.Close(t, want.name, outputs[i], golden[want.name], want.tol)
	}
}

// A flow that finds no permutations in the store draws the original's.
func TestGoldenPermutations(t *testing.T) {
	golden := testkit.Golden(t, "testdata/flow.npz")
	for _, c := range []struct {
		name string
		seed uint32
		n    int
	}{{"np_perm.n64.seed0", 0, 64}, {"np_perm.n64.seed1", 1, 64}, {"np_perm.n1024.seed0", 0, 1024}, {"np_perm.n1024.seed1", 1, 1024}} {
		testkit.Close(t, c.name, numpyPermutation(c.seed, c.n), golden[c.name], 0)
	}
	store := model.NewStore()
	testkit.RunModel(t, store, func(scope *model.Scope, inputs []*graph.Node) []*graph.Node {
		z, _ := New(scope, inputs[0].Graph(), goldenConfig).Forward(inputs[0])
		return []*graph.Node{z}
	}, golden["x"].Tensor())
	for _, name := range []string{"module_list.1.perm", "module_list.1.perm_inv", "module_list.3.perm", "module_list.3.perm_inv"} {
		variable := store.GetVariable("/" + strings.ReplaceAll(name, ".", "/"))
		testkit.Close(t, name, variable.MustValue(), golden["param."+name], 0)
	}
}

// Whatever is a Layer is inverted by Inverse, states opposite log-determinants in its two
// directions, and states the one that finite differences give.
func TestLayers(t *testing.T) {
	config := Config{Dim: 6, Blocks: 2, Hidden: 8, Clamp: 2}
	for _, c := range []struct {
		name string
		make func(scope *model.Scope, g *graph.Graph) Layer
	}{
		{"coupling", func(scope *model.Scope, g *graph.Graph) Layer { return NewCoupling(scope, g, config) }},
		{"permutation", func(scope *model.Scope, g *graph.Graph) Layer { return NewPermutation(scope, g, config.Dim, 3) }},
		{"standardization", func(scope *model.Scope, g *graph.Graph) Layer {
			moment := func(values ...float32) *graph.Node { return graph.Const(g, values) }
			return &Standardization{mean: moment(1, -2, 0, 3, 0.5, 0), variance: moment(4, 0.25, 1, 0.01, 9, 1)}
		}},
		{"flow", func(scope *model.Scope, g *graph.Graph) Layer { return New(scope, g, config) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			const step = 1e-2
			points := differences(config.Dim, step)
			outputs := testkit.RunModel(t, model.NewStore(), func(scope *model.Scope, inputs []*graph.Node) []*graph.Node {
				layer := c.make(scope, inputs[0].Graph())
				y, forward := layer.Forward(inputs[0])
				x, backward := layer.Inverse(y)
				return []*graph.Node{y, forward, x, graph.Neg(backward)}
			}, points)
			testkit.Close(t, "inverse(forward(x))", outputs[2], points, 1e-5)
			testkit.Close(t, "log-determinants", outputs[3], outputs[1], 1e-5)
			stated := tensors.MustCopyFlatData[float32](outputs[1])[0]
			measured := logDetOfDifferences(tensors.MustCopyFlatData[float32](outputs[0]), config.Dim, step)
			testkit.Close(t, "log-determinant by differences", stated, measured, 1e-4)
			if c.name != "permutation" && math.Abs(measured) < 0.01 {
				t.Errorf("the Jacobian's log-determinant %g is too near 0 to prove anything", measured)
			}
		})
	}
}

// differences returns a point followed by the pairs of points one step before and after it along
// each axis.
func differences(dim int, step float32) *tensors.Tensor {
	rng := rand.New(rand.NewPCG(1, 2))
	point := make([]float32, dim)
	for i := range point {
		point[i] = float32(rng.NormFloat64())
	}
	rows := append([]float32{}, point...)
	for axis := range dim {
		for _, move := range []float32{-step, step} {
			row := append([]float32{}, point...)
			row[axis] += move
			rows = append(rows, row...)
		}
	}
	return tensors.FromFlatDataAndDimensions(rows, 2*dim+1, dim)
}

// logDetOfDifferences is log|det J| of the map whose values at the points of differences are ys.
func logDetOfDifferences(ys []float32, dim int, step float64) float64 {
	jacobian := mat.NewDense(dim, dim, nil)
	for axis := range dim {
		before, after := ys[(1+2*axis)*dim:], ys[(2+2*axis)*dim:]
		for i := range dim {
			jacobian.Set(i, axis, float64(after[i]-before[i])/(2*step))
		}
	}
	logDet, _ := mat.LogDet(jacobian)
	return logDet
}

func TestLossIgnoresMaskedRows(t *testing.T) {
	for _, c := range []struct {
		mask       []bool
		sum, count float64
	}{{[]bool{true, false, true}, 5, 2}, {[]bool{false, false, false}, 0, 0}} {
		outputs := testkit.Run(t, func(inputs []*graph.Node) []*graph.Node {
			sum, count := Loss(inputs[0], inputs[1])
			return []*graph.Node{sum, count}
		}, []float32{1, float32(math.NaN()), 4}, c.mask)
		testkit.Close(t, "sum", outputs[0], c.sum, 0)
		testkit.Close(t, "count", outputs[1], c.count, 0)
	}
}

func TestConfigValidate(t *testing.T) {
	for _, c := range []struct {
		change func(*Config)
		names  string
	}{
		{func(c *Config) { c.Dim = 63 }, "Dim"},
		{func(c *Config) { c.Blocks = 0 }, "blocks: "},
		{func(c *Config) { c.Hidden = 0 }, "hidden: "},
		{func(c *Config) { c.Clamp = math.NaN() }, "clamp: "},
	} {
		config := goldenConfig
		c.change(&config)
		if err := config.Validate(); err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%+v: error %v, want one that names %s", config, err, c.names)
		}
	}
	if err := goldenConfig.Validate(); err != nil {
		t.Error(err)
	}
}
