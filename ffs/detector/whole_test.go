package detector

import (
	"encoding/json"
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

// The preset voc makes the original's detector: the same parameters by name, shape and whether they are trained.
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
	if err := checkpoint.Export(store, path); err != nil {
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

// One image on a canvas of its size, and in the corner of a larger one: the same losses and the same detections. All anchors and proposals are taken, so
// that no draw depends on the canvas.
func TestPaddingChangesNothing(t *testing.T) {
	c, err := tiny.Config("model.rpn.batch_per_image=4000", "model.rpn.positive_fraction=1", "model.rpn.pre_nms_train=400", "model.rpn.post_nms_train=60",
		"model.roi.batch_per_image=80", "model.roi.positive_fraction=1", "model.roi.score_threshold=0.01", "model.roi.detections=20")
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
	run := func(height, width int) (losses, detections [][]float32) {
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
		losses = [][]float32{tensors.MustCopyFlatData[float32](out[0])}
		out = testkit.RunModel(t, store, func(scope *model.Scope, in []*graph.Node) []*graph.Node {
			f := d.Detect(scope, in[0], graph.Const(in[0].Graph(), [][]int32{{tiny.Side, tiny.Side}}))
			return []*graph.Node{f.Boxes, f.Scores, f.Logits, f.Energy}
		}, image)
		for _, o := range out {
			detections = append(detections, tensors.MustCopyFlatData[float32](o))
		}
		return losses, detections
	}
	losses, detections := run(tiny.Side, tiny.Side)
	paddedLosses, paddedDetections := run(2*tiny.Side, tiny.Side+32)
	if v := losses[0]; v[5] == 0 || v[6] == 0 || v[7] == 0 {
		t.Fatalf("losses %v: energy, likelihood or foreground is missing, nothing to compare", v)
	}
	testkit.Close(t, "losses", paddedLosses[0], losses[0], 1e-5)
	for i, what := range []string{"boxes", "scores", "logits", "energies"} {
		testkit.Close(t, what, paddedDetections[i], detections[i], 1e-4)
	}
}
