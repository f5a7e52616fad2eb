package bench

import (
	"bytes"
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"ffslab/data"
	"ffslab/data/lenient"
	"ffslab/ffs/eval"
	"ffslab/ffs/internal/python"
)

// CocoOptions say how large a set is made, and what it is evaluated with.
type CocoOptions struct {
	// Images, Classes and Detections (an image) are the set's size, Seed what it is made from.
	Images, Classes, Detections int
	Seed                        uint64
	// Rounds is how often both evaluate it, by turns.
	Rounds int
	// Python is the interpreter that has pycocotools; empty stands for the one that package python
	// finds. NoPython leaves it out.
	Python   string
	NoPython bool
	// Log is told about every evaluation; nil stands for nobody.
	Log io.Writer
}

// CocoReport is the outcome of Coco.
type CocoReport struct {
	Part       string `json:"part"`
	Images     int    `json:"images"`
	Classes    int    `json:"classes"`
	Objects    int    `json:"objects"`
	Detections int    `json:"detections"`
	Rounds     int    `json:"rounds"`
	// Ours and Pycocotools are the durations; the second is nil where Python does not have
	// pycocotools.
	Ours        CocoTiming  `json:"ours"`
	Pycocotools *CocoTiming `json:"pycocotools,omitempty"`
	// Ratio is pycocotools' time for evaluate, accumulate and summarize by ours for the same,
	// RatioWithReading that with both files read before; each is the median of the rounds. Above 1
	// ours is faster.
	Ratio            float64 `json:"ratio,omitempty"`
	RatioWithReading float64 `json:"ratio_with_reading,omitempty"`
	// MaxDifference is the largest between the twelve numbers.
	MaxDifference float64    `json:"max_difference"`
	Stats         eval.Stats `json:"stats"`
	Machine
}

// CocoTiming is the median of the rounds, in seconds.
type CocoTiming struct {
	Version  string  `json:"version,omitempty"`
	Read     float64 `json:"read_s"`
	Evaluate float64 `json:"evaluate_s"`
}

// cocoRun is one evaluation of the files.
type cocoRun struct {
	CocoTiming
	Stats eval.Stats `json:"stats"`
}

//go:embed coco_eval.py
var script string

// cocoTolerance bounds the difference of the twelve numbers.
const cocoTolerance = 1e-9

// Coco measures COCO's box evaluation on a made set, ours and beside it pycocotools, and compares
// their numbers: a difference of more than 1e-9 is an error. Where pycocotools is missing, Log says
// what to do, and ours is measured alone.
func Coco(ctx context.Context, o CocoOptions) (*CocoReport, error) {
	if o.Images < 1 || o.Classes < 1 || o.Detections < 1 || o.Rounds < 1 {
		return nil, fmt.Errorf("coco-eval: %d images, %d classes, %d detections an image, %d rounds: each must be at least 1",
			o.Images, o.Classes, o.Detections, o.Rounds)
	}
	if o.Log == nil {
		o.Log = io.Discard
	}
	dir, err := os.MkdirTemp("", "ffslab-coco-*")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	truth, results := filepath.Join(dir, "gt.json"), filepath.Join(dir, "dt.json")
	set, detections := madeSet(dir, o.Images, o.Classes, o.Detections, o.Seed)
	if err := data.WriteCOCO(truth, set); err != nil {
		return nil, err
	}
	if err := eval.WriteDetections(results, detections); err != nil {
		return nil, err
	}
	r := &CocoReport{
		Part: "coco-eval", Images: o.Images, Classes: o.Classes, Objects: set.Stats().Objects, Detections: len(detections), Rounds: o.Rounds,
	}
	theirs, err := o.pycocotools(ctx)
	if err != nil {
		return nil, err
	}
	var our, their []cocoRun
	for round := range o.Rounds {
		run, err := evaluate(truth, results)
		if err != nil {
			return nil, err
		}
		our = append(our, run)
		fmt.Fprintf(o.Log, "coco-eval: ours %d/%d: read %.2f s, evaluated %.2f s\n", round+1, o.Rounds, run.Read, run.Evaluate)
		if theirs == "" {
			continue
		}
		if run, err = evaluateWith(ctx, theirs, truth, results); err != nil {
			return nil, err
		}
		their = append(their, run)
		fmt.Fprintf(o.Log, "coco-eval: pycocotools %d/%d: read %.2f s, evaluated %.2f s\n", round+1, o.Rounds, run.Read, run.Evaluate)
	}
	r.Ours, r.Stats = cocoTiming(our), our[0].Stats
	if len(their) > 0 {
		r.Pycocotools = new(cocoTiming(their))
		r.compare(our, their)
	}
	r.Machine = machine(nil)
	if r.MaxDifference > cocoTolerance {
		return nil, fmt.Errorf("coco-eval: the twelve numbers differ by %.3g: ours %+v, pycocotools' %+v", r.MaxDifference, our[0].Stats, their[0].Stats)
	}
	return r, nil
}

// pycocotools returns the interpreter that has it, or "" where none has and Log was told.
func (o CocoOptions) pycocotools(ctx context.Context) (string, error) {
	if o.NoPython {
		return "", nil
	}
	path, err := interpreterWith(ctx, o.Python, "import pycocotools.cocoeval",
		"pip install pycocotools in an environment of your own, and name its Python by --python or "+python.PathEnv)
	switch {
	case ctx.Err() != nil:
		return "", ctx.Err()
	case err != nil && o.Python != "": // it was asked for
		return "", err
	case err != nil:
		fmt.Fprintf(o.Log, "warning: pycocotools is left out: %v\n", err)
		return "", nil
	}
	return path, nil
}

// interpreterWith returns the chosen interpreter, or else the one that package python finds, if it
// can run a probe. The error of the probe ends with the remedy.
func interpreterWith(ctx context.Context, chosen, probe, remedy string) (string, error) {
	if chosen == "" {
		found, err := python.Find(ctx)
		if err != nil {
			return "", err
		}
		chosen = found.Path
	}
	if out, err := exec.CommandContext(ctx, chosen, "-c", probe).CombinedOutput(); err != nil {
		return "", fmt.Errorf("%s: %s: %s", chosen, cmp.Or(string(lastLine(out)), err.Error()), remedy)
	}
	return chosen, nil
}

func evaluate(truth, results string) (cocoRun, error) {
	begin := time.Now()
	annotations, err := eval.ReadAnnotations(truth, lenient.New(false))
	if err != nil {
		return cocoRun{}, err
	}
	detections, err := eval.ReadDetections(results, lenient.New(false))
	if err != nil {
		return cocoRun{}, err
	}
	read := time.Now()
	coco, err := eval.EvaluateCOCO(annotations, detections)
	if err != nil {
		return cocoRun{}, err
	}
	stats := coco.Stats()
	return cocoRun{CocoTiming{Read: read.Sub(begin).Seconds(), Evaluate: time.Since(read).Seconds()}, stats}, nil
}

// evaluateWith reads and evaluates the files with pycocotools.
func evaluateWith(ctx context.Context, interpreter, truth, results string) (cocoRun, error) {
	var run cocoRun
	command := exec.CommandContext(ctx, interpreter, "-", truth, results)
	command.Stdin = strings.NewReader(script)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	switch {
	case ctx.Err() != nil:
		return run, ctx.Err()
	case err != nil:
		return run, fmt.Errorf("%s with pycocotools: %w: %s", interpreter, err, lastLine(stderr.Bytes()))
	}
	if err := json.Unmarshal(out, &run); err != nil {
		return run, fmt.Errorf("%s with pycocotools: its output is not understood: %w", interpreter, err)
	}
	return run, nil
}

func (r *CocoReport) compare(our, their []cocoRun) {
	var evaluate, all []float64
	for i, a := range our {
		b := their[i]
		evaluate = append(evaluate, b.Evaluate/a.Evaluate)
		all = append(all, (b.Read+b.Evaluate)/(a.Read+a.Evaluate))
		x, y := a.Stats.List(), b.Stats.List()
		for k := range x {
			r.MaxDifference = max(r.MaxDifference, math.Abs(x[k]-y[k]))
		}
	}
	r.Ratio, r.RatioWithReading = median(evaluate), median(all)
}

func cocoTiming(runs []cocoRun) CocoTiming {
	var read, evaluate []float64
	for _, run := range runs {
		read, evaluate = append(read, run.Read), append(evaluate, run.Evaluate)
	}
	return CocoTiming{Version: runs[0].Version, Read: median(read), Evaluate: median(evaluate)}
}
