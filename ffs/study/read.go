package study

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"ffslab/ffs/eval"
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
		return nil, fmt.Errorf("%s: %w: is it written by ffs study?", path, err)
	}
	if len(r.Methods) == 0 || len(r.Rows) == 0 {
		return nil, fmt.Errorf("%s: no method or no result is in it: is the study finished?", path)
	}
	for _, set := range append([]*eval.Set{&r.Training, &r.Inlier}, pointers(r.Outliers)...) {
		set.Label, set.Spec = cmp.Or(set.Label, set.Name), cmp.Or(set.Spec, set.Name) // studies from before there were these
	}
	return r, nil
}

func pointers(sets []eval.Set) []*eval.Set {
	var all []*eval.Set
	for i := range sets {
		all = append(all, &sets[i])
	}
	return all
}

// Means returns the table of results, and what is to be known to read it.
func (r *Result) Means() (table *eval.Table, note string) {
	return r.meansTable(), r.meansNote() + " " + strings.Join(append(r.origin(asIs), "Command: "+r.Command), " ")
}

// asIs leaves a name to whoever writes the text.
func asIs(name string) string { return name }

// Differences returns the table of differences from the baseline, empty if there are none, and what is to be known to read it.
func (r *Result) Differences() (table *eval.Table, note string) {
	return r.differencesTable(), r.differencesNote(asIs)
}
