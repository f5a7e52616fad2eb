package study

import (
	"fmt"
	"slices"
	"strings"
)

// machines says on what the cells were computed, if known, and warns if that differs.
func (r *Result) machines() []string {
	var kinds []string
	cells := map[string][]string{}
	for _, c := range r.Cells {
		for _, stint := range c.Computed {
			kind := stint.Device + " (" + stint.Driver + ")"
			if !slices.Contains(kinds, kind) {
				kinds = append(kinds, kind)
			}
			if name := (cell{c.Method, c.Seed}).name(); !slices.Contains(cells[kind], name) {
				cells[kind] = append(cells[kind], name)
			}
		}
	}
	switch len(kinds) {
	case 0:
		return nil
	case 1:
		return []string{"Computed on " + kinds[0] + "."}
	}
	var parts []string
	for _, kind := range kinds {
		parts = append(parts, fmt.Sprintf("%s: %s", kind, strings.Join(cells[kind], ", ")))
	}
	return []string{"WARNING: the runs were computed on different devices, whose rounding moves a run as much as another seed does: " + strings.Join(parts, "; ") + "."}
}
