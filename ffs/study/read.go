package study

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"ffslab/ffs/eval"
	"ffslab/ffs/internal/jsonfile"
)

// Read reads the result of a study from its folder. The error names the file.
func Read(dir string) (*Result, error) {
	path := filepath.Join(dir, "study.json")
	r := &Result{}
	if err := jsonfile.Read(path, r); err != nil {
		return nil, fmt.Errorf("%w: give the folder of a study (ffs study --out)", err)
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
