package roi

import (
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/npz"
)

// The reference's two images have 22 and 18 proposals; the second is padded here to the first's
// length.
const goldenRows, goldenBatch, goldenPerImage = 40, 2, 22

var goldenConfig = Config{Classes: 5, FCDim: 64, ScoreThreshold: 0.05, NMS: 0.5, Detections: 100}

var goldenParams = []string{
	"box_head.fc1.weight", "box_head.fc1.bias", "box_head.fc2.weight", "box_head.fc2.bias", "box_predictor.cls_score.weight",
	"box_predictor.cls_score.bias", "box_predictor.bbox_pred.weight", "box_predictor.bbox_pred.bias",
}

// columnsLast reorders the columns of fc1's weight [out, channels * 49] to (row, column, channel).
func columnsLast(a *npz.Array) *npz.Array {
	in, out := a.Float32s(), make([]float32, a.Size())
	columns := a.Shape[1]
	channels := columns / (poolSize * poolSize)
	for i := range out {
		row, column := i/columns, i%columns
		bin, channel := column/channels, column%channels
		out[i] = in[row*columns+channel*poolSize*poolSize+bin]
	}
	return npz.New(out, a.Shape...)
}

func goldenHeads(t *testing.T) npz.Arrays {
	golden := testkit.Golden(t, "testdata/roi_heads.npz")
	for _, name := range []string{"param.box_head.fc1.weight", "grad.box_head.fc1.weight"} {
		golden[name] = columnsLast(golden[name])
	}
	return golden
}

// padded joins both images' rows into [2, 22, ...].
func padded[T float32 | int32](golden npz.Arrays, name string, width int) *tensors.Tensor {
	var values []T
	for _, image := range []string{"img0.", "img1."} {
		for _, v := range golden[image+name].Float64s() {
			values = append(values, T(v))
		}
	}
	values = append(values, make([]T, goldenBatch*goldenPerImage*width-len(values))...)
	if width == 1 {
		return tensors.FromFlatDataAndDimensions(values, goldenBatch, goldenPerImage)
	}
	return tensors.FromFlatDataAndDimensions(values, goldenBatch, goldenPerImage, width)
}

// padRows appends rows of junk, which nothing may depend on, to x [40, ...].
func padRows(x *graph.Node) *graph.Node {
	missing := graph.SliceAxis(x, 0, graph.AxisRange(0, goldenBatch*goldenPerImage-goldenRows))
	return graph.Concatenate([]*graph.Node{x, graph.StopGradient(missing)}, 0)
}

// validRows is the mask of the rows that padded did not add.
func validRows(g *graph.Graph) *graph.Node {
	mask := make([]bool, goldenBatch*goldenPerImage)
	for i := range goldenRows {
		mask[i] = true
	}
	return graph.Reshape(graph.Const(g, mask), goldenBatch, goldenPerImage)
}

func TestHeadsGolden(t *testing.T) {
	golden := goldenHeads(t)
	store := model.NewStore()
	for _, name := range goldenParams {
		if _, err := store.CreateVariable("/"+strings.ReplaceAll(name, ".", "/"), golden["param."+name].Tensor()); err != nil {
			t.Fatal(err)
		}
	}
	c := goldenConfig
	out := testkit.RunModel(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		pooled, proposals, gtBoxes, gtClasses := in[0], in[1], in[2], in[3]
		h := c.Head(scope, graph.TransposeAllAxes(pooled, 0, 2, 3, 1))
		logits, deltas := c.Predict(scope, h)
		foreground := graph.LogicalAnd(validRows(pooled.Graph()), graph.LessThan(gtClasses, graph.Const(pooled.Graph(), int32(c.Classes))))
		sampled := Sampled{Boxes: proposals, Classes: gtClasses, GTBoxes: gtBoxes, Valid: validRows(pooled.Graph()), Foreground: foreground}
		cls, box, count := c.Losses(padRows(logits), padRows(deltas), sampled)
		loss := graph.Div(graph.Add(cls, box), count)
		with := []*graph.Node{pooled, h}
		for _, name := range goldenParams {
			at := strings.Split(name, ".")
			with = append(with, scope.At("%s", at[0]).At("%s", at[1]).GetVariable(at[2]).NodeValue(pooled.Graph()))
		}
		gradients := graph.Gradient(loss, with...)

		sampled.Classes = graph.AddScalar(graph.ZerosLike(gtClasses), c.Classes)
		sampled.Foreground = graph.ZerosLike(foreground)
		clsNone, boxNone, _ := c.Losses(padRows(logits), padRows(deltas), sampled)
		outputs := []*graph.Node{h, logits, deltas, graph.Div(cls, count), graph.Div(box, count), graph.Div(clsNone, count), boxNone}
		return append(outputs, gradients...)
	}, golden["pooled"].Tensor(), padded[float32](golden, "proposal_boxes", 4), padded[float32](golden, "gt_boxes", 4), padded[int32](golden, "gt_classes", 1))
	names := []string{"box_features", "scores", "deltas", "main.loss_cls", "main.loss_box_reg", "nofg.loss_cls", "nofg.loss_box_reg", "grad.pooled", "grad.box_features"}
	for _, name := range goldenParams {
		names = append(names, "grad."+name)
	}
	for i, name := range names {
		testkit.Close(t, name, out[i], golden[name], 1e-5)
	}
}

// A proposal of no extent, as padding is, must not reach the gradients through the logarithms of
// its target.
func TestLossesOfPaddingAreFinite(t *testing.T) {
	c := Config{Classes: 2}
	out := testkit.Run(t, func(in []*graph.Node) []*graph.Node {
		g := in[0].Graph()
		row := func(v bool) *graph.Node { return graph.Const(g, [][]bool{{v, false}}) }
		boxes := graph.Const(g, [][][]float32{{{0, 0, 10, 10}, {0, 0, 0, 0}}})
		sampled := Sampled{Boxes: boxes, GTBoxes: boxes, Classes: graph.Const(g, [][]int32{{1, 2}}), Valid: row(true), Foreground: row(true)}
		cls, box, count := c.Losses(in[0], in[1], sampled)
		return append([]*graph.Node{cls, box, count}, graph.Gradient(graph.Add(cls, box), in...)...)
	}, [][]float32{{0, 0, 0}, {1, 2, 3}}, [][]float32{{9, 9, 9, 9, 1, -2, 3, -4}, {5, 5, 5, 5, 5, 5, 5, 5}})
	testkit.Close(t, "cls", out[0], math.Log(3), 1e-6)
	testkit.Close(t, "box", out[1], 10, 1e-6)
	testkit.Close(t, "count", out[2], 1, 0)
	testkit.Close(t, "gradient of logits", out[3], []float64{1. / 3, -2. / 3, 1. / 3, 0, 0, 0}, 1e-6)
	testkit.Close(t, "gradient of deltas", out[4], []float64{0, 0, 0, 0, 1, -1, 1, -1, 0, 0, 0, 0, 0, 0, 0, 0}, 0)
}
