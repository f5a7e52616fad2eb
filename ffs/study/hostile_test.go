package study

import (
	"testing"

	"ffslab/ffs/eval"
	"ffslab/viz/escape/hostile"
)

func TestHostileNamesStayNames(t *testing.T) {
	half := 0.5
	r := &Result{
		Command: hostile.Name, Commit: hostile.Name, Methods: []string{"none", hostile.Name}, Baseline: hostile.Name, Seeds: []int64{1},
		Variants: []Variant{{Name: hostile.Name, Settings: []string{hostile.Name}}},
		Training: eval.Set{Label: hostile.Name}, Inlier: eval.Set{Label: hostile.Name}, Outliers: []eval.Set{{Name: hostile.Name, Label: hostile.Name}},
	}
	for _, m := range measures(r.Outliers, []string{"energy", hostile.Name}) {
		r.Rows = append(r.Rows, Row{Method: hostile.Name, Measure: m, Spread: Spread{Mean: &half}, Values: []*float64{&half}})
		if m.Set != "" {
			d := &Difference{Values: []*float64{&half}, CI95: []*eval.Interval{nil}}
			r.Rows = append(r.Rows, Row{Method: "none", Measure: m, Spread: Spread{Mean: &half}, Values: []*float64{&half}, Difference: d})
		}
	}
	hostile.Markdown(t, r.Markdown())
	hostile.Terminal(t, r.Markdown())
	hostile.LaTeX(t, r.LaTeX())
	hostile.CSV(t, r.CSV())
	figure, err := r.Figure()
	if err != nil {
		t.Fatal(err)
	}
	document, err := figure.SVG()
	if err != nil {
		t.Fatal(err)
	}
	hostile.SVG(t, document)
}
