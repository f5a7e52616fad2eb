package bench

import (
	"context"
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"ffslab/ffs/internal/testkit"
)

// The costs are made up: a second a pixel, an image and a sampled proposal, half for four times the
// classes, a square of the flow's width.
func TestGrowVariesOneSizeAtATime(t *testing.T) {
	o := tinyOptions(t)
	o.Batch, o.Steps = 1, 1
	roi, classes, hidden := float64(o.Config.Model.ROI.BatchPerImage), float64(len(o.Config.Model.Classes)), float64(o.Config.Model.Flow.Hidden)
	step := func(_ context.Context, o Options) (*Report, error) {
		m := o.Config.Model
		cost := float64(o.Height*o.Width*o.Batch*m.ROI.BatchPerImage) / math.Sqrt(float64(len(m.Classes)))
		return &Report{Part: "step", Timing: Timing{Median: cost}}, nil
	}
	flow := func(_ context.Context, o Options) (*Report, error) {
		return &Report{Part: "flow", Timing: Timing{Median: math.Pow(float64(o.Config.Model.Flow.Hidden), 2)}}, nil
	}
	g, err := grow(t.Context(), o, variations(step, flow))
	if err != nil {
		t.Fatal(err)
	}
	want := []Sweep{
		{Quantity: "pixels of the image", Part: "step", Sizes: []float64{64 * 64, 96 * 96, 128 * 128, 160 * 160}, Exponent: 1},
		{Quantity: "images of a step", Part: "step", Sizes: []float64{1, 2, 4}, Exponent: 1},
		{Quantity: "proposals sampled an image", Part: "step", Sizes: []float64{roi / 4, roi / 2, roi, 2 * roi}, Exponent: 1},
		{Quantity: "inlier classes", Part: "step", Sizes: []float64{classes, 4 * classes, 16 * classes}, Exponent: -0.5},
		{Quantity: "width of the flow's subnets", Part: "flow", Sizes: []float64{hidden / 4, hidden / 2, hidden, 2 * hidden}, Exponent: 2},
	}
	if len(g.Sweeps) != len(want) {
		t.Fatalf("%d sweeps, want %d", len(g.Sweeps), len(want))
	}
	for i, s := range g.Sweeps {
		if s.Quantity != want[i].Quantity || s.Part != want[i].Part {
			t.Errorf("%s of the %s, want %s of the %s", s.Quantity, s.Part, want[i].Quantity, want[i].Part)
		}
		testkit.Close(t, s.Quantity, s.Sizes, want[i].Sizes, 0)
		testkit.Close(t, s.Quantity+": exponents", []float64{s.Exponent, s.Last}, []float64{want[i].Exponent, want[i].Exponent}, 1e-12)
	}
	if len(o.Config.Model.Classes) != int(classes) {
		t.Error("the caller's configuration was changed")
	}
}

func TestGrowNamesTheSizeThatFails(t *testing.T) {
	o := tinyOptions(t)
	o.Batch, o.Steps = 1, 1
	full := func(_ context.Context, o Options) (*Report, error) {
		if o.Batch == 4 {
			return nil, errors.New("out of memory")
		}
		return &Report{Timing: Timing{Median: 1}}, nil
	}
	g, err := grow(t.Context(), o, variations(full, full))
	if err == nil || !strings.Contains(err.Error(), "images of a step 4: out of memory") {
		t.Errorf("error %v", err)
	}
	if g == nil || len(g.Sweeps) != 2 || !slices.Equal(g.Sweeps[1].Sizes, []float64{1, 2}) {
		t.Errorf("measured before it: %+v", g)
	}
}

func TestExponents(t *testing.T) {
	x := []float64{1, 2, 4}
	all, last := exponents(x, []float64{3, 12, 48})
	testkit.Close(t, "a square", []float64{all, last}, []float64{2, 2}, 1e-12)
	all, last = exponents(x, []float64{1, 1, 4})
	testkit.Close(t, "a bend", []float64{all, last}, []float64{1, 2}, 1e-12)
	if all, last = exponents([]float64{5}, []float64{1}); all != 0 || last != 0 || math.IsNaN(all) {
		t.Errorf("one point: %g and %g, want 0", all, last)
	}
}
