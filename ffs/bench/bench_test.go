package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"ffslab/ffs/internal/testkit"
	"ffslab/ffs/internal/tiny"
)

func tinyOptions(t *testing.T, settings ...string) Options {
	t.Helper()
	c, err := tiny.Config(settings...)
	if err != nil {
		t.Fatal(err)
	}
	return Options{Config: c, Name: "tiny", Batch: 2, Steps: 3, Warmup: 1}
}

func TestParts(t *testing.T) {
	for name, measure := range map[string]func(context.Context, Options) (*Report, error){"step": Step, "infer": Infer, "flow": Flow} {
		t.Run(name, func(t *testing.T) {
			o := tinyOptions(t)
			o.Backend = testkit.Backend(t)
			var log bytes.Buffer
			o.Log = &log
			r, err := measure(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if !(0 < r.Min && r.Min <= r.Median && r.Median <= r.Max && r.Compile > 0 && r.PeakRSS > 0) {
				t.Errorf("durations and memory %+v, %g MiB", r.Timing, r.PeakRSS)
			}
			if name == "infer" {
				if r.Loss != nil || r.Detections == nil || *r.Detections == 0 {
					t.Errorf("loss %v, detections %v: want none, and some: every class reaches the lowered threshold", r.Loss, r.Detections)
				}
			} else if r.Detections != nil || r.Loss == nil || *r.Loss == 0 || math.IsNaN(*r.Loss) {
				t.Errorf("loss %v, detections %v: want a number, and none", r.Loss, r.Detections)
			}
			if calls := strings.Count(log.String(), " s\n"); calls != 5 {
				t.Errorf("%d calls in the log, want 1 that compiles, 1 warm-up and 3:\n%s", calls, log.String())
			}

			line, err := json.Marshal(r)
			if err != nil {
				t.Fatal(err)
			}
			var fields map[string]any
			if err := json.Unmarshal(line, &fields); err != nil {
				t.Fatal(err)
			}
			for key, want := range map[string]any{"part": name, "config": "tiny", "height": 64., "width": 64., "batch": 2., "steps": 3., "warmup": 1.} {
				if fields[key] != want {
					t.Errorf("%s: %v, want %v", key, fields[key], want)
				}
			}
			for _, key := range []string{"median_s", "min_s", "max_s", "compile_s", "peak_rss_mib", "shapes", "device", "commit", "cores"} {
				if _, ok := fields[key]; !ok {
					t.Errorf("no field %s in %s", key, line)
				}
			}
		})
	}
}

func TestPrepare(t *testing.T) {
	o := tinyOptions(t, "model.outlier.start_iter=1000", "train.max_iter=2000", "train.steps=[1500]")
	o.Height, o.Width = 96, 160
	o, r, err := o.prepare("step")
	if err != nil {
		t.Fatal(err)
	}
	if r.Height != 96 || r.Width != 160 || o.Config.Model.Outlier.StartIter != 0 || o.Config.Train.ImagesPerStep != 2 {
		t.Errorf("report %+v, first step with outliers %d, images %d", r, o.Config.Model.Outlier.StartIter, o.Config.Train.ImagesPerStep)
	}
	// The images fill the canvas, and their objects lie on it: 160x96 shrinks the scene of 260x240
	// by 0.4.
	set := images(o, 2)
	if len(set.Images) != 2 || set.Images[1].Width != 160 || set.Images[1].Height != 96 {
		t.Errorf("images %+v", set.Images)
	}
	objects := set.Images[0].Instances
	if len(objects) != 3 || objects[1].Category != 1 || objects[2].Category != 0 { // of two classes
		t.Fatalf("objects %+v", objects)
	}
	testkit.Close(t, "second object", objects[1].Box[:], []float64{40, 32, 104, 96}, 1e-12)

	for want, spoil := range map[string]func(*Options){
		"step: batch 0, steps 3, warmup 1: ":                                  func(o *Options) { o.Batch = 0 },
		"step: batch 2, steps 0, warmup 1: ":                                  func(o *Options) { o.Steps = 0 },
		"step: batch 2, steps 3, warmup -1: ":                                 func(o *Options) { o.Warmup = -1 },
		"step: height 100, width 64: input.canvases: [[100 64]] must be ":     func(o *Options) { o.Height = 100 },
		"step: height -32, width 64: input.min_size_train: [-32] must be pos": func(o *Options) { o.Height = -32 },
	} {
		o := tinyOptions(t)
		spoil(&o)
		if _, _, err := o.prepare("step"); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}

func TestMeasureStops(t *testing.T) {
	o, _, err := tinyOptions(t).prepare("step")
	if err != nil {
		t.Fatal(err)
	}
	fault := errors.New("fault")
	calls := 0
	_, err = o.measure(t.Context(), "step", func(i int) error {
		if i != calls {
			t.Errorf("call %d is numbered %d", calls, i)
		}
		if calls++; i == 2 {
			return fault
		}
		return nil
	})
	if !errors.Is(err, fault) || calls != 3 {
		t.Errorf("error %v after %d calls, want the third one's", err, calls)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls = 0
	_, err = o.measure(ctx, "step", func(int) error {
		calls++
		cancel()
		return nil
	})
	if !errors.Is(err, context.Canceled) || calls != 1 {
		t.Errorf("error %v after %d calls, want the context's after 1", err, calls)
	}
}

func TestALossThatIsNotFiniteIsNoMeasurement(t *testing.T) {
	o, r, err := tinyOptions(t).prepare("step")
	if err != nil {
		t.Fatal(err)
	}
	r.Loss = new(float64)
	err = r.finish(t.Context(), o, func(int) error {
		*r.Loss = math.NaN()
		return nil
	})
	if err == nil || !strings.HasPrefix(err.Error(), "step: the loss is NaN") {
		t.Errorf("error %v", err)
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{[]float64{7}, 7}, {[]float64{9, 1}, 9}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 3, 2}, 3}} {
		if got := median(c.values); got != c.want {
			t.Errorf("median of %v is %g, want %g", c.values, got, c.want)
		}
	}
}
