package detector

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/checkpoint"
	"ffslab/ffs/config"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/nn"
	"ffslab/ffs/npz"
	"ffslab/ffs/roi"
	"ffslab/ffs/rpn"
)

func reference(t *testing.T) (*Detector, *model.Store) {
	t.Helper()
	c, err := config.Load("testdata/reference.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	file, err := checkpoint.Open("testdata/detector.pth")
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	if _, err := checkpoint.LoadInto(store, file); err != nil {
		t.Fatal(err)
	}
	return d, store
}

// canvas puts a planar picture [3, 96, 137] in the corner of a black canvas [1, 96, 160, 3].
func canvas(picture *npz.Array) *tensors.Tensor {
	planes := picture.Data.([]uint8)
	pixels := make([]uint8, 96*160*3)
	for c := range 3 {
		for y := range 96 {
			for x := range 137 {
				pixels[(y*160+x)*3+c] = planes[(c*96+y)*137+x]
			}
		}
	}
	return tensors.FromFlatDataAndDimensions(pixels, 1, 96, 160, 3)
}

// batched adds a leading axis of one image.
func batched(a *npz.Array) *tensors.Tensor {
	return (&npz.Array{Shape: append([]int{1}, a.Shape...), Data: a.Data}).Tensor()
}

// The reference's training step: losses and gradients, with the random choices that it made.
func TestTrainStepMatchesTheReference(t *testing.T) {
	golden := testkit.Golden(t, "testdata/train_step.npz")
	d, store := reference(t)

	var normNames, gradNames []string
	for _, name := range golden.Names() {
		if p, ok := strings.CutPrefix(name, "after.gradnorm."); ok && p != "roi_heads.weight_energy.bias" {
			normNames = append(normNames, p)
		}
		if p, ok := strings.CutPrefix(name, "after.grad."); ok {
			gradNames = append(gradNames, p)
		}
	}
	if len(normNames) < 60 || len(gradNames) < 10 {
		t.Fatalf("the reference lists %d gradient norms and %d gradients", len(normNames), len(gradNames))
	}
	path := func(name string) string { return "/" + strings.ReplaceAll(name, ".", "/") }

	var precision nn.Precision
	build := func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		g := in[0].Graph()
		nn.UsePrecision(g, precision)
		sizes := graph.Const(g, [][]int32{{96, 137}})
		pyramid := d.pyramid(scope, in[0], sizes, false)
		first := d.rpn.Forward(scope, pyramid, sizes)
		targets := &rpn.Targets{Labels: in[1], MatchedBoxes: in[2]}
		classes := in[4]
		foreground := graph.LessThan(classes, graph.Const(g, int32(5)))
		sampled := roi.Sampled{Boxes: in[3], Classes: classes, GTBoxes: in[5], Foreground: foreground, Valid: graph.OnesLike(foreground)}
		l := d.lossesOf(scope, choices{pyramid, first, targets, sampled, sizes}, []*graph.Node{in[6]}, in[7])
		var outputs []*graph.Node
		for _, name := range append(paperLosses[:len(paperLosses):len(paperLosses)], TotalLoss) {
			outputs = append(outputs, l.Get(name))
		}
		var params []*graph.Node
		for _, name := range append(append([]string{}, normNames...), gradNames...) {
			variable := store.GetVariable(path(name))
			if variable == nil {
				t.Fatalf("the store has no %s", name)
			}
			params = append(params, variable.NodeValue(g))
		}
		return append(outputs, graph.Gradient(l.Total(), params...)...)
	}
	for _, stage := range []struct {
		name      string
		active    bool
		precision nn.Precision
		tolerance float64 // of the losses
	}{{"before", false, nn.Float32, 1e-4}, {"after", true, nn.Float32, 1e-4}, {"after", true, nn.BFloat16, 2e-2}} {
		precision = stage.precision
		outputs := testkit.RunModel(t, store, build, canvas(golden["image"]), batched(golden["rpn.labels"]), batched(golden["rpn.matched_gt_boxes"]),
			batched(golden["roi.proposal_boxes"]), batched(golden["roi.gt_classes"]), batched(golden["roi.gt_boxes"]),
			golden["z_randn"].Tensor(), stage.active)
		for i, term := range []string{"loss.rpn_cls", "loss.rpn_loc", "loss.cls", "loss.box_reg", "loss.lr_reg_loss", "loss.nll", "total_loss"} {
			testkit.Close(t, stage.name+"."+term, outputs[i], golden[stage.name+"."+term], stage.tolerance)
		}
		if precision == nn.BFloat16 {
			continue // single gradients are too small beside a sum's rounding to bear a tolerance
		}
		outputs = outputs[7:]
		for i, name := range normNames {
			norm := 0.0
			for _, v := range tensors.MustCopyFlatData[float32](outputs[i]) {
				norm += float64(v) * float64(v)
			}
			testkit.Close(t, stage.name+".gradnorm."+name, math.Sqrt(norm), golden[stage.name+".gradnorm."+name], 2e-3)
		}
		if !stage.active {
			continue
		}
		for i, name := range gradNames {
			testkit.Close(t, "grad."+name, asReference(t, path(name), outputs[len(normNames)+i]), golden["after.grad."+name], 2e-3)
		}
	}
}

// asReference brings a parameter's gradient into PyTorch's layout.
func asReference(t *testing.T, path string, value *tensors.Tensor) []float32 {
	t.Helper()
	var data []byte
	if err := value.ConstBytes(func(b []byte) { data = append(data, b...) }); err != nil {
		t.Fatal(err)
	}
	ours, err := checkpoint.NewTensor(path, value.DType(), value.Shape().Dimensions, data)
	if err != nil {
		t.Fatal(err)
	}
	_, theirs, err := checkpoint.FromStore(path, ours)
	if err != nil {
		t.Fatal(err)
	}
	flat, err := theirs.Float32()
	if err != nil {
		t.Fatal(err)
	}
	return flat
}

// The reference's inference: every stage's proposals apart, then the detections, matched by class
// and box since close scores may swap.
func TestDetectionsMatchTheReference(t *testing.T) {
	golden := testkit.Golden(t, "testdata/detector.npz")
	d, store := reference(t)
	out := testkit.RunModel(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
		found := d.Detect(scope, in[0], graph.Const(in[0].Graph(), [][]int32{{96, 137}}))
		return []*graph.Node{found.Boxes, found.Scores, found.Classes, found.Valid, found.Logits, found.Energy}
	}, canvas(golden["resized"]))
	boxes, scores := tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[float32](out[1])
	classes, valid := tensors.MustCopyFlatData[int32](out[2]), tensors.MustCopyFlatData[bool](out[3])
	logits, energies := tensors.MustCopyFlatData[float32](out[4]), tensors.MustCopyFlatData[float32](out[5])

	size := golden["original_size"].Ints()
	wantBoxes, wantScores, wantClasses := golden["boxes"].Float32s(), golden["scores"].Float64s(), golden["classes"].Ints()
	wantLogits, wantEnergies := golden["inter_feat"].Float64s(), golden["energy"].Float64s()
	taken := make([]bool, len(wantClasses))
	count := 0
	for i := range classes {
		if !valid[i] {
			continue
		}
		box, ok := roi.Finish([4]float32(boxes[4*i:]), float64(size[1])/137, float64(size[0])/96, size[1], size[0])
		if !ok {
			continue
		}
		count++
		match := -1
		for j := range wantClasses {
			if !taken[j] && wantClasses[j] == int(classes[i]) && within(box, wantBoxes[4*j:4*j+4], 0.02) {
				match = j
				break
			}
		}
		if match < 0 {
			t.Errorf("detection %d: class %d at %v is not the reference's", i, classes[i], box)
			continue
		}
		taken[match] = true
		name := fmt.Sprintf("detection %d, ", i)
		testkit.Close(t, name+"score", scores[i], wantScores[match], 1e-3)
		testkit.Close(t, name+"logits", logits[6*i:6*i+6], wantLogits[6*match:6*match+6], 3e-3)
		testkit.Close(t, name+"energy", energies[i], wantEnergies[match], 3e-3)
	}
	if count != len(wantClasses) {
		t.Errorf("%d detections, the reference has %d", count, len(wantClasses))
	}
}

func within(box [4]float32, want []float32, tolerance float64) bool {
	for k := range 4 {
		if d := float64(box[k] - want[k]); d > tolerance || d < -tolerance {
			return false
		}
	}
	return true
}
