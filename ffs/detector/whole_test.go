package detector

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/checkpoint"
	"ffslab/ffs/config"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/internal/tiny"
	"ffslab/ffs/nn"
)

// The preset voc makes the original's detector: the same parameters by name, shape and whether they
// are trained.
func TestVOCHasTheOriginalsParameters(t *testing.T) {
	raw, err := os.ReadFile("../backbone/testdata/regnet.json")
	if err != nil {
		t.Fatal(err)
	}
	type parameter struct {
		Shape     []int
		Trainable bool
	}
	var reference struct {
		Model struct {
			Entries []struct {
				Name string
				parameter
			} `json:"state_dict"`
		} `json:"ffs_voc_model"`
	}
	if err := json.Unmarshal(raw, &reference); err != nil {
		t.Fatal(err)
	}
	c, err := config.Preset("voc")
	if err != nil {
		t.Fatal(err)
	}
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	if err := d.Create(testkit.Backend(t), store); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "voc.safetensors")
	if err := checkpoint.Export(store, path, nil); err != nil {
		t.Fatal(err)
	}
	file, err := checkpoint.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	want, got := map[string]parameter{}, map[string]parameter{}
	for _, e := range reference.Model.Entries {
		// What the original writes and nothing needs.
		if !strings.HasPrefix(e.Name, "pixel_") && !strings.Contains(e.Name, ".cell_anchors.") && e.Name != "roi_heads.weight_energy.bias" {
			want[e.Name] = e.parameter
		}
	}
	for _, tensor := range file.Tensors {
		v := store.GetVariable("/" + strings.ReplaceAll(tensor.Name, ".", "/"))
		if v == nil {
			t.Fatalf("no variable for %s", tensor.Name)
		}
		got[tensor.Name] = parameter{tensor.Shape, v.Trainable}
	}
	if diff := cmp.Diff(want, got); diff != "" || len(want) < 400 {
		t.Errorf("%d parameters (-want +got):\n%s", len(want), diff)
	}
}

// One image on a canvas of its size, and in the corner of a larger one: the same losses and the
// same detections. All anchors, proposals and detections are taken, so that neither a draw nor the
// order of equal scores decides.
func TestPaddingChangesNothing(t *testing.T) {
	c, err := tiny.Config("model.rpn.batch_per_image=4000", "model.rpn.positive_fraction=1", "model.rpn.pre_nms_train=1000", "model.rpn.post_nms_train=1000",
		"model.rpn.pre_nms_test=1000", "model.rpn.post_nms_test=1000", "model.roi.batch_per_image=1002", "model.roi.positive_fraction=1",
		"model.roi.score_threshold=0", "model.roi.detections=2000")
	if err != nil {
		t.Fatal(err)
	}
	d, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	pixels, err := tiny.Squares("one", 1, "red").Images[0].Decode()
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	nn.SetSeed(store, 1)
	run := func(height, width int) (losses []float32, detections map[[5]int][]float32) {
		canvas := make([]uint8, height*width*3)
		for y := range tiny.Side {
			copy(canvas[y*width*3:], pixels.Data[y*tiny.Side*3:(y+1)*tiny.Side*3])
		}
		image := tensors.FromFlatDataAndDimensions(canvas, 1, height, width, 3)
		out := testkit.RunModel(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
			g := in[0].Graph()
			sizes := graph.Const(g, [][]int32{{tiny.Side, tiny.Side}})
			batch := Batch{Images: in[0], Sizes: sizes, Boxes: graph.Const(g, [][][]float32{{{4, 8, 24, 28}, {0, 0, 0, 0}}}),
				Classes: graph.Const(g, [][]int32{{1, 0}}), Valid: graph.Const(g, [][]bool{{true, false}})}
			l := d.Losses(scope, batch, in[1], graph.Const(g, true))
			return []*graph.Node{l.Vector()}
		}, image, tensors.FromFlatDataAndDimensions(Keys(1, 1, 1), 2, 3))
		losses = tensors.MustCopyFlatData[float32](out[0])
		out = testkit.RunModel(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
			f := d.Detect(scope, in[0], graph.Const(in[0].Graph(), [][]int32{{tiny.Side, tiny.Side}}))
			return []*graph.Node{f.Boxes, f.Scores, f.Logits, f.Energy, f.Classes, f.Valid}
		}, image)
		boxes, scores, logits := tensors.MustCopyFlatData[float32](out[0]), tensors.MustCopyFlatData[float32](out[1]), tensors.MustCopyFlatData[float32](out[2])
		energies, classes, valid := tensors.MustCopyFlatData[float32](out[3]), tensors.MustCopyFlatData[int32](out[4]), tensors.MustCopyFlatData[bool](out[5])
		detections = map[[5]int][]float32{}
		for i := range valid {
			if valid[i] {
				key := [5]int{int(classes[i])} // with the box to a hundredth of a pixel
				for k, v := range boxes[4*i : 4*i+4] {
					key[1+k] = int(math.Round(float64(v) * 100))
				}
				detections[key] = append([]float32{scores[i], energies[i]}, logits[3*i:3*i+3]...)
			}
		}
		return losses, detections
	}
	losses, detections := run(tiny.Side, tiny.Side)
	paddedLosses, paddedDetections := run(2*tiny.Side, tiny.Side+32)
	if v := losses; v[5] == 0 || v[6] == 0 || v[7] == 0 {
		t.Fatalf("losses %v: energy, likelihood or foreground is missing, nothing to compare", v)
	}
	testkit.Close(t, "losses", paddedLosses, losses, 1e-5)
	if len(detections) < 100 {
		t.Errorf("only %d detections to compare", len(detections))
	}
	missing := 0
	for box, values := range detections {
		padded, ok := paddedDetections[box]
		if !ok {
			missing++ // rounded to the next hundredth
			continue
		}
		for i, v := range values {
			if d := math.Abs(float64(padded[i] - v)); !(d <= 1e-5) {
				t.Errorf("class and box %v: score, energy and logits %v, on the larger canvas %v", box, values, padded)
				break
			}
		}
	}
	if missing*50 > len(detections) || len(paddedDetections) != len(detections) {
		t.Errorf("%d of %d detections are others on the larger canvas, which has %d", missing, len(detections), len(paddedDetections))
	}
}
