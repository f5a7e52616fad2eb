package outlier

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"gonum.org/v1/gonum/stat"

	"ffslab/ffs/flow"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/options"
)

// The five least likely of the flow's samples, by the reference's likelihoods, the least likely
// first.
func TestGoldenFlowSelection(t *testing.T) {
	const k = 5
	golden := testkit.Golden(t, "testdata/ffs_losses.npz")
	method, err := New(Config{Method: MethodFlow, Dim: dim, SampleFrom: 200, Select: k})
	if err != nil {
		t.Fatal(err)
	}
	outputs := testkit.RunModel(t, loadParams(t, golden), func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		f := flow.New(scope.At("flow_model"), in[0].Graph(), flowConfig)
		candidates, _ := f.Inverse(in[0])
		out := method.Synthesize(Input{Noise: in, Flow: f})
		return []*graph.Node{out.Samples, out.NLL, candidates, out.Drawn}
	}, golden["z_randn"].Tensor())

	nll := golden["after.nll_neg"].Float64s()
	order := make([]int, len(nll))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(nll[b], nll[a]) })
	if order[0] != golden["after.top_index"].Ints()[0] {
		t.Fatalf("the reference selects %d, not %d", golden["after.top_index"].Ints()[0], order[0])
	}
	candidates := tensors.MustCopyFlatData[float32](outputs[2])
	var wantSamples []float32
	var wantNLL []float64
	for _, i := range order[:k] {
		wantSamples, wantNLL = append(wantSamples, candidates[i*dim:(i+1)*dim]...), append(wantNLL, nll[i])
	}
	samples := tensors.MustCopyFlatData[float32](outputs[0])
	testkit.Close(t, "samples", samples, wantSamples, 0)
	testkit.Close(t, "nll", outputs[1], wantNLL, 1e-4)
	testkit.Close(t, "mean nll of all candidates", outputs[3], []float64{stat.Mean(nll, nil)}, 1e-5)
	testkit.Close(t, "ood_sample", samples[:dim], golden["after.ood_sample"], 1e-3)
}

func TestGoldenLangevin(t *testing.T) {
	weights, golden := testkit.Golden(t, "testdata/ffs_losses.npz"), testkit.Golden(t, "testdata/langevin.npz")
	gtClasses := bothImages(t, weights)[2]
	for _, c := range []struct {
		name     string
		samples  int
		maxSteps int
	}{{"stop0", 16, 1}, {"n200", 200, 4}, {"cap10", 50, 3}} {
		t.Run(c.name, func(t *testing.T) {
			method, err := New(Config{Method: MethodLangevin, Dim: dim, SampleFrom: c.samples, MaxSteps: c.maxSteps})
			if err != nil {
				t.Fatal(err)
			}
			outputs := testkit.RunModel(t, loadParams(t, weights), func(scope *model.Scope, in []*graph.Node) []*graph.Node {
				f := flow.New(scope.At("flow_model"), in[0].Graph(), flowConfig)
				foreground := graph.LessThan(in[1], graph.AddScalar(graph.ZerosLike(in[1]), classes))
				input := Input{Features: in[0], Foreground: foreground, Noise: in[2:], Flow: f}
				out := method.Synthesize(input)
				return []*graph.Node{out.Samples, graph.Neg(graph.ReduceAllMean(out.NLL)), out.Steps, out.Stopped, method.(langevin).leastInlier(input)}
			}, weights["after.box_features"].Tensor(), gtClasses, golden[c.name+".z_randn"].Tensor())
			steps := min(c.maxSteps, golden[c.name+".num_updates"].Ints()[0])
			iterates, mean := golden[c.name+".iterates"].Float64s(), golden[c.name+".ll_neg"].Float64s()
			testkit.Close(t, "samples", outputs[0], iterates[steps*c.samples*dim:][:c.samples*dim], 1e-3)
			testkit.Close(t, "mean log-likelihood", outputs[1], mean[steps], 1e-4)
			testkit.Close(t, "steps", outputs[2], steps, 0)
			testkit.Close(t, "stopped", outputs[3], golden[c.name+".stopped"], 0)
			testkit.Close(t, "least inlier", outputs[4], golden[c.name+".ll_inliers_min"], 1e-4)
		})
	}
}

func TestNewRefuses(t *testing.T) {
	good := Config{Dim: 4, Classes: 2, SampleFrom: 10, Select: 1, Queue: 5, MaxSteps: 3}
	for _, c := range []struct {
		method string
		change func(*Config)
		names  string
	}{
		{"flo", func(*Config) {}, `method: no synthesiser is called "flo"; there are flow, flow-langevin, gaussian, none`},
		{MethodFlow, func(c *Config) { c.Options = options.Options{"alfa": 1} }, "options.alfa: there are no options"},
		{MethodNone, func(c *Config) { c.Options = options.Options{"alfa": 1} }, "options.alfa: there are no options"},
		{MethodFlow, func(c *Config) { c.SampleFrom = 0 }, "sample_from: 0 "},
		{MethodFlow, func(c *Config) { c.Select = 11 }, "select: 11 "},
		{MethodGaussian, func(c *Config) { c.Queue = 0 }, "queue: 0 "},
		{MethodGaussian, func(c *Config) { c.Classes = 0 }, "Classes: 0 "},
		{MethodLangevin, func(c *Config) { c.MaxSteps = 0 }, "max_steps: 0 "},
		{MethodLangevin, func(c *Config) { c.Dim = 0 }, "Dim: 0 "},
	} {
		config := good
		config.Method = c.method
		c.change(&config)
		if _, err := New(config); err == nil || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%+v: error %v, want one that names %s", config, err, c.names)
		}
	}
	for method, count := range map[string]int{MethodFlow: 1, MethodLangevin: 10, MethodGaussian: 2, MethodNone: 0} {
		config := good
		config.Method = method
		synthesizer, err := New(config)
		if err != nil {
			t.Errorf("%s: %v", method, err)
			continue
		}
		if synthesizer.Count() != count {
			t.Errorf("%s makes %d outliers, want %d", method, synthesizer.Count(), count)
		}
	}
}
