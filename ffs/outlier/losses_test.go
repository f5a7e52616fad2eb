package outlier

import (
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/boxes"
	"ffslab/ffs/energy"
	"ffslab/ffs/flow"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/nn"
	"ffslab/ffs/npz"
)

// gradientTol is far under the files' own tolerance of 1e-3, which exceeds most of these gradients.
const gradientTol = 1e-6

// The golden files' tiny detector.
const (
	dim     = 64
	classes = 5
)

var flowConfig = flow.Config{Dim: dim, Blocks: 2, Hidden: 128, Clamp: 2}

// loadParams puts every array "param.a.b.c", but the parameters that take no part, into a new store
// as the variable /a/b/c.
func loadParams(t *testing.T, golden npz.Arrays) *model.Store {
	t.Helper()
	store := model.NewStore()
	for name, array := range golden {
		path, ok := strings.CutPrefix(name, "param.")
		if !ok || strings.HasPrefix(path, "box_head.") || path == "weight_energy.bias" {
			continue
		}
		if _, err := store.CreateVariable("/"+strings.ReplaceAll(path, ".", "/"), array.Tensor()); err != nil {
			t.Fatal(err)
		}
	}
	return store
}

// losses are those of a step's proposals from their box features on, under the original's names.
type losses struct {
	names      []string
	values     []*graph.Node
	total      *graph.Node
	output     Output
	outlierLog *graph.Node // class logits of the outliers
}

func (l *losses) add(name string, value *graph.Node) {
	l.names, l.values = append(l.names, name), append(l.values, value)
	if l.total == nil {
		l.total = value
		return
	}
	l.total = graph.Add(l.total, value)
}

// proposals are the step's box features, proposal boxes, ground-truth boxes and classes (classes is
// background's), row by row.
type proposals struct{ features, boxes, gtBoxes, classes *graph.Node }

func buildLosses(scope *model.Scope, p proposals, method Synthesizer, noise []*graph.Node, f *flow.Flow) *losses {
	l, g, rows := &losses{}, p.features.Graph(), p.features.Shape().Dim(0)
	predict := func(name string, h *graph.Node, out int) *graph.Node {
		return nn.Linear(scope.At("box_predictor").At("%s", name), h, out, nn.Constant(0), nn.Constant(0))
	}
	foreground := graph.LessThan(p.classes, graph.AddScalar(graph.ZerosLike(p.classes), classes))
	count := graph.Const(g, float32(rows))

	logits := predict("cls_score", p.features, classes+1)
	label := graph.OneHot(p.classes, classes+1, dtypes.Float32)
	l.add("loss_cls", graph.Div(graph.Neg(graph.ReduceAllSum(graph.Mul(label, graph.LogSoftmax(logits, -1)))), count))

	deltas := graph.Reshape(predict("bbox_pred", p.features, 4*classes), rows, classes, 4)
	targets := graph.StopGradient(boxes.Coder{Weights: [4]float64{10, 10, 5, 5}}.Encode(p.boxes, p.gtBoxes))
	distance := graph.ReduceSum(graph.Abs(graph.Sub(deltas, graph.InsertAxes(targets, 1))), -1)
	own := graph.OneHot(p.classes, classes, dtypes.Float32) // all zeros for background
	l.add("loss_box_reg", graph.Div(graph.ReduceAllSum(graph.Mul(own, distance)), count))

	detached := graph.StopGradient(p.features)
	if f != nil {
		z, logDet := f.Forward(detached)
		sum, n := flow.Loss(flow.NLL(z, logDet, true), foreground)
		l.add("loss_nll", graph.MulScalar(graph.Div(sum, n), 1e-4))
	}
	if method.Count() == 0 {
		return l
	}
	ready := method.Ready(scope, g)
	l.output = method.Synthesize(Input{Scope: scope, Features: detached, Foreground: foreground, Classes: p.classes, Noise: noise, Flow: f})
	l.outlierLog = predict("cls_score", l.output.Samples, classes+1)
	inlierSum, inliers := energy.CrossEntropy(scope, energy.Weighted(scope, energy.Inlier(logits)), foreground, true)
	outlierSum, _ := energy.CrossEntropy(scope, energy.Weighted(scope, energy.Inlier(l.outlierLog)), nil, false)
	l.add("lr_reg_loss", graph.MulScalar(energy.Loss(graph.Add(inlierSum, outlierSum), inliers, method.Count(), ready), 0.1))
	return l
}

// lossCase is one of the golden files' steps.
type lossCase struct {
	file, prefix string
	// paramsFile holds weights and proposals if file does not.
	paramsFile string
	config     Config
	noise      string
	// prepare, if not nil, changes the store before the step.
	prepare func(t *testing.T, store *model.Store, golden npz.Arrays)
	// scores is the name of the outliers' class logits, if known.
	scores string
}

func TestGoldenLosses(t *testing.T) {
	const ffs = "testdata/ffs_losses.npz"
	langevin := func(maxSteps int) Config { return Config{Method: MethodLangevin, SampleFrom: 16, MaxSteps: maxSteps} }
	for _, c := range []lossCase{
		{file: ffs, prefix: "before.", config: Config{Method: MethodNone}},
		{file: ffs, prefix: "after.", noise: "z_randn", config: Config{Method: MethodFlow, SampleFrom: 200, Select: 1}, scores: "scores_ood"},
		{file: "testdata/langevin.npz", paramsFile: ffs, prefix: "stop0.", noise: "stop0.z_randn", config: langevin(1), scores: "scores_ood"},
		{file: "testdata/langevin.npz", paramsFile: ffs, prefix: "stop7.", noise: "stop7.z_randn", config: langevin(7), scores: "scores_ood"},
		{file: "testdata/vos_gaussian.npz", prefix: "full.", noise: "eps", config: vosConfig, prepare: fillQueues, scores: "scores_ood"},
	} {
		t.Run(c.prefix+c.config.Method, func(t *testing.T) { c.run(t) })
	}
}

func (c lossCase) run(t *testing.T) {
	golden := testkit.Golden(t, c.file)
	weights := golden
	if c.paramsFile != "" {
		weights = testkit.Golden(t, c.paramsFile)
	}
	store := loadParams(t, weights)
	if c.prepare != nil {
		c.prepare(t, store, golden)
	}
	config := c.config
	config.Dim, config.Classes = dim, classes
	method, err := New(config)
	if err != nil {
		t.Fatal(err)
	}
	inputs := append([]any{golden[c.prefix+"box_features"].Tensor()}, bothImages(t, weights)...)
	if c.noise != "" {
		inputs = append(inputs, golden[c.noise].Tensor())
	}

	var l *losses
	var variables []*model.Variable
	outputs := testkit.RunModel(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		var noise []*graph.Node
		if len(in) > 4 {
			noise = splitNoise(in[4], method)
		}
		var f *flow.Flow
		if weights["param.flow_model.module_list.1.perm"] != nil {
			f = flow.New(scope.At("flow_model"), in[0].Graph(), flowConfig)
		}
		l = buildLosses(scope, proposals{in[0], in[1], in[2], in[3]}, method, noise, f)
		variables = nil
		wanted := []*graph.Node{in[0]}
		for v := range scope.IterVariables() {
			if v.Trainable && v.InUseByGraph(in[0].Graph()) {
				variables, wanted = append(variables, v), append(wanted, v.NodeValue(in[0].Graph()))
			}
		}
		values := append([]*graph.Node{}, l.values...)
		if c.scores != "" {
			values = append(values, l.outlierLog)
		}
		return append(values, graph.Gradient(l.total, wanted...)...)
	}, inputs...)

	for i, name := range l.names {
		testkit.Close(t, name, outputs[i], golden[c.prefix+"loss."+name], 1e-4)
	}
	outputs = outputs[len(l.names):]
	if c.scores != "" {
		testkit.Close(t, c.scores, outputs[0], golden[c.prefix+c.scores], 1e-3)
		outputs = outputs[1:]
	}
	compared := 0
	compare := func(name string, got *tensors.Tensor) {
		want := golden[c.prefix+"grad."+name]
		if want == nil {
			return
		}
		compared++
		var repeated *npz.Array
		if name == "box_features" {
			repeated = golden[c.prefix+"grad_lr_only."+name]
		}
		testkit.Close(t, "grad."+name, got, withoutRepeat(want, repeated), gradientTol)
	}
	compare("box_features", outputs[0])
	for i, v := range variables {
		compare(strings.ReplaceAll(strings.TrimPrefix(v.Path(), "/"), "/", "."), outputs[1+i])
	}
	c.checkCount(t, golden, compared)
}

// withoutRepeat corrects the one gradient that the reference counts double: box_features kept its
// gradient over both backward passes, the total's and that of lr_reg_loss alone, so that the file's
// after.grad.box_features is the sum of the two.
func withoutRepeat(want, repeated *npz.Array) any {
	if repeated == nil {
		return want
	}
	values := want.Float64s()
	for i, v := range repeated.Float64s() {
		values[i] -= v
	}
	return values
}

// checkCount makes sure that no gradient of the file is left out but those of the box head, which
// lies before the features, and of parameters that the step does not use, which must be zero.
func (c lossCase) checkCount(t *testing.T, golden npz.Arrays, compared int) {
	t.Helper()
	want := 0
	for name, array := range golden {
		path, ok := strings.CutPrefix(name, c.prefix+"grad.")
		if !ok || strings.HasPrefix(path, "box_head.") {
			continue
		}
		unused := path == "weight_energy.bias" || c.config.Method == MethodNone &&
			(strings.HasPrefix(path, "logistic_regression.") || path == "weight_energy.weight")
		if !unused {
			want++
			continue
		}
		for _, v := range array.Float64s() {
			if v != 0 {
				t.Errorf("%s is not zero: the parameter does take part", name)
				break
			}
		}
	}
	if compared != want {
		t.Errorf("%d gradients compared, the file has %d", compared, want)
	}
}

// bothImages returns the proposal boxes, ground-truth boxes and classes of both images, one after
// the other.
func bothImages(t *testing.T, golden npz.Arrays) []any {
	t.Helper()
	join := func(name string) *tensors.Tensor {
		return testkit.Run(t, func(in []*graph.Node) []*graph.Node { return []*graph.Node{graph.Concatenate(in, 0)} },
			golden["img0."+name].Tensor(), golden["img1."+name].Tensor())[0]
	}
	return []any{join("proposal_boxes"), join("gt_boxes"), join("gt_classes")}
}

// splitNoise turns the golden array, stacked where the method wants several, into the method's
// list.
func splitNoise(noise *graph.Node, method Synthesizer) []*graph.Node {
	if noise.Rank() == 2 {
		return []*graph.Node{noise}
	}
	parts := graph.Split(noise, 0, len(method.Noise()))
	for i := range parts {
		parts[i] = graph.Squeeze(parts[i], 0)
	}
	return parts
}
