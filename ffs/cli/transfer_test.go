package cli

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/gomlx/compute/dtypes"
	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/data/box"
	"ffslab/ffs/checkpoint"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/npz"
	"ffslab/ffs/run"
)

// ffs runs a command line whose words are separated by blanks, and fails the test if it fails.
func ffs(t *testing.T, line string) {
	t.Helper()
	testkit.Backend(t) // skips where there is none
	cmd := newRoot()
	cmd.SetArgs(strings.Fields(line))
	if err := cmd.ExecuteContext(t.Context()); err != nil {
		t.Fatalf("ffs %s: %v", line, err)
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// The reference's checkpoint, imported and run on its picture by command, gives the reference's
// boxes, scores and logits.
func TestImportedDetectorDetectsWhatTheReferenceDoes(t *testing.T) {
	golden := testkit.Golden(t, "../detector/testdata/detector.npz")
	weights, settings := absolute(t, "../detector/testdata/detector.pth"), absolute(t, "../detector/testdata/reference.yaml")
	picture := absolute(t, "../detector/testdata/detector.png")
	t.Chdir(t.TempDir())
	ffs(t, "import "+weights+" --config "+settings+" --run run")
	ffs(t, "detect --run run "+picture+" --out out")

	raw, err := os.ReadFile("out/detections.json")
	if err != nil {
		t.Fatal(err)
	}
	var detections []found
	if err := json.Unmarshal(raw, &detections); err != nil {
		t.Fatal(err)
	}
	boxes, scores, classes := golden["boxes"].Float64s(), golden["scores"].Float64s(), golden["classes"].Ints()
	logits := golden["inter_feat"].Float64s()
	if len(detections) != len(classes) || len(classes) == 0 {
		t.Fatalf("%d detections, the reference has %d", len(detections), len(classes))
	}
	taken := make([]bool, len(classes))
	for _, d := range detections {
		corners := box.COCO(d.Box).Corners()
		match := -1
		for i, class := range classes {
			near := !slices.ContainsFunc([]int{0, 1, 2, 3}, func(k int) bool { return math.Abs(corners[k]-boxes[4*i+k]) > 0.02 })
			if !taken[i] && class+1 == int(*d.CategoryID) && near {
				match = i
				break
			}
		}
		if match < 0 {
			t.Errorf("%s at %v is not the reference's", d.Category, corners)
			continue
		}
		taken[match] = true
		testkit.Close(t, "score", *d.Score, scores[match], 1e-3)
		testkit.Close(t, "logits", d.Logits, logits[6*match:6*match+6], 3e-3)
	}
}

// A run that starts from a checkpoint of PyTorch, is saved and resumed loses nothing: weights,
// momentum and place in the schedule. What it exports can be imported again, to the same weights.
func TestRunFromACheckpointLosesNothing(t *testing.T) {
	weights, settings := absolute(t, "../detector/testdata/detector.pth"), absolute(t, "../detector/testdata/reference.yaml")
	t.Chdir(t.TempDir())
	for _, line := range []string{
		"data convert digits:val?n=30&size=128 --out set.json --images pictures",
		"data split coco:set.json,pictures --inlier 0,1,2,3,4 --out split",
		"import " + weights + " --config " + settings + " --run run --set model.classes=[0,1,2,3,4] --set data.train=coco:split/id.json,pictures" +
			" --set train.images_per_step=2 --set train.max_iter=4 --set train.steps=[3] --set train.checkpoint_every=2 --set model.outlier.start_iter=1",
		"train --run run --resume",
	} {
		ffs(t, line)
	}
	last := filepath.Join("run", "checkpoints", "step-00000004.safetensors")
	want, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	trained := stored(t, "run")
	if err := os.Remove(last); err != nil {
		t.Fatal(err)
	}
	ffs(t, "train --run run --resume")
	got, err := os.ReadFile(last)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Error("resumed from step 2, the run ends otherwise than without the stop")
	}

	ffs(t, "export --run run --out out.safetensors")
	ffs(t, "import out.safetensors --config "+settings+" --run again --set model.classes=[0,1,2,3,4]")
	again := stored(t, "again")
	parameters, momenta := 0, 0
	for path, values := range trained {
		if strings.HasPrefix(path, "/optimizer/") {
			momenta++
			continue
		}
		if !slices.Equal(again[path], values) {
			t.Errorf("%s is not what was exported", path)
		}
		parameters++
	}
	if parameters < 60 || momenta < 60 {
		t.Errorf("%d parameters and %d momenta; want 60 of each or more", parameters, momenta)
	}
}

// An ImageNet classifier under timm's names becomes a run's backbone: configuration, pixels and
// channel order are the file's, --set goes before.
func TestImportTakesAClassifier(t *testing.T) {
	golden := testkit.Golden(t, "../pretrained/testdata/features.npz")
	var file []checkpoint.Tensor
	for line := range strings.Lines(string(bytesOf(golden["timm.regnetx_002.parameters"]))) {
		words := strings.Fields(line)
		var shape []int
		n := 1
		for _, word := range words[1:] {
			d, err := strconv.Atoi(word)
			if err != nil {
				t.Fatal(err)
			}
			shape, n = append(shape, d), n*d
		}
		var data []byte
		for i := range n {
			data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(i)/float32(n)))
		}
		tensor, err := checkpoint.NewTensor(words[0], dtypes.Float32, shape, data)
		if err != nil {
			t.Fatal(err)
		}
		file = append(file, tensor)
	}
	t.Chdir(t.TempDir())
	if err := checkpoint.WriteSafeTensors("timm.safetensors", file, nil); err != nil {
		t.Fatal(err)
	}
	ffs(t, "import timm.safetensors --config digits --run run --set model.backbone.freeze_at=1 --set input.pixel_std=[60,60,60]")
	r, err := run.Open("run")
	if err != nil {
		t.Fatal(err)
	}
	b := r.Config.Model.Backbone
	if b.Depth != 13 || b.GroupWidth != 8 || b.StemWidth != 32 || b.Norm != "frozen_bn" || b.FreezeAt != 1 || r.Config.Input.PixelStd[0] != 60 {
		t.Errorf("the run has the backbone %+v and pixel_std %v", b, r.Config.Input.PixelStd)
	}
	variables := stored(t, "run")
	theirs, err := file[0].Float32() // [32, 3, 3, 3], of channels red, green, blue
	if err != nil {
		t.Fatal(err)
	}
	ours := variables["/backbone/bottom_up/stem/conv/weight"] // [3, 3, 3, 32], blue, green, red
	for channel := range 3 {
		if got, want := ours[channel*32+5], theirs[(5*3+2-channel)*9]; got != want {
			t.Errorf("channel %d of the first convolution: %v, want %v", channel, got, want)
		}
	}
	if got := variables["/backbone/bottom_up/s4/b7/f/c_bn/running_var"]; len(got) != 368 || got[1] != 1./368 {
		t.Errorf("the last variance: %v", got)
	}
}

// bytesOf returns an array's numbers as bytes.
func bytesOf(a *npz.Array) []byte {
	var text []byte
	for _, v := range a.Ints() {
		text = append(text, byte(v))
	}
	return text
}

// With --continue the imported run goes on where the file's training ended, with its momentum.
func TestImportContinues(t *testing.T) {
	weights, settings := absolute(t, "../detector/testdata/detector.pth"), absolute(t, "../detector/testdata/reference.yaml")
	t.Chdir(t.TempDir())
	ffs(t, "import "+weights+" --config "+settings+" --run run --continue")
	variables := stored(t, "run")
	// The file's optimizer has moved the two layers of the predictor alone, and 23999 was its last
	// iteration.
	for _, name := range []string{"cls_score/weight", "cls_score/bias", "bbox_pred/weight", "bbox_pred/bias"} {
		momentum := variables["/optimizer/momentum/roi_heads/box_predictor/"+name]
		if len(momentum) != len(variables["/roi_heads/box_predictor/"+name]) || !slices.ContainsFunc(momentum, func(v float32) bool { return v != 0 }) {
			t.Errorf("the momentum of %s is %v", name, momentum)
		}
	}
	if _, err := os.Stat(filepath.Join("run", "checkpoints", "step-00024000.safetensors")); err != nil {
		t.Error(err)
	}
	cmd := newRoot()
	cmd.SetArgs(strings.Fields("import " + weights + " --config " + settings + " --run short --continue --set train.max_iter=100"))
	if err := cmd.ExecuteContext(t.Context()); err == nil || !strings.Contains(err.Error(), "has done 24000 steps") {
		t.Errorf("error %v, want one that names the file's steps", err)
	}
	if _, err := os.Stat("short"); err == nil {
		t.Error("the import that failed has left its run folder")
	}
}

// A checkpoint whose backbone is not the configuration's is refused; one with other heads is not.
func TestImportWantsTheBackbone(t *testing.T) {
	t.Chdir(t.TempDir())
	ffs(t, "export --run zoo:digits-flow --out digits.safetensors")
	const text = "of another architecture than the configuration's backbone: "
	for setting, want := range map[string]string{
		"model.backbone.stem_width=8": text + "73 tensors fit, 5 do not (s1.b1.f.a.weight is of shape [32 16 1 1], want [32 8 1 1]; ",
		"model.backbone.depth=8":      text + "78 tensors fit, 6 do not (missing s4.b2.f.a.weight; ",
	} {
		if got := fails(t, "import digits.safetensors --config digits --run other --set "+setting); !strings.Contains(got, "digits.safetensors: "+text) || !strings.Contains(got, want) {
			t.Errorf("--set %s: %q, want %q", setting, got, want)
		}
	}
	file, err := checkpoint.Open("digits.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	deeper := slices.Clone(file.Tensors)
	for _, tensor := range file.Tensors {
		if strings.HasPrefix(tensor.Name, "backbone.bottom_up.s4.b1.") {
			tensor.Name = strings.Replace(tensor.Name, ".b1.", ".b2.", 1)
			deeper = append(deeper, tensor)
		}
	}
	if err := checkpoint.WriteSafeTensors("deeper.safetensors", deeper, nil); err != nil {
		t.Fatal(err)
	}
	if got := fails(t, "import deeper.safetensors --config digits --run other"); !strings.Contains(got, text+"78 tensors fit, 8 do not ") || !strings.Contains(got, "(unknown backbone.bottom_up.s4.b2.") {
		t.Errorf("a deeper network: %q", got)
	}
	if _, err := os.Stat("other"); err == nil {
		t.Error("the import that failed has left its run folder")
	}
	ffs(t, "import digits.safetensors --config digits --run classes --set model.classes=[a,b]")
	ffs(t, "import digits.safetensors --config digits --run heads --set model.roi.fc_dim=64")
}

// Flags that do not apply to a file are errors that name them, before anything is written.
func TestTransferRefusesFlags(t *testing.T) {
	t.Chdir(t.TempDir())
	ffs(t, "export --run zoo:digits-flow --out digits.zip")
	if got := fails(t, "import digits.zip --run run --config voc --continue --set model.classes=[a]"); !strings.HasPrefix(got, "--config, --set, --continue: ") {
		t.Errorf("flags beside an exported run: %q", got)
	}
	for _, out := range []string{"w.pth", "w", "w.safetensor"} {
		if got := fails(t, "export --run zoo:digits-flow --out "+out); !strings.HasPrefix(got, "--out "+out+": ") || !strings.Contains(got, ".safetensors") {
			t.Errorf("--out %s: %q", out, got)
		}
	}
	if entries, err := os.ReadDir("."); err != nil || len(entries) != 1 {
		t.Errorf("left: %v, %v", entries, err)
	}
}

// stored returns the newest checkpoint's variables.
func stored(t *testing.T, dir string) map[string][]float32 {
	t.Helper()
	r, err := run.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	store := model.NewStore()
	if _, err := r.Load(store); err != nil {
		t.Fatal(err)
	}
	variables := map[string][]float32{}
	for v := range store.IterVariables() {
		if v.DType().IsFloat() {
			variables[v.Path()] = tensors.MustCopyFlatData[float32](v.MustValue())
		}
	}
	return variables
}
