package detector

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gomlx/compute"
	"github.com/gomlx/compute/shapes"
	"github.com/gomlx/gomlx/ml/model"

	"ffslab/ffs/optim"
)

// scopes lists the scopes of the detector's parameters.
var scopes = []string{"/backbone/", "/proposal_generator/", "/roi_heads/"}

// Fits returns an error unless the store holds exactly the parameters of the detector, in their
// shapes, and no state of a built-in optimizer for any other. The error names the first fault.
func (d *Detector) Fits(backend compute.Backend, store *model.Store) error {
	fresh := model.NewStore()
	if err := d.Create(backend, fresh); err != nil {
		return err
	}
	want, got := shapesIn(fresh, scopes...), shapesIn(store, scopes...)
	for _, path := range slices.Sorted(maps.Keys(want)) {
		switch have, ok := got[path]; {
		case !ok:
			return fmt.Errorf("the checkpoint lacks %s %v, which the configuration's model has: it is of another model, or damaged", path, want[path])
		case !have.Equal(want[path]):
			return fmt.Errorf("%s is %v in the checkpoint and %v in the configuration's model: it is of another model, or config.yaml was changed",
				path, have, want[path])
		}
	}
	for _, path := range slices.Sorted(maps.Keys(got)) {
		if _, ok := want[path]; !ok {
			return fmt.Errorf("the checkpoint holds %s %v, which the configuration's model lacks: it is of another model, or damaged", path, got[path])
		}
	}
	state := shapesIn(store, optim.ParameterScopes...)
	for _, path := range slices.Sorted(maps.Keys(state)) {
		parameter := parameterOf(path)
		if have := state[path]; have.Rank() > 0 && (parameter == "" || !have.Equal(want[parameter])) {
			return fmt.Errorf("the checkpoint's %s %v belongs to no parameter of that shape: it is of another model, or damaged", path, have)
		}
	}
	return nil
}

// parameterOf returns the path of the parameter to which an optimizer's state at the path belongs,
// or "".
func parameterOf(path string) string {
	for _, scope := range scopes {
		if i := strings.Index(path, scope); i >= 0 {
			return path[i:]
		}
	}
	return ""
}

func shapesIn(store *model.Store, scopes ...string) map[string]shapes.Shape {
	found := map[string]shapes.Shape{}
	for v := range store.IterVariables() {
		if slices.ContainsFunc(scopes, func(s string) bool { return strings.HasPrefix(v.Path(), s) }) {
			found[v.Path()] = v.Shape()
		}
	}
	return found
}
