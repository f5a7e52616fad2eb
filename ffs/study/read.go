package study

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"

	"ffslab/ffs/eval"
	"ffslab/viz"
)

// Read reads the result of a study from its folder. The error names the file.
func Read(dir string) (*Result, error) {
	path := filepath.Join(dir, "study.json")
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &Result{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("%s: %w: was it written by ffs study?", path, err)
	}
	if len(r.Methods) == 0 || len(r.Rows) == 0 {
		return nil, fmt.Errorf("%s: it holds no method or no result: is the study finished?", path)
	}
	complete := func(set *eval.Set) { // older studies lack both
		set.Label, set.Spec = cmp.Or(set.Label, set.Name), cmp.Or(set.Spec, set.Name)
	}
	complete(&r.Training)
	complete(&r.Inlier)
	for i := range r.Outliers {
		complete(&r.Outliers[i])
	}
	return r, nil
}

// Means returns the table of results, and a note that explains it.
func (r *Result) Means() (table *eval.Table, note string) {
	return r.meansTable(), r.meansNote() + " " + strings.Join(append(r.origin(asIs), "Command: "+r.Command), " ")
}

// asIs leaves a name unescaped.
func asIs(name string) string { return name }

// Differences returns the table of differences from the baseline, empty if there are none, and a
// note that explains it.
func (r *Result) Differences() (table *eval.Table, note string) {
	return r.differencesTable(), r.differencesNote(asIs)
}

// Figure draws AP50, and AUROC and FPR95 of the energy on every outlier set: one bar for each
// method and variant, with the deviation between seeds. A study without a result is an error.
func (r *Result) Figure() (*viz.Figure, error) {
	var panels []*viz.Figure
	for _, m := range r.columns() {
		if m.Name == "AP" {
			continue
		}
		bars := viz.Bars{Title: r.title(m), YLabel: "percent", Decimals: 1}
		group := viz.BarGroup{Name: "mean of the seeds"}
		for _, method := range r.Methods {
			mean, deviation := math.NaN(), 0.0
			if row, ok := r.row(method, m); ok && row.Mean != nil {
				mean = 100 * *row.Mean
				if row.Deviation != nil {
					deviation = 100 * *row.Deviation
				}
			}
			bars.Categories = append(bars.Categories, method)
			group.Values, group.Errors = append(group.Values, mean), append(group.Errors, deviation)
		}
		bars.Groups = []viz.BarGroup{group}
		panel, err := bars.Figure()
		if err != nil {
			return nil, err
		}
		panels = append(panels, panel)
	}
	if len(panels) == 0 {
		return nil, errors.New("the study has measured nothing")
	}
	figure, err := viz.Grid(2, panels...)
	if err != nil {
		return nil, err
	}
	figure.Caption = "Bars: mean of the seeds; lines: their sample deviation. " + strings.Join(r.origin(asIs), " ")
	return figure, nil
}
