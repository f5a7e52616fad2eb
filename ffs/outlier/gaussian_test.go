package outlier

import (
	"slices"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/npz"
)

const queueLength = 30

var vosConfig = Config{Method: MethodGaussian, SampleFrom: 400, Select: 1, Queue: queueLength}

// fillQueues sets the queues to the golden file's, all full.
func fillQueues(t *testing.T, store *model.Store, golden npz.Arrays) {
	t.Helper()
	setQueues(t, store, golden["full.queue_before"].Tensor(), []float32{queueLength, queueLength, queueLength, queueLength, queueLength})
}

// setQueues sets the state of the queues, whether the store has them already or not.
func setQueues(t *testing.T, store *model.Store, features *tensors.Tensor, counts []float32) {
	t.Helper()
	for path, value := range map[string]*tensors.Tensor{
		"/outlier_queue/features": features,
		"/outlier_queue/count":    tensors.FromFlatDataAndDimensions(counts, len(counts)),
	} {
		var err error
		if variable := store.GetVariable(path); variable != nil {
			err = variable.SetValue(value)
		} else {
			_, err = store.CreateVariable(path, value)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

func TestGoldenGaussian(t *testing.T) {
	golden := testkit.Golden(t, "testdata/vos_gaussian.npz")
	config := vosConfig
	config.Dim, config.Classes = dim, classes
	method, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	exec, err := model.NewExec(testkit.Backend(t), store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		foreground := graph.LessThan(in[1], graph.AddScalar(graph.ZerosLike(in[1]), classes))
		ready := method.Ready(scope, in[0].Graph())
		out := method.Synthesize(Input{Scope: scope, Features: in[0], Foreground: foreground, Classes: in[1], Noise: splitNoise(in[2], method)})
		mean, scale := fit(store.GetVariable("/outlier_queue/features").NodeValue(in[0].Graph()))
		covariance := graph.DotGeneral(scale, []int{1}, nil, scale, []int{1}, nil)
		return []*graph.Node{ready, out.Samples, out.NLL, mean, scale, covariance}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	step := func() []*tensors.Tensor {
		outputs, err := exec.Call(golden["full.box_features"].Tensor(), bothImages(t, golden)[2], golden["eps"].Tensor())
		if err != nil {
			t.Fatal(err)
		}
		return outputs
	}
	queue := func(name string) *model.Variable { return store.GetVariable("/outlier_queue/" + name) }

	testkit.Close(t, "fill: ready", step()[0], false, 0)
	testkit.Close(t, "fill: queue", queue("features").MustValue(), golden["fill.queue_after"], 0)
	testkit.Close(t, "fill: count", queue("count").MustValue(), golden["fill.count_after"], 0)

	fillQueues(t, store, golden)
	outputs := step()
	testkit.Close(t, "ready", outputs[0], true, 0)
	testkit.Close(t, "queue", queue("features").MustValue(), golden["full.queue_after"], 0)
	testkit.Close(t, "samples", outputs[1], golden["full.selected"], 1e-4)
	testkit.Close(t, "mean", outputs[3], golden["full.mean"], 1e-4)
	testkit.Close(t, "Cholesky factor", outputs[4], golden["full.scale_tril"], 1e-4)
	testkit.Close(t, "covariance", outputs[5], golden["full.covariance"], 1e-4)

	nll := tensors.MustCopyFlatData[float32](outputs[2])
	logProb, chosen := golden["full.log_prob"].Float64s(), golden["full.selected_index"].Ints()
	for c := range classes {
		testkit.Close(t, "log-density of the selected draw", -nll[c], logProb[c*config.SampleFrom+chosen[c]], 1e-3)
	}
}

// Features without any spread leave the ridge alone as covariance. Features on a line leave it as
// all pivots but one; where they are large it drowns in rounding, which must cost accuracy, not
// give NaN.
func TestFitOfFewFeatures(t *testing.T) {
	for _, c := range []struct {
		name        string
		spread, tol float64
	}{{"no spread", 0, 1e-6}, {"a line", 1. / 64, 1e-6}, {"a long line", 1, 1e-3}} {
		const rows = 4
		values := make([]float32, rows*dim)
		for i := range values {
			values[i] = float32((1 + c.spread*float64(i/dim)) * float64(i%dim))
		}
		outputs := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
			mean, scale := fit(in[0])
			centred := graph.Reshape(graph.Sub(in[0], graph.InsertAxes(mean, 1)), rows, dim)
			covariance := graph.MulScalar(graph.DotGeneral(centred, []int{0}, nil, centred, []int{0}, nil), 1./rows)
			ridge := graph.DiagonalWithValue(graph.Scalar(covariance.Graph(), covariance.DType(), covarianceRidge), dim)
			return []*graph.Node{graph.DotGeneral(scale, []int{1}, nil, scale, []int{1}, nil), graph.Add(covariance, ridge)}
		}, tensors.FromFlatDataAndDimensions(values, 1, rows, dim))
		testkit.Close(t, c.name, outputs[0], outputs[1], c.tol)
	}
}

// Queues of 3 rows of one feature for 2 classes.
func TestQueuePush(t *testing.T) {
	const background = -1
	store := model.NewStore()
	method, err := New(Config{Method: MethodGaussian, Dim: 1, Classes: 2, Queue: 3, SampleFrom: 1, Select: 1})
	if err != nil {
		t.Fatal(err)
	}
	exec, err := model.NewExec(testkit.Backend(t), store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		foreground := graph.GreaterThan(in[1], graph.AddScalar(graph.ZerosLike(in[1]), background))
		method.(gaussian).queues(scope, in[0].Graph()).push(Input{Features: in[0], Foreground: foreground, Classes: in[1]})
		return []*graph.Node{in[0]}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer exec.Finalize()
	for _, c := range []struct {
		name                     string
		before, want             [2][3]float32
		countBefore, countWanted []float32
		classes                  []int32
		values                   []float32
	}{
		{"fills from the front", [2][3]float32{{1}, {}}, [2][3]float32{{1, 5, 6}, {7}},
			[]float32{1, 0}, []float32{3, 1}, []int32{0, background, 1, 0, background}, []float32{5, 9, 7, 6, 9}},
		{"stops at the end until all are full", [2][3]float32{{1, 2}, {3}}, [2][3]float32{{1, 2, 5}, {3}},
			[]float32{2, 1}, []float32{3, 1}, []int32{0, 0, 0, 0, 0}, []float32{5, 6, 7, 8, 9}},
		{"a full one waits for the others", [2][3]float32{{1, 2, 3}, {4, 5}}, [2][3]float32{{1, 2, 3}, {4, 5, 7}},
			[]float32{3, 2}, []float32{3, 3}, []int32{0, 1, 0, background, 0}, []float32{6, 7, 8, 9, 10}},
		{"drops the oldest once all are full", [2][3]float32{{1, 2, 3}, {4, 5, 6}}, [2][3]float32{{3, 7, 8}, {4, 5, 6}},
			[]float32{3, 3}, []float32{3, 3}, []int32{background, 0, background, 0, background}, []float32{9, 7, 9, 8, 9}},
		{"keeps the last of many", [2][3]float32{{1, 2, 3}, {4, 5, 6}}, [2][3]float32{{8, 9, 10}, {5, 6, 11}},
			[]float32{3, 3}, []float32{3, 3}, []int32{0, 0, 1, 0, 0}, []float32{7, 8, 11, 9, 10}},
	} {
		t.Run(c.name, func(t *testing.T) {
			setQueues(t, store, tensors.FromFlatDataAndDimensions(slices.Concat(c.before[0][:], c.before[1][:]), 2, 3, 1), c.countBefore)
			if _, err := exec.Call(tensors.FromFlatDataAndDimensions(c.values, len(c.values), 1), c.classes); err != nil {
				t.Fatal(err)
			}
			testkit.Close(t, "queue", store.GetVariable("/outlier_queue/features").MustValue(), slices.Concat(c.want[0][:], c.want[1][:]), 0)
			testkit.Close(t, "count", store.GetVariable("/outlier_queue/count").MustValue(), c.countWanted, 0)
		})
	}
}
