// Package bench measures what the parts of ffslab cost on this machine: a training step, inference,
// the flow, the loader and COCO's evaluation. Each report is one JSON object whose fields are those
// of the programs that it is put beside (see README.md); nothing here is a test.
//
// Images are noise and parameters are those that training starts from, so that no data and no run
// is needed. The learning rate is 0: every step is the same work, and none diverges.
package bench

import (
	"context"
	"fmt"
	"io"
	"math"
	"runtime"
	"slices"
	"time"

	"github.com/gomlx/compute"

	"ffslab/ffs/config"
	"ffslab/ffs/device"
	"ffslab/ffs/run"
)

// Options say what to measure, and how often.
type Options struct {
	// Backend runs the graphs.
	Backend compute.Backend
	// Config is the configuration, Name what its user calls it.
	Config config.Config
	Name   string
	// Height and Width are those of the canvas and of every image, in pixels, multiples of 32; 0
	// stands for the configuration's first canvas.
	Height, Width int
	// Batch is the number of images of a call.
	Batch int
	// Devices and Accumulate are those of train.Options, for Step alone.
	Devices, Accumulate int
	// Steps is the number of measured calls. Warmup calls come before them, after the first call of
	// all, which compiles.
	Steps, Warmup int
	// Log is told about every call; nil stands for nobody.
	Log io.Writer
}

// Timing is the duration of calls, in seconds.
type Timing struct {
	Median float64 `json:"median_s"` // the upper of two middle ones
	Min    float64 `json:"min_s"`
	Max    float64 `json:"max_s"`
	// Compile is the duration of the first call: building and compiling the graph, creating the
	// parameters, and running it once.
	Compile float64 `json:"compile_s"`
	Steps   int     `json:"steps"`
	Warmup  int     `json:"warmup"`
}

// Machine says where and with which code a report was made.
type Machine struct {
	// PeakRSS is the largest memory that the process has had so far, in MiB, compiling included.
	PeakRSS float64             `json:"peak_rss_mib"`
	Cores   int                 `json:"cores"`
	Device  *device.Description `json:"device,omitempty"` // nil where no backend takes part
	Commit  string              `json:"commit"`
}

// Report is the outcome of Step, Infer or Flow.
type Report struct {
	Part   string `json:"part"`
	Config string `json:"config"`
	Height int    `json:"height"`
	Width  int    `json:"width"`
	Batch  int    `json:"batch"`
	Timing
	// Shapes are those of the inputs and of what the part is about.
	Shapes map[string][]int `json:"shapes"`
	// Loss is that of the last step, Detections the number in a call's images; nil where there is
	// none.
	Loss       *float64 `json:"loss,omitempty"`
	Detections *int     `json:"detections,omitempty"`
	Machine
}

// prepare returns the options with every image as large as the only canvas and outliers from the
// first step on, and the report's beginning. The error names what is impossible.
func (o Options) prepare(part string) (Options, *Report, error) {
	if o.Batch < 1 || o.Steps < 1 || o.Warmup < 0 {
		return o, nil, fmt.Errorf("%s: batch %d, steps %d, warmup %d: the first two must be at least 1, the last not negative", part, o.Batch, o.Steps, o.Warmup)
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	in := &o.Config.Input
	if len(in.Canvases) > 0 {
		if o.Height == 0 {
			o.Height = in.Canvases[0][0]
		}
		if o.Width == 0 {
			o.Width = in.Canvases[0][1]
		}
	}
	short, long := min(o.Height, o.Width), max(o.Height, o.Width)
	in.Canvases = [][2]int{{o.Height, o.Width}}
	in.MinSizeTrain, in.MaxSizeTrain, in.MinSizeTest, in.MaxSizeTest = []int{short}, long, short, long
	o.Config.Train.ImagesPerStep = o.Batch
	o.Config.Model.Outlier.StartIter = 0 // as in the second half of a training
	if err := o.Config.Validate(); err != nil {
		return o, nil, fmt.Errorf("%s: height %d, width %d: %w", part, o.Height, o.Width, err)
	}
	return o, &Report{Part: part, Config: o.Name, Height: o.Height, Width: o.Width, Batch: o.Batch}, nil
}

// finish measures the calls and completes the report.
func (r *Report) finish(ctx context.Context, o Options, call func(i int) error) error {
	var err error
	if r.Timing, err = o.measure(ctx, r.Part, call); err != nil {
		return fmt.Errorf("%s: %w", r.Part, err)
	}
	if r.Loss != nil && (math.IsNaN(*r.Loss) || math.IsInf(*r.Loss, 0)) {
		return fmt.Errorf("%s: the loss is %v: such a step is not the work that is to be measured; choose other settings", r.Part, *r.Loss)
	}
	r.Machine = machine(new(device.Describe(o.Backend)))
	return nil
}

// measure makes the calls, numbered from 0. It stops at the first error, and between calls when ctx
// ends.
func (o Options) measure(ctx context.Context, part string, call func(i int) error) (Timing, error) {
	t := Timing{Steps: o.Steps, Warmup: o.Warmup}
	var seconds []float64
	fmt.Fprintf(o.Log, "%s: compiling\n", part)
	for i := range 1 + o.Warmup + o.Steps {
		if err := ctx.Err(); err != nil {
			return t, err
		}
		begin := time.Now()
		if err := call(i); err != nil {
			return t, err
		}
		took := time.Since(begin).Seconds()
		switch {
		case i == 0:
			t.Compile = took
			fmt.Fprintf(o.Log, "%s: first call %.2f s\n", part, took)
		case i <= o.Warmup:
			fmt.Fprintf(o.Log, "%s: warm-up %.3f s\n", part, took)
		default:
			seconds = append(seconds, took)
			fmt.Fprintf(o.Log, "%s: %d/%d %.3f s\n", part, len(seconds), o.Steps, took)
		}
	}
	t.Median, t.Min, t.Max = median(seconds), slices.Min(seconds), slices.Max(seconds)
	return t, nil
}

// median returns the middle value, the upper one of two. It is not meant for an empty slice.
func median(values []float64) float64 {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

func machine(d *device.Description) Machine {
	return Machine{PeakRSS: peakRSS(), Cores: runtime.GOMAXPROCS(0), Device: d, Commit: run.Commit()}
}
