package rpn_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/npz"
	"ffslab/ffs/rpn"
)

// reference is the configuration of the reference arrays.
var reference = rpn.Config{
	AnchorSizes:   []float64{32, 64, 128, 256, 512},
	AnchorRatios:  []float64{0.5, 1, 2},
	Strides:       []int{4, 8, 16, 32, 64},
	BatchPerImage: 256, PositiveFraction: 0.5,
	PreNMSTrain: 120, PreNMSTest: 80, PostNMSTrain: 60, PostNMSTest: 40,
	NMS:                 0.7,
	ZeroOverlapPositive: true,
}

var layers = []string{"conv", "objectness_logits", "anchor_deltas"}

// referenceHead returns a store with the reference's parameters.
func referenceHead(t *testing.T, golden npz.Arrays) *model.Store {
	t.Helper()
	store := model.NewStore()
	for _, layer := range layers {
		scope := store.RootScope().At("proposal_generator").At("rpn_head").At("%s", layer)
		for _, name := range []string{"weight", "bias"} {
			value := golden["param.rpn_head."+layer+"."+name]
			if name == "weight" {
				value = kernel(value)
			}
			if _, err := scope.CreateVariable(name, value.Tensor()); err != nil {
				t.Fatal(err)
			}
		}
	}
	return store
}

// kernel turns [out, in, height, width] into [height, width, in, out].
func kernel(a *npz.Array) *npz.Array {
	out, in, height, width := a.Shape[0], a.Shape[1], a.Shape[2], a.Shape[3]
	from, to := a.Float32s(), make([]float32, a.Size())
	for o := range out {
		for i := range in {
			for p := range height * width {
				to[(p*in+i)*out+o] = from[(o*in+i)*height*width+p]
			}
		}
	}
	return npz.New(to, height, width, in, out)
}

// features returns the reference's features [batch, channels, height, width] as inputs of a graph,
// then the sizes.
func features(golden npz.Arrays) []any {
	var inputs []any
	for level := 2; level <= 6; level++ {
		inputs = append(inputs, golden[fmt.Sprintf("feat.p%d", level)].Tensor())
	}
	return append(inputs, golden["image_sizes"].Tensor())
}

// forward applies the head to the inputs that features made.
func forward(c rpn.Config, scope *model.Scope, in []*graph.Node) *rpn.Output {
	maps := make([]*graph.Node, 5)
	for i := range maps {
		maps[i] = graph.TransposeAllAxes(in[i], 0, 2, 3, 1)
	}
	return c.Forward(scope, maps, in[5])
}

// bothImages stacks the arrays NAME.img0 and NAME.img1.
func bothImages(golden npz.Arrays, name string) *npz.Array {
	first, second := golden[fmt.Sprintf(name, 0)], golden[fmt.Sprintf(name, 1)]
	return npz.New(append(first.Float32s(), second.Float32s()...), append([]int{2}, first.Shape...)...)
}

// groundTruth pads the boxes of both images to four.
func groundTruth(golden npz.Arrays) (gtBoxes, gtValid *tensors.Tensor) {
	values := append(golden["gt_boxes.img0"].Float32s(), golden["gt_boxes.img1"].Float32s()...)
	values = append(values, make([]float32, 8)...)
	valid := []bool{true, true, true, true, true, true, false, false}
	return npz.New(values, 2, 4, 4).Tensor(), npz.New(valid, 2, 4).Tensor()
}

func TestAnchorsMatchReference(t *testing.T) {
	golden := testkit.Golden(t, "testdata/anchors.npz")
	for _, canvas := range []string{"small", "large"} {
		t.Run(canvas, func(t *testing.T) {
			grid := golden[canvas+".grid_sizes"].Ints()
			out := testkit.RunModel(t, model.NewStore(), func(scope *model.Scope, in []*graph.Node) []*graph.Node {
				maps := make([]*graph.Node, 5)
				for i := range maps {
					maps[i] = graph.BroadcastToDims(graph.Const(in[0].Graph(), float32(1)), 1, grid[2*i], grid[2*i+1], 1)
				}
				return []*graph.Node{reference.Forward(scope, maps, in[0]).Anchors}
			}, npz.New(golden[canvas+".image_size"].Data.([]int64), 1, 2).Tensor())
			anchors := tensors.MustCopyFlatData[float32](out[0])
			for i, level := range []string{"p2", "p3", "p4", "p5", "p6"} {
				n := grid[2*i] * grid[2*i+1] * 3 * 4
				name := canvas + "." + level
				if canvas == "small" {
					testkit.Close(t, level, anchors[:n], golden[name], 1e-6)
				} else {
					compareLevel(t, anchors[:n], golden, name)
				}
				anchors = anchors[n:]
			}
			if len(anchors) > 0 {
				t.Errorf("%d more coordinates than the reference has", len(anchors))
			}
		})
	}
}

// compareLevel compares anchors [n, 4] with a level of which the reference keeps the ends and three
// sums.
func compareLevel(t *testing.T, anchors []float32, golden npz.Arrays, name string) {
	t.Helper()
	testkit.Close(t, name+" count", len(anchors)/4, golden[name+".count"], 0)
	first := min(400, len(anchors))
	testkit.Close(t, name+" first", anchors[:first], golden[name+".first"], 1e-6)
	testkit.Close(t, name+" last", anchors[len(anchors)-first:], golden[name+".last"], 1e-6)
	var sum, absolute, weighted [4]float64
	for i, v := range anchors {
		sum[i%4] += float64(v)
		absolute[i%4] += math.Abs(float64(v))
		weighted[i%4] += float64(v) * float64(i/4%997)
	}
	testkit.Close(t, name+" sum", sum[:], golden[name+".sum_f64"], 1e-9)
	testkit.Close(t, name+" sum of sizes", absolute[:], golden[name+".sum_abs_f64"], 1e-9)
	testkit.Close(t, name+" weighted sum", weighted[:], golden[name+".weighted_sum_f64"], 1e-9)
}

func TestHeadAndProposalsMatchReference(t *testing.T) {
	golden := testkit.Golden(t, "testdata/rpn.npz")
	out := testkit.RunModel(t, referenceHead(t, golden), func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		head := forward(reference, scope, in)
		train, trainLogits, trainValid := reference.Proposals(head, in[5], true)
		test, testLogits, testValid := reference.Proposals(head, in[5], false)
		return []*graph.Node{head.Logits, head.Deltas, train, trainLogits, trainValid, test, testLogits, testValid}
	}, features(golden)...)

	testkit.Close(t, "logits", out[0], flatMaps(golden, "logits_map", 1), 1e-4)
	testkit.Close(t, "deltas", out[1], flatMaps(golden, "deltas_map", 4), 1e-4)
	for i, phase := range []string{"train", "test"} {
		testkit.Close(t, phase+" boxes", out[2+3*i], bothImages(golden, phase+".img%d.proposal_boxes"), 1e-3)
		testkit.Close(t, phase+" logits", out[3+3*i], bothImages(golden, phase+".img%d.objectness_logits"), 1e-4)
		for _, valid := range tensors.MustCopyFlatData[bool](out[4+3*i]) {
			if !valid {
				t.Errorf("%s: an invalid proposal, the reference fills all rows", phase)
			}
		}
	}
}

// flatMaps lays the levels' maps [2, 3*per, height, width] out as [2, A, per].
func flatMaps(golden npz.Arrays, name string, per int) []float32 {
	var flat []float32
	for image := range 2 {
		for level := 2; level <= 6; level++ {
			a := golden[fmt.Sprintf("%s.p%d", name, level)]
			values, channels, pixels := a.Float32s(), 3*per, a.Shape[2]*a.Shape[3]
			for p := range pixels {
				for c := range channels {
					flat = append(flat, values[(image*channels+c)*pixels+p])
				}
			}
		}
	}
	return flat
}

func TestTargetsLossesAndGradientsMatchReference(t *testing.T) {
	golden := testkit.Golden(t, "testdata/rpn.npz")
	gtBoxes, gtValid := groundTruth(golden)
	inputs := append(features(golden), gtBoxes, gtValid, bothImages(golden, "labels.img%d").Tensor())
	out := testkit.RunModel(t, referenceHead(t, golden), func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		head := forward(reference, scope, in)
		targets := reference.Targets(head, in[6], in[7], nil)
		sampled := graph.ConvertDType(in[8], targets.Labels.DType())
		cls, loc, count := reference.Losses(head, sampled, targets.MatchedBoxes)
		cls, loc = graph.Div(cls, count), graph.Div(loc, count)

		wrt := append([]*graph.Node{}, in[:5]...)
		for _, layer := range layers {
			parameters := scope.At("proposal_generator").At("rpn_head").At("%s", layer)
			wrt = append(wrt, parameters.GetVariable("weight").NodeValue(cls.Graph()), parameters.GetVariable("bias").NodeValue(cls.Graph()))
		}
		return append([]*graph.Node{targets.Labels, targets.MatchedBoxes, cls, loc}, graph.Gradient(graph.Add(cls, loc), wrt...)...)
	}, inputs...)

	testkit.Close(t, "labels", out[0], bothImages(golden, "labels_before_sampling.img%d"), 0)
	testkit.Close(t, "matched boxes", out[1], bothImages(golden, "matched_gt_boxes.img%d"), 1e-6)
	testkit.Close(t, "classification loss", out[2], golden["loss.rpn_cls"], 1e-4)
	testkit.Close(t, "localisation loss", out[3], golden["loss.rpn_loc"], 1e-4)
	for level := 2; level <= 6; level++ {
		name := fmt.Sprintf("grad.feat.p%d", level)
		testkit.Close(t, name, out[2+level], golden[name], 1e-7) // the values are about 1e-4
	}
	for i, layer := range layers {
		testkit.Close(t, layer+" weight's gradient", out[9+2*i], kernel(golden["grad.rpn_head."+layer+".weight"]), 1e-6)
		testkit.Close(t, layer+" bias's gradient", out[10+2*i], golden["grad.rpn_head."+layer+".bias"], 1e-6)
	}
}
