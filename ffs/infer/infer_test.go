package infer

import (
	"context"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gomlx/gomlx/core/tensors"
	"github.com/gomlx/gomlx/ml/model"
	"github.com/google/go-cmp/cmp"

	"ffslab/data"
	"ffslab/data/box"
	"ffslab/ffs/eval"
	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/internal/tiny"
)

// untrained returns the tiny detector with the parameters that training starts from.
func untrained(t *testing.T, settings ...string) *Model {
	t.Helper()
	c, err := tiny.Config(settings...)
	if err != nil {
		t.Fatal(err)
	}
	m, err := New(testkit.Backend(t), model.NewStore(), c, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	return m
}

func TestDetectVisitsEveryImageOnce(t *testing.T) {
	m := untrained(t, "model.roi.score_threshold=0.01")
	set := tiny.Squares("squares", 6, "red", "blue") // a whole batch and a part of one
	var seen []int
	err := m.Detect(t.Context(), set, nil, func(found ImageDetections) error {
		seen = append(seen, found.Index)
		last := math.Inf(1)
		for _, d := range found.Detections {
			if d.Score > last {
				t.Errorf("image %d: score %v after %v", found.Index, d.Score, last)
			}
			last = d.Score
			checkDetection(t, d)
			if d.ImageID != set.Images[found.Index].ID {
				t.Errorf("image %d: a detection bears the id %d", found.Index, d.ImageID)
			}
		}
		if len(found.Detections) == 0 {
			t.Errorf("image %d: nothing detected at a threshold that everything reaches", found.Index)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(seen)
	if diff := cmp.Diff([]int{0, 1, 2, 3, 4, 5}, seen); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
}

// checkDetection compares a detection's own numbers with each other.
func checkDetection(t *testing.T, d eval.Detection) {
	t.Helper()
	if b := d.Box.Corners(); b[0] < 0 || b[1] < 0 || b[2] > tiny.Side || b[3] > tiny.Side || b[0] >= b[2] || b[1] >= b[3] {
		t.Errorf("box %v is empty or leaves the image", d.Box)
	}
	var all, inliers float64
	for i, logit := range d.Logits {
		all += math.Exp(float64(logit))
		if i < len(d.Logits)-1 {
			inliers += math.Exp(float64(logit))
		}
	}
	if p := math.Exp(float64(d.Logits[d.CategoryID-1])) / all; math.Abs(p-d.Score) > 1e-5 {
		t.Errorf("score %v, but the logits %v say %v", d.Score, d.Logits, p)
	}
	if e := math.Log(inliers); math.Abs(e-d.Scores["energy"]) > 1e-5 {
		t.Errorf("energy %v, but the logits %v say %v", d.Scores["energy"], d.Logits, e)
	}
}

func TestDetectStopsAtTheFirstError(t *testing.T) {
	m := untrained(t)
	stop, calls := errors.New("stop"), 0
	err := m.Detect(t.Context(), tiny.Squares("squares", 6, "red"), nil, func(ImageDetections) error { calls++; return stop })
	if !errors.Is(err, stop) || calls != 1 {
		t.Errorf("error %v after %d calls, want the callback's after 1", err, calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := m.Detect(ctx, tiny.Squares("squares", 6, "red"), nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want the context's", err)
	}
}

// What is left of an interrupted pass has the very numbers of a whole one, and the host's
// arithmetic on the logits agrees with the graph's.
func TestDetectRemaining(t *testing.T) {
	m := untrained(t, "model.roi.score_threshold=0.01")
	set := tiny.Squares("squares", 6, "red", "blue") // batches of 4 and 2
	whole := map[int][]eval.Detection{}
	err := m.Detect(t.Context(), set, nil, func(found ImageDetections) error { whole[found.Index] = found.Detections; return nil })
	if err != nil {
		t.Fatal(err)
	}
	identity, err := m.Identity()
	if err != nil {
		t.Fatal(err)
	}
	rest := map[int][]eval.Detection{}
	sizes := []int{}
	err = m.DetectRemaining(t.Context(), set, nil, map[int]bool{0: true, 1: true, 2: true, 3: true}, func(batch []ImageDetections) error {
		sizes = append(sizes, len(batch))
		for _, found := range batch {
			rest[found.Index] = found.Detections
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[int][]eval.Detection{4: whole[4], 5: whole[5]}, rest); diff != "" || !slices.Equal(sizes, []int{2}) {
		t.Errorf("batches of %v, detections (-whole +rest):\n%s", sizes, diff)
	}
	all := map[int]bool{0: true, 1: true, 2: true, 3: true, 4: true, 5: true}
	if err := m.DetectRemaining(t.Context(), set, nil, all, nil); err != nil {
		t.Errorf("nothing is left: error %v", err)
	}

	layer, err := m.EnergyLayer()
	if err != nil {
		t.Fatal(err)
	}
	const nearlyOne = 1 + 1e-9
	for _, d := range rest[4] {
		tempered, err := eval.AtTemperature([]eval.Detection{d}, nearlyOne, layer)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"energy", "weighted_energy", "logistic"} {
			testkit.Close(t, name, tempered[0].Scores[name], d.Scores[name], 1e-5)
		}
	}

	if again, err := m.Identity(); err != nil || again != identity {
		t.Errorf("the identity has changed by detecting: %+v, before %+v, error %v", again, identity, err)
	}
	bias := m.store.GetVariable("/roi_heads/logistic_regression/bias")
	if err := bias.SetValue(tensors.FromValue([]float32{1, 2})); err != nil {
		t.Fatal(err)
	}
	if again, err := m.Identity(); err != nil || again.Parameters == identity.Parameters || again.Settings != identity.Settings {
		t.Errorf("another bias: %+v, before %+v, error %v", again, identity, err)
	}
	m.Config.Model.ROI.NMS = 0.4
	if again, err := m.Identity(); err != nil || again.Settings == identity.Settings {
		t.Errorf("another setting: %+v, before %+v, error %v", again, identity, err)
	}
}

func TestUnpackReturnsToTheImage(t *testing.T) {
	m := untrained(t, "model.roi.detections=4")
	dim, logits := m.Config.Model.ROI.FCDim, len(m.Config.Model.Classes)+1
	outputs := [][]float32{
		outBoxes:    {2, 4, 20, 30, 0, 0, 64, 64, 1, 1, 5, 5, 61, 10, 63, 12},
		outScores:   {0.9, 0.8, 0.7, 0.6},
		outClasses:  {1, 0, 1, 0},
		outValid:    {1, 1, 0, 1}, // the third is padding, the fourth lies right of the image
		outLogits:   make([]float32, 4*logits),
		outFeatures: make([]float32, 4*dim),
		outEnergy:   {1, 2, 3, 4}, {5, 6, 7, 8}, {0.1, 0.2, 0.3, 0.4}, {-1, -2, -3, -4},
	}
	outputs[outFeatures][dim], outputs[outLogits][logits+2] = 7, 9
	source := data.Source{Width: 120, Height: 30, ScaleX: 0.5, ScaleY: 2}
	got := m.unpack(outputs, 0, source, 11, []data.ID{0, 7})
	scores := func(energy, weighted float64, logistic float32, nll float64) map[string]float64 {
		return map[string]float64{"energy": energy, "weighted_energy": weighted, "logistic": float64(logistic), "nll": -nll}
	}
	if diff := cmp.Diff([]eval.Detection{
		{ImageID: 11, CategoryID: 7, Box: box.COCO{4, 2, 36, 13}, Score: float64(float32(0.9)), Logits: []float64{0, 0, 0}, Scores: scores(1, 5, 0.1, -1)},
		{ImageID: 11, CategoryID: 0, Box: box.COCO{0, 0, 120, 30}, Score: float64(float32(0.8)), Logits: []float64{0, 0, 9}, Scores: scores(2, 6, 0.2, -2)},
	}, got.Detections); diff != "" {
		t.Errorf("detections (-want +got):\n%s", diff)
	}
	if len(got.Features) != 2 || len(got.Features[1]) != dim || got.Features[1][0] != 7 {
		t.Errorf("features %v, want those of both detections", got.Features)
	}

	// Detections are kept by the thousand: they must not hold on to the memory of their batch.
	freed := make(chan string, len(outputs))
	for i := range outputs {
		runtime.AddCleanup(&outputs[i][0], func(i int) { freed <- fmt.Sprint("output ", i) }, i)
	}
	kept, n := got.Detections, len(outputs)
	got, outputs = ImageDetections{}, nil
	runtime.GC()
	runtime.GC()
	for range n {
		select {
		case <-freed:
		case <-time.After(time.Minute): // it takes far less
			t.Fatal("the detections hold on to the memory of their batch")
		}
	}
	runtime.KeepAlive(kept)
}

func TestObjectFeatures(t *testing.T) {
	m := untrained(t)
	set := tiny.Squares("squares", 5, "red", "blue")
	set.Images = append(set.Images, tiny.Empty())
	objects, err := m.ObjectFeatures(t.Context(), set, 0)
	if err != nil {
		t.Fatal(err)
	}
	if len(objects) != 5 {
		t.Fatalf("%d objects, want 5", len(objects))
	}
	var rows [][]float32
	for _, o := range objects {
		want := set.Images[o.Image].Instances[0]
		for k, v := range o.Box {
			if v != want.Box[k] {
				t.Errorf("image %d: box %v, want %v", o.Image, o.Box, want.Box)
			}
		}
		if o.Category != want.Category {
			t.Errorf("image %d: category %d, want %d", o.Image, o.Category, want.Category)
		}
		rows = append(rows, o.Features)
	}
	scores, err := m.Score(rows)
	if err != nil {
		t.Fatal(err)
	}
	for i, o := range objects {
		testkit.Close(t, "energy and NLL", []float64{o.Energy, o.NLL}, []float64{scores[i].Energy, scores[i].NLL}, 1e-5)
	}
	few, err := m.ObjectFeatures(t.Context(), set, 3)
	if err != nil || len(few) != 3 {
		t.Errorf("with limit 3: %d objects, error %v", len(few), err)
	}
}

func TestFlowIsInverted(t *testing.T) {
	m := untrained(t)
	z := m.Latents(7, 1, 3)
	x, drawn, err := m.Decode(z)
	if err != nil {
		t.Fatal(err)
	}
	back, encoded, err := m.Encode(x)
	if err != nil {
		t.Fatal(err)
	}
	testkit.Close(t, "latents", slices.Concat(back...), slices.Concat(z...), 1e-4)
	if len(drawn) != 7 || len(encoded) != 7 {
		t.Errorf("%d and %d likelihoods, want 7", len(drawn), len(encoded))
	}
	scores, err := m.Score(x)
	if err != nil {
		t.Fatal(err)
	}
	for i := range scores {
		testkit.Close(t, "NLL as a score", scores[i].NLL, encoded[i], 1e-4)
	}
}

func TestLatents(t *testing.T) {
	m := untrained(t)
	if cmp.Equal(m.Latents(4, 1, 1), m.Latents(4, 1, 2)) {
		t.Error("two seeds draw the same latents")
	}
	var sum, squares float64
	all := slices.Concat(m.Latents(2000, 0.5, 1)...)
	for _, z := range all {
		sum, squares = sum+float64(z), squares+float64(z)*float64(z)
	}
	n := float64(len(all)) // 32000: the mean's standard error is 0.003, that of the standard deviation 0.002
	if mean, deviation := sum/n, math.Sqrt(squares/n); math.Abs(mean) > 0.012 || math.Abs(deviation-0.5) > 0.008 {
		t.Errorf("mean %v and standard deviation %v, want 0 and the temperature, 0.5", mean, deviation)
	}
}

func TestRowsAreChecked(t *testing.T) {
	m := untrained(t)
	for want, rows := range map[string][][]float32{
		"no rows are given":                       nil,
		"row 1 has 3 numbers, but the model's":    {make([]float32, 16), make([]float32, 3)},
		"row 0 has 17 numbers, but the model's b": {make([]float32, 17)},
	} {
		_, err1 := m.Score(rows)
		_, _, err2 := m.Encode(rows)
		_, _, err3 := m.Decode(rows)
		for _, err := range []error{err1, err2, err3} {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("error %v, want one with %q", err, want)
			}
		}
	}
}

func TestModelWithoutFlow(t *testing.T) {
	m := untrained(t, "model.outlier.method=none")
	if layer, err := m.EnergyLayer(); layer != nil || err != nil {
		t.Errorf("layer %v, error %v, want none", layer, err)
	}
	if m.HasFlow() || m.HasEnergy() {
		t.Error("a model of the method none has a flow or a learned energy")
	}
	for _, err := range []error{second(m.Draw(t.Context(), "flow", 3, 1, 0)), third(m.Encode(m.Latents(1, 1, 0)))} {
		if err == nil || !strings.Contains(err.Error(), "has no flow") {
			t.Errorf("error %v, want one that says that there is no flow", err)
		}
	}
}

func second[A any](_ A, err error) error { return err }

func third[A, B any](_ A, _ B, err error) error { return err }

func TestOpenNamesWhatIsMissing(t *testing.T) {
	if _, err := Open(testkit.Backend(t), t.TempDir()); err == nil || !strings.Contains(err.Error(), "not a run folder") {
		t.Errorf("error %v", err)
	}
}

// Without a data set, or with ids for other classes, there is an error, not a panic.
func TestNoDataSet(t *testing.T) {
	m := untrained(t)
	found := func(ImageDetections) error { return nil }
	_, objects := m.ObjectFeatures(t.Context(), nil, 0)
	_, batches := m.Batches(nil)
	_, _, proposals := m.ProposalFeatures(t.Context(), nil)
	for _, err := range []error{objects, batches, proposals, m.Detect(t.Context(), nil, nil, found)} {
		if !errors.Is(err, errNoSet) {
			t.Errorf("error %v", err)
		}
	}
	if err := m.Detect(t.Context(), tiny.Squares("squares", 1, "red"), []data.ID{1}, found); err == nil || !strings.Contains(err.Error(), "1 category ids are given, but the model has 2 classes") {
		t.Errorf("error %v", err)
	}
	for limit := range 2 {
		if objects, err := m.ObjectFeatures(t.Context(), &data.Dataset{}, limit); len(objects) > 0 {
			t.Errorf("objects of an empty set: %v, %v", objects, err)
		}
	}
}
