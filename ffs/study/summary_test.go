package study

import (
	"encoding/csv"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ffslab/ffs/eval"
	"ffslab/ffs/internal/testkit"
)

// byHand is a study of three seeds whose numbers are easy: AP50 and AUROC of the energy.
func byHand() *Result {
	r := &Result{
		Command: "ffs study --out x", Commit: "0123abc", ConfigDigest: "0123456789abcdef", Methods: []string{"none", "flow_x"}, Baseline: "none",
		Seeds: []int64{0, 1, 2}, Training: eval.Set{Name: "t", Label: "t", Spec: "t", Images: 9}, Inlier: eval.Set{Name: "v", Label: "v", Spec: "v", Images: 8},
		Outliers:  []eval.Set{{Name: "near?n=7", Label: "near", Spec: "near?n=7", Images: 7}},
		Bootstrap: eval.Bootstrap{Resamples: 1000},
		values:    map[cell]map[Measure]float64{}, intervals: map[cell]map[Measure]eval.Interval{},
	}
	ap, auroc, other := Measure{Name: "AP50"}, Measure{"near?n=7", "energy", "AUROC"}, Measure{"near?n=7", "msp", "FPR95"}
	for i, seed := range r.Seeds {
		none, flow := cell{"none", seed}, cell{"flow_x", seed}
		r.values[none] = map[Measure]float64{ap: []float64{0.5, 0.6, 0.7}[i], auroc: 0.8}
		r.values[flow] = map[Measure]float64{ap: []float64{0.6, 0.7, 0.95}[i], auroc: []float64{0.90, 0.91, 0.92}[i]}
		r.intervals[flow] = map[Measure]eval.Interval{ap: {0.01, 0.3}, auroc: {0.02, 0.2}}
	}
	r.values[cell{"flow_x", 1}][other] = 0.25
	r.summarise()
	return r
}

func TestMeansDeviationsAndDifferencesByHand(t *testing.T) {
	r := byHand()
	row := func(method string, m Measure) Row {
		t.Helper()
		found, ok := r.row(method, m)
		if !ok {
			t.Fatalf("no row of %s, %v", method, m)
		}
		return found
	}
	ap := row("none", Measure{Name: "AP50"})
	testkit.Close(t, "AP50 of none", []float64{*ap.Mean, *ap.Deviation}, []float64{0.6, 0.1}, 1e-12)
	flow := row("flow_x", Measure{Name: "AP50"})
	// 0.6, 0.7, 0.95: the mean is 0.75, the squares 0.0225, 0.0025 and 0.04 add up to 0.065.
	testkit.Close(t, "AP50 of flow", []float64{*flow.Mean, *flow.Deviation}, []float64{0.75, math.Sqrt(0.065 / 2)}, 1e-12)
	d := flow.Difference
	// 0.1, 0.1, 0.25: the mean is 0.15, the squares 0.0025, 0.0025 and 0.01 add up to 0.015.
	testkit.Close(t, "difference of AP50", []float64{*d.Values[0], *d.Values[1], *d.Values[2], *d.Mean, *d.Deviation},
		[]float64{0.1, 0.1, 0.25, 0.15, math.Sqrt(0.0075)}, 1e-12)
	// Student's t of 2 degrees of freedom is 4.303: 4.303 * 0.0866 / sqrt(3) = 0.215 > 0.15.
	if d.BeyondNoise == nil || *d.BeyondNoise {
		t.Errorf("a difference of 0.15 +- 0.0866 over three seeds is said to be beyond noise: %v", d.BeyondNoise)
	}
	// 0.10, 0.11, 0.12: 4.303 * 0.01 / sqrt(3) = 0.025 < 0.11.
	auroc := row("flow_x", Measure{"near?n=7", "energy", "AUROC"}).Difference
	if auroc.BeyondNoise == nil || !*auroc.BeyondNoise {
		t.Errorf("a difference of 0.11 +- 0.01 over three seeds is not said to be beyond noise: %v", auroc.BeyondNoise)
	}
	// A value that one seed lacks, and the baseline wholly.
	other := row("flow_x", Measure{"near?n=7", "msp", "FPR95"})
	if other.Values[0] != nil || *other.Values[1] != 0.25 || *other.Mean != 0.25 || other.Deviation != nil || other.Difference.Mean != nil || other.Difference.BeyondNoise != nil {
		t.Errorf("a value of one seed: %+v", other)
	}
	if _, ok := r.row("none", other.Measure); ok {
		t.Error("there is a row of what no run of the method has")
	}
}

func TestBeyondNoiseNeedsBothKindsOfNoise(t *testing.T) {
	measure := Measure{"near?n=7", "energy", "AUROC"}
	flow := cell{"flow_x", 1}
	for _, test := range []struct {
		name   string
		change func(*Result)
		want   any
	}{
		{"one seed's interval holds 0", func(r *Result) { r.intervals[flow][measure] = eval.Interval{-0.01, 0.2} }, false},
		{"one seed's interval ends at 0", func(r *Result) { r.intervals[flow][measure] = eval.Interval{0, 0.2} }, false},
		{"one seed's interval lies on the other side", func(r *Result) { r.intervals[flow][measure] = eval.Interval{-0.2, -0.1} }, false},
		{"one seed lacks its interval", func(r *Result) { delete(r.intervals[flow], measure) }, nil},
		{"one seed lacks its run", func(r *Result) { delete(r.values, flow) }, false}, // 12.7 * 0.0141 / sqrt(2) = 0.127 > 0.11
		{"one run alone", func(r *Result) { delete(r.values, flow); delete(r.values, cell{"flow_x", 0}) }, nil},
		{"lower", func(r *Result) {
			for _, seed := range r.Seeds {
				r.values[cell{"none", seed}][measure] = 1 + float64(seed)/1000
				r.intervals[cell{"flow_x", seed}][measure] = eval.Interval{-0.2, -0.05}
			}
		}, true},
	} {
		r := byHand()
		test.change(r)
		r.summarise()
		row, _ := r.row("flow_x", measure)
		var got any
		if row.Difference.BeyondNoise != nil {
			got = *row.Difference.BeyondNoise
		}
		if got != test.want {
			t.Errorf("%s: beyond noise %v, want %v", test.name, got, test.want)
		}
	}
}

func TestTables(t *testing.T) {
	r := byHand()
	r.Cells = make([]Cell, 6)
	for i := range r.Cells {
		r.Cells[i].Method = r.Methods[i%2]
	}
	if diff := cmp.Diff([][]string{
		{"none", "3", "-", "60.00 ± 10.00", "80.00 ± 0.00", "-"},
		{"flow_x", "3", "-", "75.00 ± 18.03", "91.00 ± 1.00", "-"},
	}, r.meansTable().Rows); diff != "" {
		t.Errorf("means (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"method", "seeds", "AP ↑", "AP50 ↑", "near AUROC ↑", "near FPR95 ↓"}, r.meansTable().Head); diff != "" {
		t.Errorf("head (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]string{
		{"flow_x", "AP50 ↑", "+15.00 ± 8.66", "+10.00 [+1.00, +30.00]", "+10.00 [+1.00, +30.00]", "+25.00 [+1.00, +30.00]", "no"},
		{"flow_x", "near AUROC ↑", "+11.00 ± 1.00", "+10.00 [+2.00, +20.00]", "+11.00 [+2.00, +20.00]", "+12.00 [+2.00, +20.00]", "yes"},
	}, r.differencesTable().Rows); diff != "" {
		t.Errorf("differences (-want +got):\n%s", diff)
	}

	markdown := r.Markdown()
	for _, want := range []string{"Command: `ffs study --out x`  \nCommit", "Commit 0123abc, configuration 0123456789ab", "seeds 0, 1, 2", "near (near?n=7, 7 images)", "1000 resamples"} {
		if !strings.Contains(markdown, want) {
			t.Errorf("study.md lacks %q:\n%s", want, markdown)
		}
	}
	latex := r.LaTeX()
	for _, want := range []string{"% Command: ffs study --out x\n% Commit 0123abc", `flow\_x & 3 & - & 75.00 $\pm$ 18.03`, `near AUROC $\uparrow$`, `\begin{tabular}{lrrrrr}`} {
		if !strings.Contains(latex, want) {
			t.Errorf("study.tex lacks %q:\n%s", want, latex)
		}
	}
	rows, err := csv.NewReader(strings.NewReader(r.CSV())).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	last := rows[len(rows)-1]
	if diff := cmp.Diff([]string{"flow_x", "near?n=7", "msp", "FPR95", "0.25", "", "", "", "", "", "", "", "", "0.25", "", "", "", "", "", "", ""}, last); diff != "" {
		t.Errorf("last row of study.csv (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"seed2_value", "seed2_difference", "seed2_low", "seed2_high"}, rows[0][len(rows[0])-4:]); diff != "" {
		t.Errorf("head of study.csv (-want +got):\n%s", diff)
	}
}

func TestFigureOfDifferences(t *testing.T) {
	figure, err := byHand().Figure()
	if err != nil {
		t.Fatal(err)
	}
	text, err := figure.CSV()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(string(text))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	var panels []string
	for _, row := range rows[1:] {
		panels = append(panels, row[0]+" "+row[2])
		if row[0] != "near: AUROC ↑" || row[2] != "mean" {
			continue
		}
		// 10, 11, 12 points: 11 +- 4.303 * 1 / sqrt(3).
		var got []float64
		for _, cell := range row[3:6] {
			v, err := strconv.ParseFloat(cell, 64)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, v)
		}
		testkit.Close(t, "mean difference", got, []float64{11, 11 - 2.4841, 11 + 2.4841}, 1e-4)
	}
	if diff := cmp.Diff([]string{
		"AP50 ↑ seed 0", "AP50 ↑ seed 1", "AP50 ↑ seed 2", "AP50 ↑ mean",
		"near: AUROC ↑ seed 0", "near: AUROC ↑ seed 1", "near: AUROC ↑ seed 2", "near: AUROC ↑ mean",
	}, panels); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	alone := byHand()
	alone.Methods = alone.Methods[:1]
	if figure, err = alone.Figure(); err != nil || !strings.Contains(figure.Caption, "Bars") {
		t.Errorf("a study of the baseline alone: %v", err)
	}
}

func TestShortNames(t *testing.T) {
	got := shortNames([]string{"digits:ood-near?n=1500", "coco:annotations/ood.json,images", "penguins"})
	if diff := cmp.Diff([]string{"ood-near", "ood", "penguins"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	same := []string{"coco:a/val.json,images", "coco:b/val.json,images"}
	if diff := cmp.Diff(same, shortNames(same)); diff != "" {
		t.Errorf("names that would become the same (-want +got):\n%s", diff)
	}
}
