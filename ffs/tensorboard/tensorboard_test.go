package tensorboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image"
	_ "image/jpeg" // pictures are of this format
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ffslab/data"
	"ffslab/ffs/eval"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/internal/tiny"
	"ffslab/ffs/protocol"
	"ffslab/ffs/run"
	"ffslab/ffs/tensorboard/event"
	"ffslab/ffs/train"
)

// told keeps the warnings of a progress.
type told struct{ warnings []string }

func (*told) Compiling(data.Canvas)       {}
func (*told) Compiled(int, time.Duration) {}
func (*told) Step(run.Metrics, int)       {}
func (t *told) Warn(message string)       { t.warnings = append(t.warnings, message) }

// newRun makes the folder of a run of the tiny detector.
func newRun(t *testing.T) run.Named {
	t.Helper()
	c, err := tiny.Config("train.base_lr=0.25")
	if err != nil {
		t.Fatal(err)
	}
	r, err := run.Create(filepath.Join(t.TempDir(), "r"), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return run.Named{Name: "tiny", Run: r}
}

func init() {
	data.Register("squares", "squares:SET", func(set string, _ data.Options) (*data.Dataset, error) {
		if set == "ood" {
			return tiny.Squares("squares:ood", 5, "green"), nil
		}
		return tiny.Squares("squares:"+set, 6, "red", "blue"), nil
	})
}

// trained trains the tiny detector for a few steps and returns the warnings, too.
func trained(t *testing.T, ood string) (run.Named, []string) {
	t.Helper()
	c, err := tiny.Config("data.train=squares:train", "data.val=squares:val", "data.ood="+ood)
	if err != nil {
		t.Fatal(err)
	}
	r, err := run.Create(filepath.Join(t.TempDir(), "r"), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	set, err := data.Open("squares:train", data.Options{})
	if err != nil {
		t.Fatal(err)
	}
	named := run.Named{Name: "squares", Run: r}
	progress := &told{}
	training := NewTraining(t.Context(), named, testkit.Backend(t), progress)
	err = train.Train(t.Context(), train.Options{Backend: testkit.Backend(t), Run: r, Data: set, Progress: training})
	training.Close()
	if err != nil {
		t.Fatal(err)
	}
	return named, progress.warnings
}

// pretend writes what the steps of a training would. It is interrupted: no model runs.
func pretend(t *testing.T, r run.Named, from, to, last int) {
	t.Helper()
	progress := &told{}
	interrupted, stop := context.WithCancel(t.Context())
	stop()
	training := NewTraining(interrupted, r, testkit.Backend(t), progress)
	for step := from; step <= to; step++ {
		training.Step(run.Metrics{Step: step, TotalLoss: 8 / float64(step), LossNLL: 0.5, Terms: map[string]float64{"loss_mine": 0.25}}, last)
	}
	training.Close()
	if len(progress.warnings) > 0 {
		t.Error(progress.warnings)
	}
}

// measure pretends an evaluation with detections on every object.
func measure(t *testing.T, r run.Named) *protocol.Evaluation {
	t.Helper()
	e := &protocol.Evaluation{Run: r, Sets: []*data.Dataset{tiny.Squares("squares:val", 4, "red", "blue"), tiny.Squares("squares:ood", 4, "green")}}
	for i, set := range e.Sets {
		var found []eval.Detection
		for k, img := range set.Images {
			o := img.Instances[0]
			found = append(found, eval.Detection{
				ImageID: img.ID, CategoryID: e.Sets[0].Categories[o.Category].ID, Box: o.Box.COCO(), Score: 0.9 - 0.1*float64(k), Logits: []float64{5, 1, 0},
				Scores: map[string]float64{"energy": float64(2*k - i)},
			})
		}
		e.Detections = append(e.Detections, found)
	}
	settings := eval.Settings{Temperature: 1}
	var err error
	inlier := eval.Results{Annotations: protocol.Annotations(e.Sets[0]), Detections: e.Detections[0]}
	if e.Report, err = settings.MeasureDetection(inlier); err != nil {
		t.Fatal(err)
	}
	if err := settings.MeasureOutliers(e.Report, inlier, map[string]eval.Results{
		e.Sets[1].Name: {Annotations: protocol.Annotations(e.Sets[1]), Detections: e.Detections[1]},
	}); err != nil {
		t.Fatal(err)
	}
	e.Report.Subject = &eval.Subject{Step: 5, Steps: 5}
	return e
}

// events are those of the files in a folder, in the order of the files' names.
func events(t *testing.T, dir string) []*event.Event {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(dir, "events.out.tfevents.*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("%s: no event files: %v", dir, err)
	}
	slices.Sort(paths)
	var all []*event.Event
	for _, path := range paths {
		content, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		found, err := read(bytes.NewReader(content))
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if found[0].GetFileVersion() != "brain.Event:2" {
			t.Errorf("%s begins with %v", path, found[0])
		}
		all = append(all, found[1:]...)
	}
	return all
}

func TestTraining(t *testing.T) {
	r := newRun(t)
	pretend(t, r, 1, 4, 5)
	pretend(t, r, 3, 5, 5) // goes on from a checkpoint of step 2
	var steps, restarts []int64
	ended := false
	for _, e := range events(t, Folder(r.Dir)) {
		if e.GetSessionLog().GetStatus() == event.SessionLog_START {
			restarts = append(restarts, e.Step)
		}
		for _, v := range e.GetSummary().GetValue() {
			if v.Tag == "loss/total_loss" {
				steps = append(steps, e.Step)
				if v.GetSimpleValue() != float32(8/float64(e.Step)) {
					t.Errorf("step %d: %v", e.Step, v)
				}
			}
			ended = ended || v.Tag == "_hparams_/session_end_info"
		}
	}
	if diff := cmp.Diff([]int64{1, 2, 3, 4, 3, 4, 5}, steps); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]int64{1, 3}, restarts); diff != "" || !ended {
		t.Errorf("ended: %v; beginnings (-want +got):\n%s", ended, diff)
	}
}

// A training shows what it detects while it goes on, and at its end.
func TestTrainingShowsDetections(t *testing.T) {
	r, warnings := trained(t, "[squares:ood]")
	if len(warnings) > 0 {
		t.Error(warnings)
	}
	steps := map[string][]int64{}
	for _, e := range events(t, Folder(r.Dir)) {
		for _, v := range e.GetSummary().GetValue() {
			switch {
			case v.GetImage() != nil:
				if config, _, err := image.DecodeConfig(bytes.NewReader(v.GetImage().EncodedImageString)); err != nil || config.Width < 300 {
					t.Errorf("step %d: image %+v, %v", e.Step, config, err)
				}
			case v.GetHisto() == nil:
				continue
			}
			steps[v.Tag] = append(steps[v.Tag], e.Step)
			if objects := map[string]float64{"energy_of_objects/squares-val": 6, "energy_of_objects/squares-ood": 5}[v.Tag]; v.GetHisto().GetNum() != objects {
				t.Errorf("step %d: %s of %v objects, want %v", e.Step, v.Tag, v.GetHisto().GetNum(), objects)
			}
		}
	}
	for _, tag := range []string{"detections/validation", "energy_of_objects/squares-val", "energy_of_objects/squares-ood"} {
		if of := steps[tag]; len(of) < 2 || of[len(of)-1] != 8 {
			t.Errorf("%s at the steps %v, want some, and 8", tag, of)
		}
	}
}

// A set that is not on this machine is told once and costs only its own energies.
func TestTrainingShowsDetectionsWithoutOutliers(t *testing.T) {
	r, warnings := trained(t, "[\"coco:absent.json,absent\", squares:ood]")
	if len(warnings) != 1 || !strings.Contains(warnings[0], "absent.json") {
		t.Errorf("warnings: %q", warnings)
	}
	seen := map[string]bool{}
	for _, e := range events(t, Folder(r.Dir)) {
		for _, v := range e.GetSummary().GetValue() {
			seen[v.Tag] = true
		}
	}
	for _, tag := range []string{"detections/validation", "energy_of_objects/squares-val", "energy_of_objects/squares-ood"} {
		if !seen[tag] {
			t.Errorf("no %s", tag)
		}
	}
}

// A full disk ends the writing with one warning, not the training.
func TestATrainingThatCannotWriteGoesOn(t *testing.T) {
	r := newRun(t)
	if err := os.WriteFile(Folder(r.Dir), nil, 0o600); err != nil { // where the folder should be
		t.Fatal(err)
	}
	progress := &told{}
	training := NewTraining(t.Context(), r, testkit.Backend(t), progress)
	for step := range 2 {
		training.Step(run.Metrics{Step: step + 1}, 3)
	}
	training.Close()
	if len(progress.warnings) != 1 {
		t.Errorf("warnings: %q", progress.warnings)
	}
}

func TestEvaluation(t *testing.T) {
	r := newRun(t)
	e := measure(t, r)
	dir := Folder(r.Dir)
	for range 2 { // the second replaces the first
		if err := SaveEvaluation(e, dir, func(note string) { t.Error(note) }); err != nil {
			t.Fatal(err)
		}
	}
	found := map[string]*event.Value{}
	for _, event := range events(t, filepath.Join(dir, "eval")) {
		if event.Step != 5 {
			t.Errorf("step %d", event.Step)
		}
		for _, v := range event.GetSummary().GetValue() {
			if found[v.Tag] != nil {
				t.Errorf("%s is there twice", v.Tag)
			}
			found[v.Tag] = v
		}
	}
	if got, want := found["AUROC_squares-ood/energy"].GetSimpleValue(), e.Report.Outliers["squares:ood"].Scores["energy"].AUROC; math.Abs(float64(got)-want) > 1e-6 || want == 0 {
		t.Errorf("AUROC %v, want %v", got, want)
	}
	h := found["energy/squares-val"].GetHisto()
	kept, err := e.Scores(0, "energy")
	if err != nil || h.GetNum() != float64(len(kept)) || h.Max != slices.Max(kept) || h.BucketLimit[bins-1] < h.Max {
		t.Errorf("%v: histogram %v of %v", err, h, kept)
	}
	for _, tag := range []string{"most_certain/squares-val", "least_certain/squares-ood", "taken_for_known/squares-ood"} {
		picture := found[tag].GetImage()
		config, format, err := image.DecodeConfig(bytes.NewReader(picture.GetEncodedImageString()))
		if err != nil || format != "jpeg" || config.Width != int(picture.Width) || config.Height != int(picture.Height) {
			t.Errorf("%s: %v, %s of %dx%d, said to be %dx%d", tag, err, format, config.Width, config.Height, picture.GetWidth(), picture.GetHeight())
		}
	}
	if !Holds(dir, filepath.Join(r.Dir, "config.yaml")) || Holds(filepath.Join(dir, "other"), filepath.Join(r.Dir, "config.yaml")) {
		t.Error("Holds does not see what is there")
	}
}

func TestDamageIsSeen(t *testing.T) {
	r := newRun(t)
	pretend(t, r, 1, 2, 2)
	paths, err := filepath.Glob(filepath.Join(Folder(r.Dir), "events.out.tfevents.*"))
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(paths[len(paths)-1])
	if err != nil {
		t.Fatal(err)
	}
	content[len(content)-9] ^= 1
	if _, err := read(bytes.NewReader(content)); !errors.Is(err, errDamaged) {
		t.Errorf("error %v", err)
	}
}

// The masked CRC-32C of TensorFlow's own test of it: 32 zero bytes have the CRC-32C 0x8a9136aa (RFC
// 3720, B.4).
func TestChecksum(t *testing.T) {
	crc := uint32(0x8a9136aa)
	if got, want := checksum(make([]byte, 32)), (crc>>15|crc<<17)+0xa282ead8; got != want {
		t.Errorf("%#x, want %#x", got, want)
	}
}

// TensorBoard reads what is written.
func TestTensorBoardReadsIt(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no Python: ", err)
	}
	if output, err := exec.Command(python, "-c", "import tensorboard").CombinedOutput(); err != nil {
		t.Skipf("Python has no package tensorboard (pip install tensorboard): %s", bytes.TrimSpace(output))
	}
	r := newRun(t)
	pretend(t, r, 1, 4, 5)
	pretend(t, r, 3, 5, 5)
	if err := SaveEvaluation(measure(t, r), Folder(r.Dir), func(note string) { t.Error(note) }); err != nil {
		t.Fatal(err)
	}
	type contents struct {
		Scalars, Images, Histograms map[string][][]float64
		HParams                     map[string]any
	}
	load := func(dir string) (c contents) {
		t.Helper()
		command := exec.Command(python, "testdata/read.py", dir)
		command.Stderr = os.Stderr
		output, err := command.Output()
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(output, &c); err != nil {
			t.Fatalf("%v in %s", err, output)
		}
		return c
	}
	training := load(Folder(r.Dir))
	// What the killed process had written beyond its checkpoint is dropped.
	if diff := cmp.Diff([][]float64{{1, 8}, {2, 4}, {3, float64(float32(8. / 3))}, {4, 2}, {5, float64(float32(1.6))}}, training.Scalars["loss/total_loss"]); diff != "" {
		t.Errorf("total loss (-want +got):\n%s", diff)
	}
	if len(training.Scalars["loss/loss_mine"]) != 5 || len(training.Scalars["train/lr"]) != 5 {
		t.Errorf("scalars: %v", training.Scalars)
	}
	for key, want := range map[string]any{"group": "tiny", "train.base_lr": 0.25, "model.outlier.method": "flow", "status": 1.0} {
		if training.HParams[key] != want {
			t.Errorf("hyperparameter %s: %v, want %v", key, training.HParams[key], want)
		}
	}
	taught, _ := trained(t, "[squares:ood]")
	shown := load(Folder(taught.Dir))
	last := func(values [][]float64) []float64 { return values[len(values)-1] }
	if images := shown.Images["detections/validation"]; len(images) == 0 || last(images)[0] != 8 {
		t.Errorf("detections: %v", images)
	}
	if diff := cmp.Diff([]float64{8, 5, 5}, last(shown.Histograms["energy_of_objects/squares-ood"])); diff != "" {
		t.Errorf("energies: step, number, sum of the buckets (-want +got):\n%s", diff)
	}
	measured := load(filepath.Join(Folder(r.Dir), "eval"))
	if len(measured.Images) != 5 || len(measured.Histograms) != 4 || measured.Histograms["energy/squares-val"][0][0] != 5 {
		t.Errorf("%d images, %d histograms: %v", len(measured.Images), len(measured.Histograms), measured.Histograms)
	}
	if v := measured.Scalars["detection/AP50"]; len(v) != 1 || v[0][0] != 5 {
		t.Errorf("AP50: %v", v)
	}
}
