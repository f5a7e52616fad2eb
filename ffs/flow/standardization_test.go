package flow

import (
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
)

// The moments after steps of equally many rows are those of all rows, and a row that does not
// count, or a step without any, changes nothing.
func TestMomentsRunAlong(t *testing.T) {
	store := model.NewStore()
	exec, err := model.NewExec(testkit.Backend(t), store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		f := New(scope, in[0].Graph(), Config{Dim: 2, Blocks: 1, Hidden: 4, Clamp: 2, Standardize: true})
		f.Observe(in[0], in[1])
		z, _ := f.standard.Forward(in[0])
		return []*graph.Node{z}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	first := [][]float32{{1, 0}, {3, 0}, {100, 100}}
	for step, c := range []struct {
		rows           [][]float32
		mask           []bool
		mean, variance []float64
		steps          float64
	}{
		{first, []bool{true, true, false}, []float64{2, 0}, []float64{1, 0}, 1},
		{[][]float32{{100, 100}, {5, 2}, {7, 2}}, []bool{false, true, true}, []float64{4, 1}, []float64{5, 1}, 2}, // of 1, 3, 5, 7 and 0, 0, 2, 2
		{first, []bool{false, false, false}, []float64{4, 1}, []float64{5, 1}, 2},
	} {
		outputs, err := exec.Call(c.rows, c.mask)
		if err != nil {
			t.Fatal(err)
		}
		value := func(name string) any { return store.GetVariable("/standardization/" + name).MustValue() }
		testkit.Close(t, "mean", value("mean"), c.mean, 1e-6)
		testkit.Close(t, "variance", value("variance"), c.variance, 1e-6)
		testkit.Close(t, "steps", value("steps"), []float64{c.steps}, 0)
		if step == 0 { // what this step does does not depend on what it sees
			testkit.Close(t, "z of the first step", outputs[0], []float32{1, 0, 3, 0, 100, 100}, 1e-2)
		}
	}
	for v := range store.RootScope().IterVariables() {
		if inFront := v.Scope() == "/standardization"; inFront && v.Trainable {
			t.Errorf("%s is trained", v.Path())
		}
	}
}

// Where every feature has the moments of its standardization, its likelihood is that of a standard
// normal one divided by the deviations.
func TestLikelihoodIsThatOfTheFeatures(t *testing.T) {
	outputs := testkit.RunModel(t, model.NewStore(), func(_ *model.Scope, in []*graph.Node) []*graph.Node {
		g := in[0].Graph()
		f := &Flow{layers: []Layer{&Standardization{mean: graph.Const(g, []float32{3, -1}), variance: graph.Const(g, []float32{4 - leastVariance, 0.25 - leastVariance})}}}
		z, logDet := f.Forward(in[0])
		samples, drawn := f.Sample(z, false)
		return []*graph.Node{NLL(z, logDet, false), samples, drawn}
	}, [][]float32{{5, -1}, {3, 0}})
	// -log N(5; 3, 2) - log N(-1; -1, 0.5), and the same at the second point: (1 + 0) / 2, (0 + 4)
	// / 2, each plus log(2 pi) + log(2 * 0.5).
	const log2pi = 1.8378770664093453
	want := []float64{0.5 + log2pi, 2 + log2pi}
	testkit.Close(t, "NLL", outputs[0], want, 1e-6)
	testkit.Close(t, "samples", outputs[1], []float32{5, -1, 3, 0}, 1e-5)
	testkit.Close(t, "NLL of the samples", outputs[2], want, 1e-6)
}
